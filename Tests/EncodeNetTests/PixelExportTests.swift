import Foundation
import TestSupport
import Testing

@testable import Checkpoints
@testable import Experiments

/// That an exported network prepares pixels of any size itself.
@Suite struct PixelExportTests {
  private static let sizes = [
    // Wider, taller, smaller, larger, equal, of one pixel along a side, and with halves to round.
    (20, 90), (90, 20), (7, 9), (5, 40), (33, 77), (200, 150), (24, 16), (48, 32), (1, 50), (50, 1), (1, 1), (2, 300),
    (25, 16), (23, 16), (24, 17), (24, 15), (37, 25), (51, 35),
  ]

  /// Noise, which shows every wrong weight.
  private static func images(seed: UInt64 = 7) -> [DecodedImage] {
    var g = SplittableGenerator(seed: seed)
    return sizes.map { height, width in
      DecodedImage(
        pixels: (0..<height * width * 3).map { _ in UInt8.random(in: 0...255, using: &g) }, shape: [height, width, 3])
    }
  }

  private func classifier(_ channels: Int, _ fit: ImagePreparation.Fit) throws -> (SavedClassifier, ChosenModel) {
    var g = SplittableGenerator(seed: 3)
    let choice = ModelChoice("resnet8", widthMultiplier: 0.5)
    let saved = SavedClassifier(
      model: choice, imageShape: [24, 16, channels], classNames: ["a", "b, c", "d"],
      normalization: channels == 3
        ? Normalization(mean: [0.4, 0.5, 0.6], deviation: [0.2, 0.3, 0.25])
        : Normalization(mean: [0.4], deviation: [0.3]),
      preparation: ImagePreparation(size: ImageSize(height: 24, width: 16), fit: fit))
    let network = try choice.make(classes: 3, inputShape: saved.imageShape, using: &g)
    for _ in 0..<2 { _ = network(.normal([4, 24, 16, channels], using: &g) + 0.5) }
    return (saved, network)
  }

  @Test func theFormOfFloatsIsWithoutOperatorsOfPixels() throws {
    let (saved, network) = try classifier(3, .resize)
    func bytes(_ input: ONNX.Input, probabilities: Bool = false) throws -> Data {
      try Data(ONNX.encode(network, imageShape: saved.imageShape, input: input, probabilities: probabilities))
    }
    func has(_ data: Data, _ text: String) -> Bool { data.firstRange(of: Data(text.utf8)) != nil }
    let (floats, pixels) = (try bytes(.floats), try bytes(.pixels(.resize)))
    for name in ["Resize", "Cast", "Softmax", "height"] { #expect(!has(floats, name), "\(name)") }
    for name in ["Resize", "Cast", "antialias", "height"] { #expect(has(pixels, name), "\(name)") }
    #expect(try has(bytes(.floats, probabilities: true), "Softmax"))
    #expect(try bytes(.pixels(.pad)) != pixels && bytes(.pixels(.stretch)) != pixels)
  }

  @Test func whatTakesNoImagesCannotTakePixels() throws {
    for shape in [[4, 4, 4], [4, 4, 2], [5]] as [Shape] {
      let error = #expect(throws: CheckpointError.self) {
        try ONNX.encode(Sequential([ReLU()]), imageShape: shape, input: .pixels(.resize))
      }
      #expect(error?.description.contains("these have 1 or 3 channels") == true)
    }
    let (saved, _) = try classifier(3, .resize)
    var other = saved
    other.imageShape = [24, 16, 4]
    #expect(throws: DataError.self) { try other.tensor(of: Self.images()) }
  }

  @Test(arguments: [1, 3], ImagePreparation.Fit.allCases)
  func imagesOfAnySizeBecomeWhatTheNetworkWasTrainedOn(channels: Int, fit: ImagePreparation.Fit) throws {
    let (saved, _) = try classifier(channels, fit)
    let images = Self.images()
    let x = try saved.tensor(of: images)
    #expect(x.shape == [images.count, 24, 16, channels])
    // As a training set of such images has them, to the bit.
    let prepared = images.map { channels == 3 ? saved.imagePreparation($0) : saved.imagePreparation($0).inGrey }
    let set = try LabeledImages(
      name: "x", pixels: prepared.flatMap(\.pixels), labels: images.map { _ in 0 }, imageShape: saved.imageShape,
      classNames: saved.classNames)
    let wanted = set.tensor(at: Array(images.indices), normalization: saved.normalization)
    #expect(x.scalars == wanted.scalars)
  }

  // MARK: ONNX Runtime

  /// Writes the images' bytes for Python.
  private func write(_ images: [DecodedImage], to folder: URL) throws {
    for (index, image) in images.enumerated() {
      try Data(image.png()).write(to: folder.appendingPathComponent("\(index).png"))
    }
  }
  private static let opening = """
    import json, numpy, onnx, onnxruntime
    from PIL import Image
    def image(index): return numpy.array(Image.open(f"{index}.png").convert("RGB"))[None]
    """

  @Test(
    .enabled(if: Python.path != nil, "ENCODENET_PYTHON names no Python with onnx, onnxruntime and Pillow"),
    arguments: [1, 3], ImagePreparation.Fit.allCases)
  func onnxRuntimePreparesPixelsAsWeDo(channels: Int, fit: ImagePreparation.Fit) throws {
    let images = Self.images()
    try withFolder { folder in
      try write(images, to: folder)
      // A network that gives what it gets.
      try ONNX.save(
        Sequential([Flatten()]), imageShape: [24, 16, channels], input: .pixels(ONNX.Fit(rawValue: fit.rawValue)!),
        to: folder.appendingPathComponent("pixels.onnx"))
      let preparation = ImagePreparation(size: ImageSize(height: 24, width: 16), fit: fit)
      let wanted = images.map { image -> Tensor in
        let prepared = channels == 3 ? preparation(image) : preparation(image).inGrey
        return Tensor(prepared.pixels.map { Scalar($0) }, shape: [24, 16, channels])
      }
      let state = StateDictionary(uniqueKeysWithValues: wanted.enumerated().map { ("x\($0)", $1) })
      try NumPy.save(state, to: folder.appendingPathComponent("wanted.npz"))
      let found = try Python.run(
        Self.opening + """

          onnx.checker.check_model("pixels.onnx", full_check=True)
          session = onnxruntime.InferenceSession("pixels.onnx")
          wanted = numpy.load("wanted.npz")
          worst, unequal, count = 0, 0, 0
          for index in range(\(images.count)):
              levels = 255 * session.run(None, {"images": image(index)})[0].reshape(\(channels), 24, 16).transpose(1, 2, 0)
              difference = abs(levels - wanted[f"x{index}"])
              assert difference.max() < 1.01, (index, image(index).shape, difference.max())
              worst = max(worst, difference.max())
              unequal += (difference > 0.5).sum()
              count += difference.size
          batch = numpy.concatenate([image(0), image(0)[:, ::-1]])
          both = session.run(None, {"images": batch})[0]
          assert (both[0] == session.run(None, {"images": image(0)})[0][0]).all() and (both[0] != both[1]).any()
          print(json.dumps([float(worst), int(unequal), int(count)]))
          """, in: folder)
      let figures = try JSONDecoder().decode([Double].self, from: Data(found.utf8))
      // By a level, and in few values.
      #expect(figures[0] < 1.01 && figures[1] <= 0.01 * figures[2], "\(figures)")
    }
  }

  @Test(
    .enabled(if: Python.path != nil, "ENCODENET_PYTHON names no Python with onnx, onnxruntime and Pillow"),
    arguments: [1, 3], ImagePreparation.Fit.allCases)
  func onnxRuntimeGivesOurProbabilitiesForPixels(channels: Int, fit: ImagePreparation.Fit) throws {
    let (saved, network) = try classifier(channels, fit)
    let images = Self.images()
    try withFolder { folder in
      try write(images, to: folder)
      try saved.saveONNX(network, takesPixels: true, to: folder.appendingPathComponent("logits.onnx"))
      try saved.saveONNX(
        network, takesPixels: true, givesProbabilities: true, to: folder.appendingPathComponent("shares.onnx"))
      let x = try saved.tensor(of: images)
      let logits = network.evaluating { network(x) }
      try NumPy.save(
        ["logits": logits, "shares": softmax(logits)], to: folder.appendingPathComponent("wanted.npz"))
      try Python.run(
        Self.opening + """

          wanted = numpy.load("wanted.npz")
          for name, output in [("logits", "logits"), ("shares", "probabilities")]:
              onnx.checker.check_model(name + ".onnx", full_check=True)
              session = onnxruntime.InferenceSession(name + ".onnx")
              assert session.get_outputs()[0].name == output
              about = session.get_modelmeta().custom_metadata_map
              assert about["classes"].split("\\n") == ["a", "b, c", "d"] and about["model"] == "resnet8", about
              assert json.loads(about["preparation"])["fit"] == "\(fit)", about
              for index in range(\(images.count)):
                  difference = abs(session.run(None, {"images": image(index)})[0][0] - wanted[name][index]).max()
                  # A level of 255 in some values.
                  assert difference < 0.01 * max(1, abs(wanted["logits"]).max()), (name, index, difference)
          """, in: folder)
    }
  }

  @Test(.enabled(if: Python.path != nil, "ENCODENET_PYTHON names no Python with onnx, onnxruntime and Pillow"))
  func everyNetworkIsWrittenForPixels() throws {
    var g = SplittableGenerator(seed: 5)
    let images = Self.images()
    try withFolder { folder in
      try write(images, to: folder)
      var (wanted, names): (StateDictionary, [String]) = ([:], [])
      let choices =
        [ModelChoice("vgg16", widthMultiplier: 0.1), ModelChoice("resnet18", widthMultiplier: 0.1)]
        + BlockVariation.allCases.filter { $0 != .asymmetricBranches }.map {
          ModelChoice("resnet8", widthMultiplier: 0.5, variation: $0)
        }
      for choice in choices {
        let network = try choice.make(classes: 3, inputShape: [32, 32, 3], using: &g)
        for _ in 0..<2 { _ = network(.normal([4, 32, 32, 3], using: &g)) }
        let saved = SavedClassifier(
          model: choice, imageShape: [32, 32, 3], classNames: ["a", "b", "c"],
          normalization: Normalization(mean: [0.5], deviation: [0.25]))
        names.append("\(choice)-\(choice.variation)")
        try saved.saveONNX(network, takesPixels: true, to: folder.appendingPathComponent("\(names.last!).onnx"))
        let x = try saved.tensor(of: images)
        wanted[names.last!] = network.evaluating { network(x) }
      }
      try NumPy.save(wanted, to: folder.appendingPathComponent("wanted.npz"))
      try Python.run(
        Self.opening + """

          wanted = numpy.load("wanted.npz")
          for name in wanted.files:
              onnx.checker.check_model(name + ".onnx", full_check=True)
              session = onnxruntime.InferenceSession(name + ".onnx")
              for index in range(\(images.count)):
                  difference = abs(session.run(None, {"images": image(index)})[0][0] - wanted[name][index]).max()
                  assert difference < 0.02 * max(1, abs(wanted[name]).max()), (name, index, difference)
          assert len(wanted.files) == \(choices.count)
          """, in: folder)
    }
  }
}
