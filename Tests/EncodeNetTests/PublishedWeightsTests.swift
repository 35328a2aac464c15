import Foundation
import Reports
import TestSupport
import Testing

@testable import Experiments

@Suite(.enabled(if: PublishedData.folder != nil, "set ENCODENET_DATA to the folder with the published data"))
struct PublishedWeightsTests {
  private static let test = Result { try CIFAR.ten.load(PublishedData.unpacked("cifar10")).test }

  /// Forward pass, batch norm, option-A shortcut, importer, layouts and loader, all against the world at once.
  @Test(arguments: ["akamaster-resnet20-cifar10.th", "akamaster-resnet20-cifar10.safetensors"])
  func theKnownResNet20IsAsRightAsItsAuthorSays(file: String) throws {
    let folder = try #require(PublishedData.folder)
    let test = try Self.test.get()
    var generator = SplittableGenerator(seed: 0)
    let model = ResNet(depth: 20, classes: 10, shortcut: .identity, using: &generator)
    try model.load(from: folder.appendingPathComponent("weights/\(file)"))
    let batches = Batches(
      of: test, size: 200,
      normalization: Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]))
    let evaluation = try evaluate(model, on: batches.epoch(0))
    #expect(evaluation.count == 10_000)
    #expect(abs(evaluation.correct - 9173) <= 3, "\(evaluation.correct) of 10,000 right, published are 91.73 %")
  }
}
