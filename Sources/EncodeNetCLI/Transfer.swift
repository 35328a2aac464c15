import ArgumentParser
import EncodeNet

struct Transfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Teach a head on the converting encoder (stage S7).",
    discussion:
      "Does the stages before it first where the folder has them not. 'run' adds the controls with equal budget.")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    let run = try options.experiment(options.console.logger())
    let baseline = try run.baseline()
    let conversion = try run.conversion(baseline, run.clustering(baseline))
    let arms = try [KnowledgeTransfer.Mode.headThenFineTune, .frozenEncoder].map { try run.transferred($0, conversion) }
    print(tested([baseline] + arms, by: run))
  }
}
