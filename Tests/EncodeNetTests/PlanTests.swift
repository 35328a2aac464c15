import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct PlanTests {
  /// Plans arms for ResNet20 on images of 32 by 32.
  private func withRun(
    _ configuration: ExperimentConfiguration,
    _ body: (_ run: ExperimentRun, _ plan: (ArmSettings) throws -> ArmPlan) throws -> Void
  ) throws {
    let data = try DatasetSplit.synthetic(classes: 10, patterns: 2, training: 200, test: 10, imageShape: [32, 32, 3])
    try withFolder { folder in
      let run = try ExperimentRun(configuration, on: data, in: folder)
      try body(run) { try run.run.plan(run.arm($0)) }
    }
  }

  @Test func everyArmOfThePaperCostsTheSameButTheBaseline() throws {
    try withRun(.preset("ablation")) { run, plan in
      let total = try #require(run.budget)
      #expect(abs(total - 60.1) < 0.2, "\(total)")
      for arm in ArmSettings.standard where !arm.isBaseline {
        let planned = try plan(arm)
        if case .model = arm.recipe.distillation?.teacher {
          #expect(!planned.budget.isEqual(to: total), "\(arm.id): a larger teacher's training is counted")
          continue
        }
        if arm.conversion?.trainsEncoder == false {
          // The decoder's sake: as many epochs as A4, which cost less where the encoder is only passed through.
          #expect(try planned.restEpochs == plan(.named("A4")).restEpochs)
          #expect(planned.budget.total < total - 10)
          continue
        }
        #expect(planned.budget.isEqual(to: total), "\(arm.id) costs \(planned.budget.total), not \(total)")
        #expect((planned.restEpochs ?? 0) > 0)
      }
      #expect(try plan(.named("A0")).budget.total == 30)
      func epochs(_ id: String) throws -> Int { try #require(try plan(.named(id)).restEpochs) }
      #expect(try epochs("A1") > epochs("A2"))
      // Sharpness-aware steps cost two, and those beside a peer too.
      #expect(try abs(2 * epochs("sam") - epochs("A1")) <= 1)
      #expect(try epochs("mutual") == epochs("sam"))
      // What A4 does not spend on fine-tuning goes to the autoencoder.
      #expect(try epochs("A4") > run.configuration.conversion.epochs)
    }
  }

  /// An epoch of the decoder alone passes through the encoder, and costs two thirds of an epoch less.
  @Test func aHeadStartOfTheDecoderCostsLess() throws {
    var configuration = try ExperimentConfiguration.preset("ablation")
    var plain = 0.0
    try withRun(configuration) { run, _ in plain = try #require(run.budget) }
    configuration.conversion.decoderHeadStart = 0.5
    try withRun(configuration) { run, plan in
      let waiting = try #require(run.budget)
      #expect(abs(plain - waiting - 10 * 0.5 * 2 / 3) < 1e-9)
      for id in ["A2", "A3", "A4", "A9"] {
        let planned = try plan(.named(id))
        #expect(planned.budget.isEqual(to: waiting), "\(id): \(planned.budget.total) of \(waiting)")
      }
    }
  }

  @Test func budgetsCountMultiplyAdds() {
    let budget = TrainingBudget(multiplyAdds: 100, images: 10).training("a", 6).forward("b")
      .converting("c", 10, encoder: 100, decoder: 7)
    #expect(abs(budget.total - (6 + 1.0 / 3 + 10.7)) < 1e-9)
    let multiplyAdds: Double = 6 * 3000 + 1000 + 10.7 * 3000
    #expect(budget.multiplyAdds == multiplyAdds)
    #expect(budget.isEqual(to: 17) && !budget.isEqual(to: 17.5))
  }

  @Test func armsAreNamedOrChanged() throws {
    let json = """
      {"seeds": [1, 2], "arms": ["A2", {"arm": "A2", "id": "sharp", "recipe": {"rho": 0.1}},
       {"arm": "A3", "id": "medoids", "conversion": {"target": "medoid"}},
       {"arm": "A2", "id": "taught", "recipe": {"distillation": {"temperature": 2}}},
       {"arm": "A1", "id": "mixed", "recipe": {"mixing": {"cutMix": {"alpha": 0.5}}}, "learningRate": 0.2}]}
      """
    let c = try ExperimentConfiguration.decoded(from: Data(json.utf8))
    #expect(c.seeds == [1, 2] && c.arms.map(\.id) == ["A2", "sharp", "medoids", "taught", "mixed"])
    #expect(c.arms[1].recipe.rho == 0.1 && c.arms[1].start == .baseline)
    #expect(c.arms[2].conversion?.target == .medoid && c.arms[2].conversion?.clusters == .found)
    #expect(c.arms[3].recipe.distillation?.temperature == 2 && c.arms[3].recipe.distillation?.teacher == .baseline)
    #expect(c.arms[4].recipe.mixing == .cutMix(alpha: 0.5) && c.arms[4].learningRate == 0.2)
    // What a run writes is read as it was.
    #expect(try ExperimentConfiguration.decoded(from: JSONEncoder().encode(c)) == c)
    for (wrong, problem) in [
      (#"{"arms": ["A99"]}"#, "there is no arm 'A99'"), (#"{"arms": [3]}"#, "arms.0"),
      (#"{"arms": [{"id": "x"}]}"#, "which 'arm'"), (#"{"arms": ["A2", "A2"]}"#, "two arms"),
      (#"{"arms": [{"arm": "A2", "recipe": {"rhoo": 1}}]}"#, "'arms.0.recipe.rhoo' is no setting"),
      (#"{"arms": [{"arm": "A2", "id": "../x"}]}"#, "is not made of"), (#"{"arms": []}"#, "no arms"),
      (#"{"seeds": []}"#, "seeds"), (#"{"seeds": [1, 1]}"#, "seeds"),
      (#"{"arms": [{"arm": "A3", "architecture": "squeezeExcitation"}]}"#, "cannot take over"),
    ] {
      let error = #expect(throws: ExperimentError.self) { try ExperimentConfiguration.decoded(from: Data(wrong.utf8)) }
      #expect(error?.description.contains(problem) == true, "\(wrong): \(error?.description ?? "")")
    }
  }

  @Test func presetsAreSound() throws {
    for preset in ExperimentConfiguration.presets {
      try preset.configuration.check()
      try preset.configuration.modelChoice.check()
      #expect(preset.configuration.seeds.count >= 3)
    }
    #expect(throws: ExperimentError.self) { try ExperimentConfiguration.preset("fast") }
  }
}
