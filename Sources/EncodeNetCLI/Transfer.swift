import ArgumentParser
import EncodeNet

struct Transfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Teach a head on the converting encoder (stage S7).",
    discussion:
      "Does the stages before it first where the folder has them not. 'run' adds the controls with equal budget.")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    Interruption.watch()
    let (run, lock) = try options.stages(options.console.logger())
    defer { withExtendedLifetime(lock) {} }
    let arms = try [run.baseline()] + ["A3", "A4"].map { try run.trained(.named($0)) }
    print(validated(arms, by: run))
  }
}
