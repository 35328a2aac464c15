import TestSupport
import Testing

@testable import Layers

/// torchvision's ResNets; `Scripts/fixtures_torchvision.py` draws the same weights as these tests, and keeps what torchvision makes of them.
struct ImageNetResNetTests {
  struct Fixture: Decodable {
    struct Run: Decodable {
      let depth: Int
      let seed: UInt64
      let logits: Numbers
    }
    let images: [Scalar]
    let shape: [Int]
    let names: [String: [String: [Int]]]
    let runs: [Run]
  }

  private func network(_ depth: Int) throws -> ImageNetResNet {
    var g = generator()
    let depth = try #require(ImageNetResNet.Depth(rawValue: depth))
    return ImageNetResNet(depth: depth, classes: 100, using: &g)
  }

  @Test(arguments: [18, 34, 50])
  func itsLogitsAreTorchvisions(depth: Int) throws {
    let fixture: Fixture = try fixture("imagenet-resnets", in: .module)
    let run = try #require(fixture.runs.first { $0.depth == depth })
    let model = try network(depth)
    try model.assignSeededWeights(run.seed)
    model.evaluate()
    let images = Tensor(fixture.images, shape: Shape(fixture.shape)) / 255
    let (expected, tolerance): (Tensor, Scalar) = (run.logits.tensor, 1e-4)
    let largest = abs(expected).max().item
    for (form, logits) in [("as trained", model(images)), ("folded", try model.optimizedForInference()(images))] {
      let error = abs(logits - expected).max().item / largest
      #expect(error < tolerance, "ResNet\(depth) \(form): off by \(error) of the largest logit, \(largest)")
    }
  }

  @Test(arguments: [18, 34, 50])
  func itsStateHasTorchvisionsNamesAndShapes(depth: Int) throws {
    let fixture: Fixture = try fixture("imagenet-resnets", in: .module)
    #expect(try network(depth).everything.mapValues(\.shape.dimensions) == fixture.names["\(depth)"])
  }

  /// As torchvision publishes them, for images of 224 by 224.
  @Test(arguments: [(18, 11_689_512, 1.814e9), (34, 21_797_672, 3.664e9), (50, 25_557_032, 4.089e9)])
  func itsParametersAndMultiplyAddsAreThePublishedOnes(depth: Int, parameters: Int, multiplyAdds: Double) throws {
    var g = generator()
    let depth = try #require(ImageNetResNet.Depth(rawValue: depth))
    let model = ImageNetResNet(depth: depth, classes: 1000, using: &g)
    #expect(model.parameterCount == parameters)
    let summary = ModelSummary(of: model, input: [224, 224, 3])
    #expect(abs(Double(summary.multiplyAdds) / multiplyAdds - 1) < 1e-3, "\(summary.multiplyAdds)")
    #expect(summary.rows.reduce(0) { $0 + $1.parameters } == parameters)
  }

  @Test func itEndsItsEncoderBeforePooling() {
    var g = generator()
    let model = ImageNetResNet(depth: .fifty, classes: 5, inputShape: [64, 48, 3], widthMultiplier: 0.25, using: &g)
    #expect(
      model.splits == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool"])
    model.evaluate()
    let x = Tensor.normal([2, 64, 48, 3], using: &g)
    #expect(model.features(x).shape == [2, 2, 2, 512])
    #expect(model.split(at: "layer2").features(x).shape == [2, 8, 6, 128])
    #expect(model.classifier(model.features(x)).scalars == model(x).scalars)
  }
}
