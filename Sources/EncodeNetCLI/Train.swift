import ArgumentParser
import Reports

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains the baseline classifier (stage S0).",
    discussion: "  encodenet train --data digits --out out/digits")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      print(try validated([try run.baseline()], by: run))
    }
  }
}

/// A table of the validation accuracies of arms, and of the files of their weights: test images are for reports.
func validated(_ arms: [TrainedArm], by run: ExperimentRun) throws -> String {
  let isSeen = run.configuration.baseline?.isTrainedOnAll == true
  return aligned(
    ["arm", "what", isSeen ? "validation (trained on)" : "validation", "weights"],
    try arms.map { trained in
      let accuracy = try run.validationSet.map { percent(try $0(trained.model).top1) } ?? "none"
      return [trained.id, trained.name, accuracy, trained.weights.path]
    })
}
