import ArgumentParser
import EncodeNet
import Foundation

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the Generalized Converting Autoencoder (stage S6).",
    discussion: "Does the stages before it first where the folder has them not.")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    let run = try options.experiment(options.console.logger())
    let baseline = try run.baseline()
    let clustering = try run.clustering(baseline)
    let conversion = try run.conversion(baseline, clustering)
    print(
      String(
        format: "Squared error %.5f a pixel; mean entropy %.4f nats before conversion, %.4f after.",
        conversion.curves.loss.last ?? 0, clustering.certainty.meanEntropy, conversion.certainty.meanEntropy))
  }
}
