import ArgumentParser
import EncodeNet
import Foundation

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the Generalized Converting Autoencoder (stage S6).",
    discussion: "Does the stages before it first where the folder has them not.")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    Interruption.watch()
    let (run, lock) = try options.stages(options.console.logger())
    defer { withExtendedLifetime(lock) {} }
    let baseline = try run.baseline()
    let clustering = try run.clustering(baseline)
    let conversion = try run.conversion(baseline, clustering)
    print(String(format: "Squared error %.5f a pixel.", conversion.curves.loss.last ?? 0))
  }
}
