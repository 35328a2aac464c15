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
      // Of many classes those with the most and the least structure.
      let order = rows.indices.sorted {
        let (a, b) = (found.clusters.classes[$0], found.clusters.classes[$1])
        return (b.silhouette, a.label) < (a.silhouette, b.label)
      }
      let shown = rows.count > 40 ? Array(order.prefix(10) + order.suffix(10)) : Array(rows.indices)
      print(aligned(["class", "clusters", "sizes", "silhouette", "representatives"], shown.map { rows[$0] }))
      if shown.count < rows.count {
        print(
          "These are the 10 classes of the highest silhouette and the 10 of the lowest, of \(rows.count); "
            + "clusters.json has all.")
      }
      print("\(found.clusters.count) clusters of \(rows.count) classes.")
      let confidence = found.confidence
      print(
        "Mean entropy \(fixed(confidence.meanEntropy, 4)) nats, saturated on \(percent(confidence.saturation, 1)) of the images."
      )
    }
  }
}
