import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments

struct ModelChoiceTests {
  private func network(_ choice: ModelChoice, _ shape: Shape = [32, 32, 3]) throws -> ChosenModel {
    var generator = SplittableGenerator(seed: 0)
    return try choice.make(classes: 10, inputShape: shape, using: &generator)
  }

  @Test(arguments: [
    ("resnet18", 11_181_642), ("resnet34", 21_289_802), ("resnet50", 23_528_522), ("resnet50-cifar", 755_802),
    ("ResNet20", 269_722), ("resnet20-cifar", 269_722),
  ])
  func namesSayWhichResNetItIs(name: String, parameters: Int) throws {
    let choice = ModelChoice(name)
    #expect(try network(choice).parameterCount == parameters)
    #expect(choice.family == "resnet" && choice.learningRate(batchSize: 128) == 0.1)
    #expect(choice.hasShortcuts == (parameters < 1_000_000))
  }

  @Test(arguments: [
    "resnet18-cifar", "resnet21", "resnet101", "resnet-cifar", "resnet", "resnet 18", "resnet50-imagenet",
  ])
  func otherDepthsAreNone(name: String) {
    let error = #expect(throws: ExperimentError.self) { try ModelChoice(name).check() }
    #expect(
      error?.description.contains("6n+2") == true && error?.description.contains("18, 34 or 50") == true, "\(error!)")
  }

  @Test func imageNetsHaveAttentionAndNoBranches() throws {
    for name in ["resnet18", "resnet50"] {
      let attended = ModelChoice(name, widthMultiplier: 0.1, variation: .squeezeExcitation)
      let names = try network(attended).namedParameters.map(\.name)
      #expect(names.contains { $0.hasPrefix("layer1.0.attention.") })
      #expect(throws: ExperimentError.self) { try ModelChoice(name, variation: .asymmetricBranches).check() }
    }
  }

  @Test func aMobileNetFitsTheSizeOfItsImages() throws {
    let choice = ModelChoice("MobileNetV2")
    #expect(choice.family == "mobilenetv2" && !choice.hasShortcuts)
    for (side, last) in [(32, 4), (96, 6), (224, 7)] {
      let model = try network(choice, [side, side, 3])
      #expect(model.parameterCount == 2_236_682)
      #expect(ModelSummary(of: model.features, input: [side, side, 3]).rows.last?.output == [1, last, last, 1280])
    }
    let error = #expect(throws: ExperimentError.self) {
      try ModelChoice("mobilenetv2", variation: .squeezeExcitation).check()
    }
    #expect(error?.description.contains("no blocks to vary") == true)
  }

  @Test func weightsAreKnownByTheirNames() throws {
    for name in ["resnet18", "resnet50", "resnet50-cifar", "mobilenetv2"] {
      let state = try network(ModelChoice(name)).stateDictionary
      #expect(ModelChoice.fitting(state, classes: 10, inputShape: [32, 32, 3]).map(\.name) == [name])
    }
  }

  @Test func aResNet50OfAnEarlierVersionIsThatForCIFAR() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("weights.safetensors")
      for (saved, read) in [("resnet50-cifar", "resnet50-cifar"), ("resnet50", "resnet50")] {
        let model = ModelChoice(saved, widthMultiplier: 0.25)
        var description = SavedClassifier(
          model: model, imageShape: [32, 32, 3], classNames: (0..<10).map(String.init),
          normalization: Normalization(mean: [0.5], deviation: [0.5]))
        // As it was written before there was another.
        description.model.name = "resnet50"
        try description.save(try network(model), to: url)
        let found = try #require(try SavedClassifier.read(from: url))
        #expect(found.model.name == read)
        let (loaded, wanted) = (try found.load(url), try network(model))
        #expect(loaded.parameterCount == wanted.parameterCount)
      }
    }
  }

  @Test func itsEncoderEndsBeforePooling() throws {
    let model = try network(ModelChoice("resnet50", widthMultiplier: 0.1), [64, 64, 3])
    #expect(model.defaultSplit == "layer4" && model.splits.last == "avgpool")
    model.evaluate()
    #expect(model.features(.ones([1, 64, 64, 3])).shape == [1, 2, 2, 208])
  }
}
