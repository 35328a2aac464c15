import ArgumentParser
import EncodeNet

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Train the baseline classifier (stage S0).")

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    let run = try options.experiment(options.console.logger())
    let baseline = try run.baseline()
    print(tested([baseline], by: run))
  }
}

/// A table of what arms say of the test images, and where their weights are.
func tested(_ arms: [TrainedArm<ChosenModel>], by run: ExperimentRun<ChosenModel>) -> String {
  aligned(
    [["arm", "what", "accuracy", "right", "weights"]]
      + arms.map { arm in
        let evaluation = run.tested(arm.model)
        return [
          arm.id, arm.name, percent(evaluation.top1), "\(evaluation.correct) of \(evaluation.count)", arm.weights.path,
        ]
      })
}
