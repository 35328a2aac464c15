import TestSupport
import Testing

@testable import Layers

/// torchvision's MobileNetV2; `Scripts/fixtures_torchvision.py` draws the same weights as these tests.
struct MobileNetV2Tests {
  struct Fixture: Decodable {
    struct Run: Decodable {
      let width: Double
      let seed: UInt64
      let shapes: [String: [Int]]
      let logits: Numbers
    }
    let images: [Scalar]
    let shape: [Int]
    let runs: [Run]
  }

  /// With torchvision's strides, whatever the size of the images.
  private func network(_ width: Double) -> MobileNetV2 {
    var g = generator()
    return MobileNetV2(classes: 100, widthMultiplier: width, halvings: 5, using: &g)
  }

  @Test func itsLogitsAreTorchvisions() throws {
    let fixture: Fixture = try fixture("mobilenetv2", in: .module)
    #expect(fixture.runs.count == 2)
    for run in fixture.runs {
      let model = network(run.width)
      try model.assignSeededWeights(run.seed)
      model.evaluate()
      let images = Tensor(fixture.images, shape: Shape(fixture.shape)) / 255
      let (expected, tolerance): (Tensor, Scalar) = (run.logits.tensor, 1e-4)
      let largest = abs(expected).max().item
      for (form, logits) in [("as trained", model(images)), ("folded", try model.optimizedForInference()(images))] {
        let error = abs(logits - expected).max().item / largest
        #expect(error < tolerance, "width \(run.width), \(form): off by \(error) of the largest logit, \(largest)")
      }
    }
  }

  @Test func itsStateHasTorchvisionsNamesAndShapes() throws {
    let fixture: Fixture = try fixture("mobilenetv2", in: .module)
    for run in fixture.runs {
      #expect(network(run.width).everything.mapValues(\.shape.dimensions) == run.shapes, "width \(run.width)")
    }
  }

  /// As torchvision publishes them, for images of 224 by 224.
  @Test func itsParametersAndMultiplyAddsAreThePublishedOnes() {
    var g = generator()
    let model = MobileNetV2(classes: 1000, inputShape: [224, 224, 3], using: &g)
    #expect(model.parameterCount == 3_504_872)
    let summary = ModelSummary(of: model, input: [224, 224, 3])
    #expect(abs(Double(summary.multiplyAdds) / 0.3008e9 - 1) < 1e-3, "\(summary.multiplyAdds)")
  }

  @Test(arguments: [([32, 32, 3], 4), ([63, 40, 1], 5), ([64, 64, 3], 4), ([96, 96, 3], 6), ([224, 224, 3], 7)])
  func itHalvesLargerImagesMoreOften(shape: [Int], last: Int) {
    var g = generator()
    let model = MobileNetV2(classes: 3, inputShape: Shape(shape), widthMultiplier: 0.1, using: &g)
    #expect(LayerTrace.run(model.features, on: Shape(shape)).output[2] == last)
    #expect(model.splits.first == "features.0" && model.splits.suffix(2) == ["features.18", "pool"])
  }

  @Test func itBeginsWithTorchvisionsRandomWeights() throws {
    let model = network(1)
    let depthwise = try #require(model.everything["features.3.conv.1.0.weight"])
    let deviation = square(depthwise).mean().item.squareRoot()
    #expect(abs(deviation - (2 / Scalar(depthwise.count)).squareRoot()) < 0.1 * deviation)
    #expect(model.everything["classifier.1.bias"]?.scalars.allSatisfy { $0 == 0 } == true)
  }
}
