import ArgumentParser
import Reports

struct Cluster: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Cluster the images of each class and choose representatives (stages S2 to S4).",
    discussion: "Trains the baseline first where the folder has none.")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      let found = try run.clustering()
      let rows = zip(found.clusters.classes, found.representatives.classes).map { one, chosen in
        [
          run.images.classNames[one.label], "\(one.clusters.count)",
          one.clusters.map { "\($0.count)" }.joined(separator: " "),
          fixed(one.silhouette, 3), chosen.map { "\(run.data.rows[$0])" }.joined(separator: " "),
        ]
      }
      print(aligned(["class", "clusters", "sizes", "silhouette", "representatives"], rows))
      let certainty = found.certainty
      print(
        "Mean entropy \(fixed(certainty.meanEntropy, 4)) nats, saturated on \(percent(certainty.saturation, 1)) of the images."
      )
    }
  }
}
