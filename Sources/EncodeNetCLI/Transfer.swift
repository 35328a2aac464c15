import ArgumentParser
import Reports

struct Transfer: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a head on the converting encoder (stage S7).",
    discussion: """
        encodenet transfer --data digits --out out/digits

      Runs the earlier stages first where the folder lacks them, and trains the judge of converted images. 'run' adds the \
      controls of equal budget.
      """)

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      let arms = run.configuration.arms.filter { $0.conversion != nil }
      guard !arms.isEmpty else {
        throw ExperimentError("none of the arms has a conversion: name one, such as --arms A4")
      }
      let baseline = try run.baseline()
      print(try validated(try [baseline] + arms.map { try run.trained($0) }, by: run))
      print(try converted(arms.compactMap { arm in try run.conversion(arm).map { (arm.id, $0) } }, by: run))
    }
  }
}
