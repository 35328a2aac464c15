import ArgumentParser
import Reports

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Train the baseline classifier (stage S0).")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      print(validated([try run.baseline()], by: run))
    }
  }
}

/// A table of what arms say of the images kept for validation, and where their weights are: test images are for reports.
func validated(_ arms: [TrainedArm], by run: ExperimentRun) -> String {
  let isSeen = run.configuration.baseline?.isTrainedOnAll == true
  return aligned(
    ["arm", "what", isSeen ? "validation (trained on)" : "validation", "weights"],
    arms.map { trained in
      let accuracy = run.validationSet.map { percent($0(trained.model).top1) } ?? "none kept"
      return [trained.id, trained.name, accuracy, trained.weights.path]
    })
}
