import Foundation
import Testing

@testable import EncodeNet

@Suite struct PlanTests {
  private func plan(_ configuration: ExperimentConfiguration) -> ExperimentPlan {
    // ResNet20 and its autoencoder on images of 32 by 32.
    ExperimentPlan(
      configuration: configuration, images: 9000,
      costs: .init(
        classifier: 40_552_064, encoder: 40_551_424, decoder: 3_100_672, architecture: { _ in 40_600_000 },
        teacher: { teacher in
          switch teacher {
          case .baseline: 40_552_064
          case .model: 125_000_000
          case .weights, .peer, .nobody: nil
          }
        }))
  }

  @Test func everyArmOfThePaperCostsTheSameButTheBaseline() throws {
    let plan = plan(try .preset("ablation"))
    #expect(abs(plan.total - 60.1) < 0.2, "\(plan.total)")
    for arm in Arm.standard where !arm.isBaseline {
      let planned = try plan.plan(arm)
      if case .model = arm.recipe.teaching?.teacher {
        #expect(!planned.budget.isEqual(to: plan.total), "\(arm.id): a larger teacher's training is counted")
        continue
      }
      if arm.conversion?.trainsEncoder == false {
        // The decoder's sake: as many epochs as A4, which cost less where the encoder is only passed through.
        #expect(try planned.conversionEpochs == plan.plan(.named("A4")).conversionEpochs)
        #expect(planned.budget.total < plan.total - 10)
        continue
      }
      #expect(planned.budget.isEqual(to: plan.total), "\(arm.id) costs \(planned.budget.total), not \(plan.total)")
      #expect(arm.transfer == .frozenEncoder || planned.epochs > 0)
    }
    #expect(try plan.plan(.named("A0")).budget.total == 30)
    #expect(try plan.plan(.named("A1")).epochs > plan.plan(.named("A2")).epochs)
    // Sharpness-aware steps cost two, and those beside a peer too.
    let (one, aware) = (try plan.plan(.named("A1")).epochs, try plan.plan(.named("sam")).epochs)
    #expect(abs(2 * aware - one) <= 1)
    #expect(try plan.plan(.named("mutual")).epochs == aware)
    // What A4 does not spend on fine-tuning goes to the autoencoder.
    #expect(try plan.plan(.named("A4")).conversionEpochs > plan.plan(.named("A3")).conversionEpochs)
  }

  /// An epoch of the decoder alone passes through the encoder, and costs two thirds of an epoch less.
  @Test func aHeadStartOfTheDecoderCostsLess() throws {
    var configuration = try ExperimentConfiguration.preset("ablation")
    let plain = plan(configuration)
    configuration.conversion.decoderHeadStart = 0.5
    let waiting = plan(configuration)
    #expect(abs(plain.total - waiting.total - 10 * 0.5 * 2 / 3) < 1e-9)
    for id in ["A2", "A3", "A4", "A9"] {
      let planned = try waiting.plan(.named(id))
      #expect(planned.budget.isEqual(to: waiting.total), "\(id): \(planned.budget.total) of \(waiting.total)")
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
      {"seeds": [1, 2], "arms": ["A2", {"arm": "A2", "id": "sharp", "recipe": {"sharpness": 0.1}},
       {"arm": "A3", "id": "medoids", "conversion": {"target": "medoid"}},
       {"arm": "A2", "id": "taught", "recipe": {"teaching": {"temperature": 2}}},
       {"arm": "A1", "id": "mixed", "recipe": {"mixing": {"cutMix": {"alpha": 0.5}}}, "learningRate": 0.2}]}
      """
    let c = try ExperimentConfiguration.decoded(from: Data(json.utf8))
    #expect(c.seeds == [1, 2] && c.arms.map(\.id) == ["A2", "sharp", "medoids", "taught", "mixed"])
    #expect(c.arms[1].recipe.sharpness == 0.1 && c.arms[1].start == .baseline)
    #expect(c.arms[2].conversion?.target == .medoid && c.arms[2].conversion?.clusters == .found)
    #expect(c.arms[3].recipe.teaching?.temperature == 2 && c.arms[3].recipe.teaching?.teacher == .baseline)
    #expect(c.arms[4].recipe.mixing == .cutMix(alpha: 0.5) && c.arms[4].learningRate == 0.2)
    // What a run writes is read as it was.
    #expect(try ExperimentConfiguration.decoded(from: JSONEncoder().encode(c)) == c)
    for (wrong, problem) in [
      (#"{"arms": ["A99"]}"#, "there is no arm 'A99'"), (#"{"arms": [3]}"#, "arms.0"),
      (#"{"arms": [{"id": "x"}]}"#, "which 'arm'"), (#"{"arms": ["A2", "A2"]}"#, "two arms"),
      (#"{"arms": [{"arm": "A2", "recipe": {"sharpnes": 1}}]}"#, "no setting 'arms.0.recipe.sharpnes'"),
      (#"{"arms": [{"arm": "A2", "id": "../x"}]}"#, "is not made of"), (#"{"arms": []}"#, "no arms"),
      (#"{"seeds": []}"#, "seeds"), (#"{"seeds": [1, 1]}"#, "seeds"),
      (#"{"arms": [{"arm": "A3", "architecture": "squeezeExcitation"}]}"#, "cannot take over"),
    ] {
      let error = #expect(throws: EncodeNetError.self) { try ExperimentConfiguration.decoded(from: Data(wrong.utf8)) }
      #expect(error?.description.contains(problem) == true, "\(wrong): \(error?.description ?? "")")
    }
  }

  @Test func presetsAreSound() throws {
    for preset in ExperimentConfiguration.presets {
      try preset.configuration.check()
      try preset.configuration.modelChoice.check()
      #expect(preset.configuration.seeds.count >= 3)
    }
    #expect(throws: EncodeNetError.self) { try ExperimentConfiguration.preset("fast") }
  }
}
