import ArgumentParser
import Foundation
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
    Interruption.watch()
    let (run, lock) = try options.stages(options.console.logger())
    defer { withExtendedLifetime(lock) {} }
    let found = try run.clustering()
    let rows = zip(found.clusters.classes, found.representatives.classes).map { group, chosen in
      [
        run.images.classNames[group.label], "\(group.clusters.count)",
        group.clusters.map { "\($0.count)" }.joined(separator: " "),
        String(format: "%.3f", group.silhouette), chosen.map { "\(run.data.rows[$0])" }.joined(separator: " "),
      ]
    }
    print(aligned([["class", "clusters", "sizes", "silhouette", "representatives"]] + rows))
    print(
      String(
        format: "Mean entropy %.4f nats, saturated on %.1f %% of the images.", found.confidence.meanEntropy,
        100 * found.confidence.saturation))
  }
}
