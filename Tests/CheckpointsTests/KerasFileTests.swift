import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// The fixtures are Keras' own, with what Keras itself makes of some images; see `Scripts/fixtures_keras.py`.
struct KerasFileTests {
  private static let trait: Comment = "built without the trait HDF5"

  private func deep(classes: Int = 3) -> Sequential {
    var g = SplittableGenerator(seed: 0)
    let middle: [any Layer] = (0..<9).map { _ in Conv2d(3, 3, kernelSize: 1, using: &g) }
    return Sequential(
      [Conv2d(2, 3, kernelSize: 3, padding: 1, bias: false, using: &g), BatchNorm2d(3), ReLU()] + middle
        + [
          Conv2d(3, 4, kernelSize: 1, using: &g), MaxPool2d(2), Flatten(), Linear(36, 5, using: &g), ReLU(),
          Linear(5, classes, using: &g),
        ])
  }

  private func nested(bias: Bool) -> Sequential {
    var g = SplittableGenerator(seed: 0)
    return Sequential([
      Conv2d(2, 3, kernelSize: 3, padding: 1, bias: bias, using: &g), BatchNorm2d(3), ReLU(),
      Conv2d(3, 4, kernelSize: 3, bias: bias, using: &g), BatchNorm2d(4), GlobalAveragePool(), Linear(4, 3, using: &g),
    ])
  }

  /// How far the model is from what Keras says, beside the largest of that.
  private func error(of model: Sequential, _ file: String, _ outputs: String, epsilon: Scalar = 1e-3) throws -> Double {
    try model.load(try KerasFile.state(from: try fixture(file, in: .module), for: model, epsilon: epsilon))
    let known = try NumPy.loadArchive(try fixture("keras-outputs.npz", in: .module))
    let (found, wanted) = (model.evaluating { model(known["images"]!) }.scalars, known[outputs]!.scalars)
    #expect(found.count == wanted.count)
    return Double(zip(found, wanted).map { abs($0 - $1) }.max()! / wanted.map(abs).max()!)
  }

  @Test(.enabled(if: KerasFile.isReadable, trait))
  func modelsGiveWhatKerasGives() throws {
    #expect(try error(of: deep(), "keras.weights.h5", "deep") < 1e-5)
    // With the model's epsilon the outputs would be others.
    #expect(try error(of: nested(bias: true), "keras-model.h5", "nested", epsilon: 1e-5) > 0.01)
    for file in ["keras-model.h5", "keras-tensorflow.h5"] {
      for bias in [true, false] { #expect(try error(of: nested(bias: bias), file, "nested") < 1e-5, "\(file) \(bias)") }
    }
  }

  @Test(.enabled(if: KerasFile.isReadable, trait))
  func whatDoesNotFitIsNamed() throws {
    func expect(_ says: String, _ file: String, _ model: Sequential) throws {
      let url = try fixture(file, in: .module)
      let error = #expect(throws: CheckpointError.self) { try KerasFile.state(from: url, for: model) }
      #expect(error?.file == url.path && error?.problem.contains(says) == true, "\(says): \(String(describing: error))")
    }
    try expect(
      "'/layers/dense_1/vars/0' has shape [5, 3], '17.weight' wants [5, 4]", "keras.weights.h5", deep(classes: 4))
    var g = SplittableGenerator(seed: 0)
    let first = Conv2d(2, 3, kernelSize: 3, padding: 1, using: &g)
    let second = Conv2d(3, 4, kernelSize: 3, using: &g)
    try expect(
      "has no convolution for '2'", "keras-model.h5",
      Sequential([first, second, Conv2d(4, 4, kernelSize: 1, using: &g)]))
    try expect(
      "has 1 more batch norms than the model, 'sequential/batch_normalization_1' the first", "keras-model.h5",
      Sequential([
        first, BatchNorm2d(3), second, GlobalAveragePool(), Linear(4, 3, using: &g),
      ]))
    let bare = Conv2d(2, 3, kernelSize: 3, bias: false, using: &g)
    try expect("has a bias, '0' has none and no norm after it", "keras-model.h5", Sequential([bare]))
    try expect(
      "it is not known how they were flattened", "keras-model.h5", Sequential([Flatten(), Linear(4, 3, using: &g)]))
    try expect("is no HDF5 file", "arrays.npz", Sequential([first]))
  }

  @Test(.enabled(if: KerasFile.isReadable, trait))
  func damagedFilesAreRefusedOrRead() throws {
    let whole = [UInt8](try Data(contentsOf: try fixture("keras-model.h5", in: .module)))
    try withFolder { folder in
      let file = folder.appendingPathComponent("damaged.h5")
      for length in stride(from: 8, to: whole.count, by: 499) {
        try Data(whole.prefix(length)).write(to: file)
        #expect(throws: CheckpointError.self) { try KerasFile.state(from: file, for: nested(bias: false)) }
      }
      let name = Array("layer_names".utf8)
      var renamed = whole
      let place = try #require(whole.indices.first { whole[$0...].starts(with: name) })
      renamed[place] = UInt8(ascii: "p")
      try Data(renamed).write(to: file)
      let error = #expect(throws: CheckpointError.self) { try KerasFile.state(from: file, for: nested(bias: false)) }
      #expect(
        error?.problem.contains("has neither 'layer_names' nor a group 'layers'") == true,
        "\(String(describing: error))")
    }
  }

  @Test func filesOfHDF5AreKnownWithoutTheirLibrary() throws {
    let file = try fixture("keras-model.h5", in: .module)
    #expect(try KerasFile.recognizes(file) && !KerasFile.recognizes(fixture("arrays.npz", in: .module)))
    let error = #expect(throws: CheckpointError.self) { try loadState(from: file) }
    #expect(error?.problem.contains("is an HDF5 file: Keras' weights are read ") == true)
    if !KerasFile.isReadable {
      let error = #expect(throws: CheckpointError.self) { try KerasFile.state(from: file, for: nested(bias: true)) }
      #expect(error?.problem.contains("--traits HDF5") == true)
    }
  }
}
