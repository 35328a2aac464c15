import Foundation
import Reports
import TestSupport
import Testing

@testable import EncodeNetCLI

/// Images of any size and layout, from training to prediction.
struct PreparationTests {
  private static let choice = ModelChoice("resnet8", widthMultiplier: 0.25)

  /// Pictures of several sizes and formats, dark or light on one side.
  private func write(_ folder: URL) throws {
    for (label, name) in ["left", "right"].enumerated() {
      for index in 0..<6 {
        let (height, width) = (14 + 5 * index, 40 - 4 * index)
        let pixels = (0..<height * width).flatMap { place -> [UInt8] in
          let isLight = (place % width < width / 2) == (label == 0)
          return [isLight ? 230 : 20, UInt8(10 * index), isLight ? 200 : UInt8(place % 90)]
        }
        let image = DecodedImage(pixels: pixels, shape: [height, width, 3])
        let file = folder.appendingPathComponent("\(name)/deep/\(index).dat")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let ppm = Array("P6 \(width) \(height) 255\n".utf8) + pixels
        try Data(index % 2 == 0 ? image.png() : ppm).write(to: file)
      }
    }
  }

  private func weights(_ preparation: ImagePreparation?, side: Int, classes: [String], to file: URL) throws
    -> ChosenModel
  {
    var g = SplittableGenerator(seed: 3)
    let network = try Self.choice.make(classes: classes.count, inputShape: [side, side, 3], using: &g)
    try SavedClassifier(
      model: Self.choice, imageShape: [side, side, 3], classNames: classes,
      normalization: Normalization(mean: [0.4, 0.5, 0.6], deviation: [0.2, 0.3, 0.25]), preparation: preparation
    ).save(network, to: file)
    return network
  }

  @Test func trainingSaysHowImagesArePreparedAndPredictionDoesTheSame() throws {
    try withFolder { folder in
      let data = folder.appendingPathComponent("data")
      try write(data)
      let run = try Command(
        "train", "--data", "folder:\(data.path)", "--model", "resnet8", "--width", "0.25", "--epochs", "1",
        "--image-size", "12", "--fit", "pad", "--ignore-orientation", "--batch-size", "4", "--force", "--out",
        folder.path("out"))
      #expect(run.code == 0, "\(run.all)")
      let first = run.errors.split(separator: "\n").first ?? ""
      #expect(
        first.contains("12 by 12 pixels, scaled to lie within, on black (--image-size, --fit); resnet8"), "\(run.all)")
      let file = folder.appendingPathComponent("out/seed-0/A0.safetensors")
      let saved = try #require(try SavedClassifier.read(from: file))
      let preparation = ImagePreparation(size: ImageSize(12), fit: .pad, appliesOrientation: false)
      #expect(saved.preparation == preparation && saved.imageShape == [12, 12, 3])

      // The numbers of 'predict' are those of the network on the images as they were trained on.
      let images = try ImageFolder.load(data, ImageOptions(preparation))
      let network = try saved.load(file)
      let batch = Batches(of: images.test, size: 4, normalization: saved.normalization).epoch(0).first { _ in true }!
      let wanted = softmax(network.evaluating { network(batch.images) })
      let predicted = try Command(
        "predict", "--weights", file.path, "--format", "jsonl", "--quiet", "--batch-size", "5", data.path)
      #expect(predicted.code == 0 && predicted.errors.isEmpty, "\(predicted.all)")
      let lines = try predicted.output.split(separator: "\n").map {
        try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      }
      #expect(lines.count == 12 && lines[0].path == "\(data.path)/left/deep/0.dat")
      for row in 0..<batch.labels.count {
        let probability = Double(wanted.scalars[row * 2])
        #expect(
          lines.contains { line in
            abs(line.classes.first { $0.class == "left" }!.probability - probability) < 2e-6
          }, "\(probability) is not in \(predicted.output)")
      }
      let evaluated = try Command("evaluate", "--weights", file.path, "--data", "folder:\(data.path)")
      #expect(
        evaluated.code == 0 && evaluated.errors.contains("12 by 12 pixels, scaled to lie within"), "\(evaluated.all)")
      let other = try Command("evaluate", "--weights", file.path, "--data", "folder:\(data.path)", "--image-size", "16")
      #expect(other.code == 1 && other.errors.contains("--image-size or --fit ask for others"), "\(other.all)")

      let onnx = folder.appendingPathComponent("x.onnx")
      #expect(try Command("export", "--weights", file.path, "--to", onnx.path).code == 0)
      let json = #"{"appliesOrientation":false,"decoding":"reduced","fit":"pad","size":12}"#
      #expect(try Data(contentsOf: onnx).firstRange(of: Data(json.utf8)) != nil)
    }
  }

  private struct Line: Decodable {
    struct Guess: Decodable {
      let `class`: String
      let probability: Double
    }
    let path: String
    let classes: [Guess]
  }

  /// A JPEG of 80 by 60 pixels, from the fixtures of `DatasetsTests`.
  private func photograph() throws -> Data {
    struct Picture: Decodable {
      let name: String
      let file: Data
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("DatasetsTests/Fixtures/reduced.json")
    let all = try JSONDecoder().decode([Picture].self, from: Data(contentsOf: file))
    return try #require(all.first { $0.name == "large enough for no less" }).file
  }

  @Test func decodingInFullTravelsWithTheWeights() throws {
    try withFolder { folder in
      for name in ["a/1", "a/2", "a/3", "b/1", "b/2", "b/3"] {
        let file = folder.appendingPathComponent("data/\(name).jpg")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try photograph().write(to: file)
      }
      for (options, decoding) in [([], ImagePreparation.Decoding.reduced), (["--full-decoding"], .full)] {
        let out = folder.path("out-\(decoding)")
        let run = try Command(
          [
            "train", "--data", "folder:\(folder.path("data"))", "--model", "resnet8", "--width", "0.25", "--epochs",
            "1",
          ]
            + ["--image-size", "8", "--batch-size", "2", "--force", "--out", out] + options)
        #expect(run.code == 0 && run.errors.contains("JPEGs decoded in full") == (decoding == .full), "\(run.all)")
        let file = URL(fileURLWithPath: out + "/seed-0/A0.safetensors")
        let saved = try #require(try SavedClassifier.read(from: file))
        #expect(saved.preparation == ImagePreparation(size: ImageSize(8), decoding: decoding))
        let predicted = try Command("predict", "--weights", file.path, folder.path("data/a/1.jpg"))
        #expect(
          predicted.code == 0 && predicted.errors.contains("decoded in full") == (decoding == .full), "\(predicted.all)"
        )
        // A baseline's way of reading holds for what begins with it, and the settings may say otherwise.
        let json = Data(#"{"images":{"decoding":"\#(decoding.rawValue)"}}"#.utf8)
        #expect(try ExperimentConfiguration.decoded(from: json).images.decoding == decoding)
      }
      // Weights that say nothing were trained on images that came as they are.
      _ = try weights(nil, side: 8, classes: ["a", "b"], to: folder.appendingPathComponent("w.safetensors"))
      let plain = try #require(try SavedClassifier.read(from: folder.appendingPathComponent("w.safetensors")))
      #expect(plain.imagePreparation.decoding == .full)
    }
  }

  @Test func predictWritesCSVAndSkipsWhatCannotBeRead() throws {
    try withFolder { folder in
      _ = try weights(nil, side: 8, classes: ["a, b", "c\"d"], to: folder.appendingPathComponent("w.safetensors"))
      try folder.image("in/1.png", [1, 2, 3])
      try folder.image("in/deep/2.png", [9], side: 20)
      try folder.image("in/._1.png", [9])
      let words = ["predict", "--weights", folder.path("w.safetensors"), "--format", "csv"]
      let file = folder.path("out.csv")
      let run = try Command(words + ["--out", file, "--top", "9", folder.path("in"), folder.path("in/1.png")])
      #expect(run.code == 0 && run.output.isEmpty, "\(run.all)")
      #expect(run.errors.contains("1 of kind 'hidden or system file'"), "\(run.all)")
      #expect(run.errors.contains("images of other sizes are prepared: 8 by 8 pixels"), "\(run.all)")
      let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 4 && lines[0] == "path,class1,probability1,class2,probability2,error")
      #expect(lines[1].hasPrefix("\(folder.path)/in/1.png,\"") && lines[1].contains("\"a, b\",0."), "\(lines)")
      #expect(lines[1].contains("\"c\"\"d\",0.") && lines[1].hasSuffix(",") && lines[3] == lines[1], "\(lines)")
      #expect(!FileManager.default.fileExists(atPath: file + ".partial"))

      try Data(Array("GIF89a".utf8)).write(to: folder.appendingPathComponent("in/3.gif"))
      let refused = try Command(words + [folder.path("in")])
      #expect(refused.code == 1 && refused.errors.contains("a GIF image, which is not read"), "\(refused.all)")
      let records = refused.output.split(separator: "\n")
      #expect(records.count == 4 && records[2].contains("/in/3.gif,,,,,\"a GIF image, which"), "\(refused.all)")
      let skipped = try Command(words + ["--skip-unreadable", folder.path("in")])
      #expect(skipped.code == 0 && skipped.output.split(separator: "\n").count == 3, "\(skipped.all)")
      #expect(skipped.errors.contains("left out: 1 file cannot be read: 1 of kind 'GIF image'"), "\(skipped.all)")
      #expect(try Command("predict", "--weights", folder.path("w.safetensors"), folder.path("none")).code == 1)
      for wrong in [["--format", "xml"], ["--batch-size", "0"], ["--top", "0"]] {
        #expect(try Command(words + wrong + [folder.path("in")]).code == 64, "\(wrong)")
      }
    }
  }

  @Test func infoCountsWhatCannotBeReadAndDrawsASheet() throws {
    try withFolder { folder in
      let data = folder.appendingPathComponent("data")
      try write(data)
      try Data(Array("GIF89a".utf8)).write(to: data.appendingPathComponent("left/x.gif"))
      let run = try Command("info", "--data", "folder:\(data.path)", "--sheet", folder.path("sheet.png"))
      #expect(run.code == 0 && run.output.contains("cannot be read: 1\n"), "\(run.all)")
      #expect(run.output.contains("formats: 6 PNG, 6 PPM") && run.output.contains("6 sizes from "), "\(run.all)")
      #expect(run.output.contains("a row for each class: 1 left, 2 right"))
      let sheet = try DecodedImage(contentsOf: folder.appendingPathComponent("sheet.png"))
      #expect(sheet.shape == [2 * 68 + 4, 10 * 68 + 4, 3])
      let train = try Command("train", "--data", "folder:\(data.path)", "--out", folder.path("out"))
      #expect(train.code == 1 && train.errors.contains("--skip-unreadable leaves it out"), "\(train.all)")
      #expect(try Command("info", "--sheet", "x.png").code == 64)
    }
  }

  @Test func optionsOfImagesAreReadAndRefused() throws {
    try withFolder { folder in
      for index in 0..<6 { try folder.image("\(index).png", [UInt8(index), 3, 4]) }
      let list = "path,label\n" + (0..<6).map { "\($0).png,\($0 % 2)\n" }.joined()
      try Data(list.utf8).write(to: folder.appendingPathComponent("l.csv"))
      let run = try Command("info", "--list", folder.path("l.csv"), "--image-size", "9x10")
      #expect(run.code == 0 && run.output.contains("l: 5 training images, 1 test images of [9, 10, 3]"), "\(run.all)")
      for wrong in [
        ["--list", folder.path("l.csv"), "--data", "digits"], ["--data", "digits", "--image-size", "0"],
        ["--data", "digits", "--fit", "crop"], ["--data", "digits", "--classes", "0"],
      ] { #expect(try Command(["info"] + wrong).code == 64, "\(wrong)") }
      let digits = try Command("info", "--data", "digits", "--image-size", "16")
      #expect(digits.output.contains("of [16, 16, 1]") && digits.output.contains("prepared: 16 by 16"), "\(digits.all)")
    }
  }

  @Test func theSizeOfConvertedImagesIsAnOption() throws {
    try withFolder { folder in
      let words = [
        "cluster", "--data", "digits", "--subset", "100", "--model", "lenet5", "--epochs", "1", "--force", "--clusters",
        "2",
        "--out", folder.path("out"),
      ]
      let run = try Command(words + ["--target-size", "4"])
      #expect(run.code == 0 && run.output.contains("clusters of 10 classes"), "\(run.all)")
      // Ten images a class, and clusters of fewer than twenty join others.
      #expect(run.errors.contains("10 of 10 classes have fewer than the 2 clusters asked for"), "\(run.all)")
      for wrong in ["0", "5000", "x"] {
        let refused = try Command(words + ["--target-size", wrong])
        #expect(refused.code == 64, "\(refused.all)")
      }
      let help = try Command("convert", "--help")
      #expect(help.output.contains("--target-size") && help.output.contains("at most 64"), "\(help.all)")
    }
  }
}
