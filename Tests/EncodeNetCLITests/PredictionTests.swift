import Foundation
import Reports
import TestSupport
import Testing

@testable import EncodeNetCLI

/// Predictions of many files, and the same by another program.
struct PredictionTests {
  /// A classifier with random weights, in a file.
  private func weights(_ channels: Int = 3, in folder: URL) throws -> String {
    var g = SplittableGenerator(seed: 3)
    let choice = ModelChoice("resnet8", widthMultiplier: 0.25)
    let network = try choice.make(classes: 3, inputShape: [12, 12, channels], using: &g)
    for _ in 0..<2 { _ = network(.normal([4, 12, 12, channels], using: &g)) }
    let file = folder.appendingPathComponent("w.safetensors")
    try SavedClassifier(
      model: choice, imageShape: [12, 12, channels], classNames: ["one", "two", "three"],
      normalization: Normalization(mean: [0.4], deviation: [0.25]), preparation: ImagePreparation(size: ImageSize(12))
    ).save(network, to: file)
    return file.path
  }
  private func write(_ count: Int, _ folder: URL) throws {
    for index in 0..<count {
      try folder.image(
        "in/\(index / 100)/\(1000 + index).png", [UInt8(index % 256), UInt8(index / 7 % 256), 99], side: 9 + index % 8)
    }
  }

  private struct Record: Decodable {
    struct Guess: Decodable {
      let `class`: String
      let probability: Double
    }
    let path: String
    let classes: [Guess]?
    let error: String?
  }
  private func records(_ text: String) throws -> [Record] {
    try text.split(separator: "\n").map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
  }

  @Test func aFileThatCannotBeReadHasItsErrorInItsPlace() throws {
    try withFolder { folder in
      let weights = try weights(in: folder)
      try write(150, folder)
      // In the first batch, in another, and alone in the last.
      try Data("GIF89a".utf8).write(to: folder.appendingPathComponent("in/0/1003.png"))
      try Data().write(to: folder.appendingPathComponent("in/1/1120.png"))
      let cut = try Data(contentsOf: folder.appendingPathComponent("in/1/1149.png")).dropLast(20)
      try cut.write(to: folder.appendingPathComponent("in/1/1149.png"))
      try Data("words".utf8).write(to: folder.appendingPathComponent("in/1/notes.txt"))
      let words = ["predict", "--weights", weights, "--batch-size", "32"]
      let run = try Command(words + ["--format", "jsonl", folder.path("in")])
      #expect(run.code == 1, "\(run.all)")
      let found = try records(run.output)
      #expect(found.count == 150 && found.map(\.path) == found.map(\.path).sorted())
      let failed = found.filter { $0.error != nil }
      #expect(failed.map { String($0.path.suffix(8)) } == ["1003.png", "1120.png", "1149.png"])
      #expect(failed.allSatisfy { $0.classes == nil } && failed[1].error == "the file is empty", "\(failed)")
      #expect(found.allSatisfy { ($0.classes?.count ?? 3) == 3 && ($0.error == nil) == ($0.classes != nil) })
      let last = run.errors.split(separator: "\n").last ?? ""
      for says in ["3 files cannot be read", "GIF image", "empty file", "damaged PNG", "--skip-unreadable"] {
        #expect(last.contains(says), "\(run.errors)")
      }
      #expect(run.errors.contains("1 of kind '.txt file' (1/notes.txt)"), "\(run.errors)")

      // The others are what they are without them, whatever the batch.
      let skipped = try Command(
        "predict", "--weights", weights, "--format", "jsonl", "--skip-unreadable", folder.path("in"))
      #expect(skipped.code == 0 && skipped.errors.contains("left out: 3 files cannot be read"), "\(skipped.errors)")
      let others = found.filter { $0.error == nil }
      let again = try records(skipped.output)
      #expect(again.map(\.path) == others.map(\.path))
      for (a, b) in zip(again, others) {
        #expect(zip(a.classes!, b.classes!).allSatisfy { abs($0.probability - $1.probability) < 3e-6 }, "\(a) \(b)")
      }

      let csv = try Command(words + ["--format", "csv", "--top", "1", folder.path("in")])
      let lines = csv.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(csv.code == 1 && lines[0] == "path,class1,probability1,error" && lines.count == 152, "\(csv.all)")
      #expect(lines.contains { $0.hasSuffix("1120.png,,,the file is empty") })
      #expect(
        lines.dropFirst().dropLast().allSatisfy {
          $0.split(separator: ",", omittingEmptySubsequences: false).count >= 4
        })
      let table = try Command(words + [folder.path("in/1"), folder.path("none.png")])
      #expect(table.code == 1 && table.output.contains("1120.png   cannot be read: the file is empty\n"))
      #expect(table.output.contains(/none\.png +cannot be read: there is no such file\n/), "\(table.all)")
      // The columns stay where they are from batch to batch.
      let starts = Set(
        table.output.split(separator: "\n").filter { $0.contains(" %") }.map { line in
          line.distance(from: line.startIndex, to: line.range(of: "  ")!.upperBound)
        })
      #expect(starts.count == 1, "\(starts)")
    }
  }

  @Test func theFileToWriteIsCheckedFirst() throws {
    try withFolder { folder in
      let weights = try weights(in: folder)
      try write(40, folder)
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("empty"), withIntermediateDirectories: true)
      #expect(
        try Command("predict", "--weights", weights, folder.path("empty")).errors.contains("there are no images in it"))
      try Data("words".utf8).write(to: folder.appendingPathComponent("empty/notes.txt"))
      let none = try Command("predict", "--weights", weights, folder.path("empty"))
      #expect(none.code == 1 && none.errors.contains("empty: there are no images in it"), "\(none.all)")
      let run = try Command(
        "predict", "--weights", weights, "--format", "csv", "--batch-size", "4", "--out", folder.path("gone/x.csv"),
        folder.path("in"))
      #expect(run.code == 1 && run.errors.contains("gone/x.csv: cannot be written"), "\(run.all)")
      let device = try Command(
        "predict", "--weights", weights, "--format", "csv", "--out", "/dev/null", "--quiet", folder.path("in"))
      #expect(device.code == 0 && device.all == "exit code 0\n\n", "\(device.all)")
      #expect(
        try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType != .typeRegular)
    }
  }

  @Test func exportTakesPixelsWhereAsked() throws {
    try withFolder { folder in
      let weights = try weights(in: folder)
      func export(_ words: String...) throws -> Command {
        try Command(["export", "--weights", weights, "--to"] + words)
      }
      #expect(try export(folder.path("floats.onnx")).code == 0)
      #expect(try export(folder.path("pixels.onnx"), "--raw-pixels").code == 0)
      func has(_ name: String, _ text: String) throws -> Bool {
        try Data(contentsOf: folder.appendingPathComponent(name)).firstRange(of: Data(text.utf8)) != nil
      }
      #expect(try !has("floats.onnx", "antialias") && has("pixels.onnx", "antialias"))
      #expect(try has("pixels.onnx", "one\ntwo\nthree") && has("pixels.onnx", #""fit":"resize""#))
      let wrong = try export(folder.path("x.npz"), "--raw-pixels")
      #expect(wrong.code == 64 && wrong.errors.contains("go with a file that ends in .onnx"), "\(wrong.all)")
    }
  }

  @Test(
    .enabled(if: Python.path != nil, "ENCODENET_PYTHON names no Python with onnxruntime and Pillow"), arguments: [1, 3])
  func fiveLinesOfPythonGiveWhatPredictGives(channels: Int) throws {
    try withFolder { folder in
      let weights = try weights(channels, in: folder)
      // Photographs of several sizes, one of which was turned.
      try Python.run(
        """
        import numpy
        from PIL import Image
        random = numpy.random.default_rng(1)
        for index, (height, width) in enumerate([(60, 80), (480, 640), (13, 90), (12, 12), (5, 7)]):
            noise = random.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=numpy.uint8)
            image = Image.fromarray(noise).resize((width, height), Image.BICUBIC)
            exif = Image.Exif()
            exif[0x0112] = 6 if index == 0 else 1
            image.save(f"{index}.jpg", exif=exif)
        """, in: folder)
      #expect(
        try Command(
          "export", "--weights", weights, "--raw-pixels", "--probabilities", "--to", folder.path("network.onnx")
        ).code == 0)
      for index in 0..<5 {
        // The snippet of the documentation.
        let printed = try Python.run(
          """
          import numpy, onnxruntime, PIL.Image, PIL.ImageOps
          session = onnxruntime.InferenceSession("network.onnx")
          image = PIL.ImageOps.exif_transpose(PIL.Image.open("\(index).jpg")).convert("RGB")
          probabilities = session.run(None, {"images": numpy.array(image)[None]})[0][0]
          print(session.get_modelmeta().custom_metadata_map["classes"].split("\\n")[probabilities.argmax()], probabilities.max())
          """, in: folder)
        let run = try Command(
          "predict", "--weights", weights, "--top", "1", "--format", "jsonl", "--quiet", folder.path("\(index).jpg"))
        let ours = try #require(try records(run.output).first?.classes?.first, "\(run.all)")
        let words = printed.split(whereSeparator: \.isWhitespace)
        #expect(words.count == 2 && words[0] == ours.class, "\(printed) \(run.output)")
        #expect(abs((Double(words[1]) ?? 0) - ours.probability) < 0.01, "\(printed) \(run.output)")
      }
    }
  }

  @Test func trainingUsesTheValidationImagesThatTheFolderHas() throws {
    try withFolder { folder in
      for (part, count) in [("train", 6), ("val", 3), ("test", 2)] {
        for (label, name) in ["x", "y"].enumerated() {
          for index in 0..<count {
            try folder.image(
              "data/\(part)/\(name)/\(part)\(index).png", [UInt8(200 * label), UInt8(20 * index), UInt8(count)])
          }
        }
      }
      let words = [
        "train", "--data", "folder:\(folder.path("data"))", "--model", "resnet8", "--width", "0.25", "--epochs", "1",
        "--batch-size", "4", "--force",
      ]
      let run = try Command(words + ["--out", folder.path("out")])
      #expect(run.code == 0, "\(run.all)")
      #expect(
        run.errors.hasPrefix("data: 12 training images, 6 for validation, the set's own, 4 for tests, 8 by 8 pixels"),
        "\(run.all)")
      let share = try Command(words + ["--out", folder.path("other"), "--validation-share", "0.5"])
      #expect(share.errors.contains("--validation-share is not used"), "\(share.all)")
      let info = try Command("info", "--data", "folder:\(folder.path("data"))")
      #expect(
        info.output.contains("data: 12 training images, 6 validation images, 4 test images of [8, 8, 3]")
          && info.output.contains("class  training  validation  test"), "\(info.all)")
    }
  }

  @Test func aFolderOfTestImagesMayBeEvaluatedWhole() throws {
    try withFolder { folder in
      let weights = try weights(in: folder)
      for (label, name) in ["one", "two", "three"].enumerated() {
        for index in 0..<4 {
          try folder.image("t/\(name)/\(index).png", [UInt8(80 * label), UInt8(index), 9], side: 12)
        }
      }
      func total(_ words: String...) throws -> String {
        let words =
          ["evaluate", "--weights", weights, "--json", "--quiet", "--data", "folder:\(folder.path("t"))"] + words
        let run = try Command(words)
        #expect(run.code == 0, "\(run.all)")
        return run.output
      }
      #expect(try total("--all-images").contains("\"total\":12"))
      #expect(try total().contains("\"total\":2"))
    }
  }

  @Test func whatANewcomerWritesIsAnsweredWithWhatToWrite() throws {
    try withFolder { folder in
      try folder.image("a/0.png", [1, 2, 3])
      try Data("path,label\n".utf8).write(to: folder.appendingPathComponent("l.csv"))
      for (words, says) in [
        (["--data", folder.path], "write folder:\(folder.path) for images in a folder for each class"),
        (["--data", folder.path("l.csv")], "write list:\(folder.path("l.csv"))"),
        (["--data", ""], "write digits, synthetic"),
        (["--data", "digits", "--image-size", "0"], "a number, or height and width as 48x64, from 1 to 1024"),
      ] {
        let run = try Command(["info"] + words)
        #expect(run.code == 64 && run.errors.contains(says), "\(run.all)")
      }
    }
  }
}
