import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// Steps and arms of a user's own: what would go wrong without a word is refused.
@Suite struct OwnStepsTests {
  /// Trains for some epochs under a name.
  private struct Training: Step {
    var stage: String
    var epochs = Epochs.count(1)
    func planned(in plan: inout ArmPlan) throws -> Training {
      var step = self
      let count = plan.count(epochs, costPerEpoch: 1)
      step.epochs = .count(count)
      plan.train(stage, count)
      return step
    }
    func run(_ state: inout ExperimentState, in run: SeedRun) throws {
      guard case .count(let epochs) = epochs else { return }
      try run.train(
        &state, stage, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, epochs: epochs, learningRate: 0.05)
    }
  }

  private func error(_ arms: @escaping @Sendable (_ baseline: [any Step]) -> [Arm]) throws -> String {
    var experiment = Experiment(try smallConfiguration(["A0"]))
    experiment.arms = arms
    return try withFolder { folder in
      let error = #expect(throws: ExperimentError.self) {
        try experiment.run(on: plantedData(), in: folder, model: { Tiny(&$0) })
      }
      return error?.description ?? ""
    }
  }

  @Test func twoStepsThatTakeTheRestAreRefused() throws {
    let problem = try error {
      [Arm("twice", "twice", $0 + [Training(stage: "a", epochs: .rest), Training(stage: "b", epochs: .rest)])]
    }
    #expect(problem.contains("arm 'twice': two of its steps take the rest of the budget"), "\(problem)")
  }

  @Test func twoTrainingsOfOneNameAreRefused() throws {
    let problem = try error { baseline in
      [Arm("first", "first", baseline + [Training(stage: "own")]), Arm("second", "second", [Training(stage: "own")])]
    }
    #expect(problem.contains("two trainings of this run are called 'own'"), "\(problem)")
  }

  @Test func theMethodsStepsMakeArmsOfOnesOwn() throws {
    var experiment = Experiment(try smallConfiguration(["A0", "A2"]))
    experiment.arms = { baseline in
      var transfer = KnowledgeTransfer(.frozenEncoder)
      (transfer.headEpochs, transfer.batchSize) = (2, 16)
      let clustering = IntraclassClustering(clustersPerClass: .fixed(2))
      return [
        Arm(
          "mine", "my own",
          baseline + [
            Cluster(clustering: clustering), Convert(training: ConversionTraining(), epochs: .rest),
            TrainHead("mine", transfer: transfer),
          ])
      ]
    }
    let report = try withFolder { try experiment.run(on: plantedData(), in: $0, model: { Tiny(&$0) }) }
    #expect(report.arms.map(\.id) == ["A0", "A2", "mine"])
    let mine = report.arms[2]
    #expect(mine.budget.items.contains { $0.name == "conversion" } && mine.mean > 0.5, "\(report.text)")
  }

  /// A teacher's file is named by its path, which may get another content.
  @Test func aReplacedTeacherTrainsTheStudentAgain() throws {
    try withFolder { folder in
      let data = try DatasetSplit.synthetic(classes: 2, patterns: 2, training: 80, test: 20, imageShape: [8, 8, 1])
      var configuration = try smallConfiguration(["A0"])
      (configuration.model, configuration.widthMultiplier) = ("resnet8", 0.25)
      let teacher = folder.appendingPathComponent("teacher.safetensors")
      var arm = ArmSettings("kd", "distilled")
      arm.recipe.distillation = Distillation(.weights(teacher.path))
      configuration.arms.append(arm)
      func keys(_ seed: UInt64) throws -> [String] {
        var generator = SplittableGenerator(seed: seed)
        let network = try configuration.modelChoice.make(classes: 2, inputShape: [8, 8, 1], using: &generator)
        try SavedClassifier(
          model: configuration.modelChoice, imageShape: [8, 8, 1], classNames: data.classNames,
          normalization: .computed(from: data.training)
        ).save(network, to: teacher)
        let run = try ExperimentRun(configuration, on: data, in: folder.appendingPathComponent("run"))
        return try run.run.keys(of: run.run.plan(run.arms[1]).steps)
      }
      let (first, again, other) = (try keys(1), try keys(1), try keys(2))
      #expect(first == again && first.last != other.last && first.first == other.first)
    }
  }
}
