import ArgumentParser
import Reports

struct Cluster: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Clusters the images of each class, and chooses representatives (stages S2 to S4).",
    discussion: """
        encodenet cluster --data digits --out out/digits

      Trains the baseline first where the folder has none.
      """)

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      let found = try run.clustering()
      let rows = zip(found.clusters.classes, found.representatives.classes).map { group, chosen in
        [
          run.images.classNames[group.label], "\(group.clusters.count)",
          group.clusters.map { "\($0.count)" }.joined(separator: " "),
          fixed(group.silhouette, 3), chosen.map { "\(run.data.rows[$0])" }.joined(separator: " "),
        ]
      }
      print(aligned(["class", "clusters", "sizes", "silhouette", "representatives"], rows))
      let confidence = found.confidence
      print(
        "Mean entropy \(fixed(confidence.meanEntropy, 4)) nats, saturated on \(percent(confidence.saturation, 1)) of the images."
      )
    }
  }
}
