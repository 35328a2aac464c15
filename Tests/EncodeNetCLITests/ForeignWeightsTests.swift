import Foundation
import Reports
import TestSupport
import Testing

@testable import EncodeNetCLI

/// Weights and images as people have them, given to the command.
struct ForeignWeightsTests {
  private static let choice = ModelChoice("resnet8", widthMultiplier: 0.25)
  private let options = ["--model", "resnet8", "--width", "0.25", "--normalization", "half"]

  private func network(_ classes: Int, channels: Int = 3) throws -> ChosenModel {
    var g = SplittableGenerator(seed: 3)
    return try Self.choice.make(classes: classes, inputShape: [8, 8, channels], using: &g)
  }

  /// A network whose output for each colour is the largest for its class: blue, green, red.
  private func colours() throws -> ChosenModel {
    let network = try network(3)
    func outputs(_ colour: [Scalar]) -> [Scalar] {
      let image = Tensor((0..<64).flatMap { _ in colour.map { ($0 - 0.5) / 0.5 } }, shape: [1, 8, 8, 3])
      return network.features.evaluating { network.features(image) }.mean(alongAxes: [1, 2]).scalars
    }
    // The nearest of the three features, by a linear layer: x·f − |f|²/2.
    let features = [[0, 0, 1], [0, 1, 0], [1, 0, 0]].map { outputs($0) }
    var state = network.stateDictionary
    state["linear.weight"] = Tensor(features.flatMap { $0 }, shape: [3, features[0].count])
    state["linear.bias"] = Tensor(features.map { -$0.reduce(0) { $0 + $1 * $1 } / 2 }, shape: [3])
    try network.load(state)
    return network
  }

  /// Folders of images of these colours by name.
  private func write(_ classes: [String: [UInt8]], _ folder: URL) throws {
    for (name, colour) in classes {
      for index in 0..<5 { try folder.image("\(name)/\(index).png", colour) }
    }
  }
  private let red: [UInt8] = [255, 0, 0]
  private let green: [UInt8] = [0, 255, 0]
  private let blue: [UInt8] = [0, 0, 255]

  @Test func anAugmentationThatThereIsNotIsNamed() throws {
    for (wrong, name) in [("crop,turn", "'turn'"), ("flip,", "''"), ("", "''")] {
      let run = try Command("train", "--augmentation", wrong, "--out", "never")
      #expect(run.code == 64, "\(run.all)")
      #expect(run.errors.contains("there is no augmentation \(name): choose none, or any of crop, flip"), "\(run.all)")
    }
  }

  @Test func viewsOfAnImageAreAveraged() throws {
    try withFolder { folder in
      let description = SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["blue", "green", "red"],
        normalization: Normalization(mean: [0.5], deviation: [0.5]))
      try description.save(network(3), to: folder.appendingPathComponent("w.safetensors"))
      // Darker to the right and downwards, and its mirror image.
      func pixels(_ column: (Int) -> Int) -> [UInt8] {
        (0..<64).flatMap { place -> [UInt8] in
          let (row, column) = (place / 8, column(place % 8))
          return [UInt8(column * 30), UInt8(250 - 24 * row - 3 * column), 100]
        }
      }
      for (name, content) in [("a", pixels { $0 }), ("b", pixels { 7 - $0 })] {
        let image = DecodedImage(pixels: content, shape: [8, 8, 3])
        try Data(image.png()).write(to: folder.appendingPathComponent("\(name).png"))
      }
      func predicted(_ more: String...) throws -> [String: [String: Double]] {
        let run = try Command(
          ["predict", "--weights", folder.path("w.safetensors"), folder.path("a.png"), folder.path("b.png")] + more)
        #expect(run.code == 0, "\(run.all)")
        var found: [String: [String: Double]] = [:]
        for line in run.output.split(separator: "\n") {
          let words = line.replacing("%", with: "").split(separator: " ").map(String.init)
          let name = String(words[0].suffix(5))
          for (key, value) in zip(words.dropFirst(), words.dropFirst(2)) where Double(value) != nil {
            found[name, default: [:]][key] = Double(value)
          }
        }
        return found
      }
      let (alone, flipped) = (try predicted(), try predicted("--test-time-augmentation", "flip"))
      #expect(flipped["a.png"]?.count == 3 && flipped["a.png"] == flipped["b.png"] && alone["a.png"] != alone["b.png"])
      for (name, share) in try #require(flipped["a.png"]) {
        let mean = (try #require(alone["a.png"]?[name]) + #require(alone["b.png"]?[name])) / 2
        #expect(abs(share - mean) < 0.11, "\(name): \(alone) \(flipped)")
      }
      try write(["red": red, "green": green], folder.appendingPathComponent("data"))
      for views in TestTimeAugmentation.allCases {
        let run = try Command(
          "evaluate", "--weights", folder.path("w.safetensors"), "--data", "folder:\(folder.path("data"))",
          "--test-time-augmentation", views.rawValue)
        #expect(run.code == 0 && run.output.contains("of 2 right"), "\(run.all)")
      }
      let wrong = try Command("predict", "--test-time-augmentation", "turn", "--weights", "w", "a.png")
      #expect(wrong.code == 64 && wrong.errors.contains("crops"), "\(wrong.all)")
    }
  }

  @Test func classesAreMatchedByNameOrRefused() throws {
    try withFolder { folder in
      let description = SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["blue", "green", "red"],
        normalization: Normalization(mean: [0.5], deviation: [0.5]))
      try description.save(colours(), to: folder.appendingPathComponent("w.safetensors"))
      func evaluate(_ name: String) throws -> Command {
        try Command("evaluate", "--weights", folder.path("w.safetensors"), "--data", "folder:\(folder.path(name))")
      }
      try write(["red": red, "green": green, "blue": blue], folder.appendingPathComponent("same"))
      let same = try evaluate("same")
      #expect(same.code == 0 && same.output.contains("3 of 3 right"), "\(same.all)")
      // Two of the three, which have other places here than in the weights.
      try write(["red": red, "green": green], folder.appendingPathComponent("fewer"))
      let fewer = try evaluate("fewer")
      #expect(fewer.code == 0 && fewer.output.contains("2 of 2 right"), "\(fewer.all)")
      #expect(fewer.errors.contains("classes are matched by name"))
      for (name, classes) in [
        ("reordered", ["a_red": red, "b_green": green, "c_blue": blue]),
        ("shifted", ["green": green, "red": red, "white": red]),
      ] {
        try write(classes, folder.appendingPathComponent(name))
        let refused = try evaluate(name)
        #expect(refused.code == 1 && refused.output.isEmpty, "\(refused.all)")
        #expect(refused.errors.contains("is not among those that the classifier knows: blue, green, red"))
      }
    }
  }

  @Test func weightsWithoutClassNamesSayWhichAreTaken() throws {
    try withFolder { folder in
      try NumPy.save(colours().stateDictionary, to: folder.appendingPathComponent("w.npz"))
      try write(["a_red": red, "b_green": green, "c_blue": blue], folder.appendingPathComponent("data"))
      let words = ["evaluate", "--weights", folder.path("w.npz"), "--data", "folder:\(folder.path("data"))"] + options
      let taken = try Command(words)
      #expect(taken.errors.contains("its outputs are taken for a_red, b_green, c_blue, in this order"), "\(taken.all)")
      #expect(taken.errors.contains("its classes have another order"), "\(taken.all)")
      let named = try Command(words + ["--class-names", "c_blue,b_green,a_red"])
      #expect(named.output.contains("3 of 3 right") && !named.errors.contains("order: see"), "\(named.all)")
    }
  }

  @Test func greyImagesAreRepeatedForWeightsOfThreeChannels() throws {
    try withFolder { folder in
      try write(["dark": [20], "light": [230]], folder.appendingPathComponent("data"))
      let data = "folder:\(folder.path("data"))"
      let description = SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["dark", "light"],
        normalization: Normalization(mean: [0.4, 0.5, 0.6], deviation: [0.2, 0.3, 0.25]))
      try description.save(network(2), to: folder.appendingPathComponent("w.safetensors"))
      let own = try Command("evaluate", "--weights", folder.path("w.safetensors"), "--data", data)
      #expect(own.code == 0 && own.errors.contains("grey images are repeated to three channels"), "\(own.all)")
      let image = folder.path("data/light/0.png")
      #expect(try Command("predict", "--weights", folder.path("w.safetensors"), image).code == 0)
      try NumPy.save(network(2).stateDictionary, to: folder.appendingPathComponent("w.npz"))
      let foreign = try Command(["evaluate", "--weights", folder.path("w.npz"), "--data", data] + options)
      #expect(foreign.code == 0 && foreign.output.contains(" of 2 right"), "\(foreign.all)")
      // And the weights of grey images take those in colour.
      try write(["dark": [20, 20, 20], "light": [230, 10, 10]], folder.appendingPathComponent("colour"))
      var grey = description
      (grey.imageShape, grey.normalization) = ([8, 8, 1], Normalization(mean: [0.5], deviation: [0.5]))
      try grey.save(network(2, channels: 1), to: folder.appendingPathComponent("g.safetensors"))
      let colour = try Command(
        "evaluate", "--weights", folder.path("g.safetensors"), "--data", "folder:\(folder.path("colour"))")
      #expect(colour.code == 0 && colour.errors.contains("become grey"), "\(colour.all)")
    }
  }

  @Test func weightsThatAreNaNAreAnErrorEverywhere() throws {
    try withFolder { folder in
      var state = try network(10).stateDictionary
      state["bn1.bias"] = Tensor([0, .nan, 0, 0], shape: [4])
      try NumPy.save(state, to: folder.appendingPathComponent("w.npz"))
      let broken = try network(10)
      try broken.load(state)
      try SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: (0..<10).map { "\($0)" },
        normalization: Normalization(mean: [0.5], deviation: [0.5])
      ).save(broken, to: folder.appendingPathComponent("w.safetensors"))
      try folder.image("x.png", [1, 2, 3])
      for words in [
        ["import", folder.path("w.npz"), "--model", "resnet8", "--width", "0.25"],
        ["predict", "--weights", folder.path("w.safetensors"), folder.path("x.png")],
        ["export", "--weights", folder.path("w.safetensors"), "--to", folder.path("x.onnx")],
        ["info", "--weights", folder.path("w.npz")],
      ] {
        let run = try Command(words)
        #expect(run.code == 1 && run.errors.contains("'bn1.bias' has values that are NaN"), "\(words): \(run.all)")
      }
      #expect(!FileManager.default.fileExists(atPath: folder.path("x.onnx")))
    }
  }

  @Test func weightsThatNoTrainedNetworkHasAreAnError() throws {
    try withFolder { folder in
      try write(["red": red, "green": green, "blue": blue], folder.appendingPathComponent("data"))
      let network = try colours()
      let huge = Scalar.greatestFiniteMagnitude / 1e8
      for (name, says, change) in [
        (
          "variances below 0", "'bn1.running_var' has values below 0",
          { (state: inout StateDictionary) in
            state["bn1.running_var"] = state["bn1.running_var"]! - 2
          }
        ),
        ("whole numbers", "has whole numbers alone", { $0 = $0.mapValues { round($0 * 100) } }),
        // Finite, and their outputs are not.
        ("outputs of NaN", "outputs for", { $0 = $0.mapValues { $0.rank == 4 ? $0 * huge : $0 } }),
      ] as [(String, String, (inout StateDictionary) -> Void)] {
        var state = network.stateDictionary
        change(&state)
        try Safetensors.save(state, to: folder.appendingPathComponent("w.safetensors"))
        let evaluated = try Command(
          ["evaluate", "--weights", folder.path("w.safetensors"), "--data", "folder:\(folder.path("data"))"] + options)
        #expect(evaluated.code == 1 && evaluated.output.isEmpty, "\(name): \(evaluated.all)")
        #expect(evaluated.errors.contains(says), "\(name): \(evaluated.all)")
      }
      let description = SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["blue", "green", "red"],
        normalization: Normalization(mean: [0.5], deviation: [0.5]))
      try network.load(network.stateDictionary.mapValues { $0.rank == 4 ? $0 * huge : $0 })
      try description.save(network, to: folder.appendingPathComponent("own.safetensors"))
      let predicted = try Command(
        "predict", "--weights", folder.path("own.safetensors"), folder.path("data/red/0.png"))
      #expect(predicted.code == 1 && predicted.errors.contains("are NaN or infinite"), "\(predicted.all)")
    }
  }

  @Test func settingsThatMeanSomethingElseAreRefused() throws {
    try withFolder { folder in
      try write(["red": red, "green": green, "blue": blue], folder.appendingPathComponent("data"))
      let file = folder.path("w.npz")
      try NumPy.save(colours().stateDictionary, to: URL(fileURLWithPath: file))
      let before = try Data(contentsOf: URL(fileURLWithPath: file))
      let data = ["--data", "folder:\(folder.path("data"))"]
      for (words, says) in [
        (
          ["evaluate", "--weights", file, "--mean", "128,128,128", "--std", "64,64,64"],
          "divide those of images in 0...255"
        ),
        (["evaluate", "--weights", file, "--class-names", "blue,,red"], "--class-names has an empty name"),
        (["evaluate", "--weights", file, "--class-names", "blue,red,red"], "--class-names has 'red' twice"),
        (["import", file, "--out", file], "the file must end in .safetensors"),
        (["train", "--out", ""], "--out is empty, it must be a folder"),
      ] {
        let refused = try Command(words + data)
        #expect(refused.code == 64 && refused.errors.contains(says), "\(words): \(refused.all)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    }
  }

  @Test func aFileThatIsMissingCutOffOrSomethingElseIsNamed() throws {
    try withFolder { folder in
      try SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["a", "b"],
        normalization: Normalization(mean: [0.5], deviation: [0.5])
      ).save(network(2), to: folder.appendingPathComponent("w.safetensors"))
      let whole = try Data(contentsOf: folder.appendingPathComponent("w.safetensors"))
      try whole.prefix(whole.count / 2).write(to: folder.appendingPathComponent("cut.safetensors"))
      try Data("<html><title>Quota exceeded</title>".utf8).write(to: folder.appendingPathComponent("page.pth"))
      try Data("version https://git-lfs.github.com/spec/v1\nsize 7\n".utf8).write(
        to: folder.appendingPathComponent("lfs.pth"))
      try Data().write(to: folder.appendingPathComponent("empty.pth"))
      try folder.image("x.png", [1, 2, 3])
      for (name, says) in [
        ("none.pth", "there is no such file"), ("cut.safetensors", "is cut off: it ends"),
        ("lfs.pth", "a Git LFS pointer"),
        ("page.pth", "an HTML page ('Quota exceeded')"), ("empty.pth", "is empty"), ("", "is a folder"),
      ] {
        for words in [
          ["predict", "--weights", folder.path(name), folder.path("x.png")],
          ["evaluate", "--weights", folder.path(name), "--data", "digits"], ["import", folder.path(name)],
          ["export", "--weights", folder.path(name), "--to", folder.path("x.onnx")],
          ["info", "--weights", folder.path(name)],
        ] {
          let run = try Command(words)
          #expect(run.code == 1 && run.errors.contains(says), "\(words): \(run.all)")
          #expect(run.errors.split(separator: "\n").count == 1, "\(words): \(run.all)")
        }
      }
    }
  }

  @Test func importSaysWhatItTookAndWritesWhatEvaluateReads() throws {
    try withFolder { folder in
      let state = try network(2).stateDictionary
      // Names that only differ, behind a prefix, beside a loss.
      var foreign = StateDictionary(
        uniqueKeysWithValues: state.map { ("net.\($0.key.replacing("linear", with: "head"))", $0.value) })
      foreign["criterion.weight"] = Tensor([1, 2], shape: [2])
      try NumPy.save(foreign, to: folder.appendingPathComponent("w.npz"))
      try write(["dark": [20, 20, 20], "light": [230, 9, 9]], folder.appendingPathComponent("data"))
      let words = ["import", folder.path("w.npz"), "--data", "folder:\(folder.path("data"))"] + options
      let refused = try Command(words)
      #expect(refused.code == 1 && refused.output.contains("Left over: head.bias, head.weight"), "\(refused.all)")
      #expect(refused.errors.contains("--rename OLD=NEW"))
      let renamed = try Command(words + ["--rename", "head=linear", "--out", folder.path("out.safetensors")])
      #expect(renamed.code == 0 && renamed.output.contains("37 of 37 tensors of resnet8 matched"), "\(renamed.all)")
      #expect(renamed.output.contains("The prefix 'net.' was removed from their names."))
      #expect(renamed.output.contains("Left over, outside the network: criterion.weight."))
      #expect(renamed.output.contains("Its outputs are taken for the classes dark, light, in this order."))
      // Its names are those of the file, and it needs no options.
      #expect(try Safetensors.load(folder.appendingPathComponent("out.safetensors"))["net.head.bias"] != nil)
      let evaluated = try Command(
        "evaluate", "--weights", folder.path("out.safetensors"), "--data", "folder:\(folder.path("data"))")
      #expect(evaluated.code == 0 && evaluated.output.contains(" of 2 right"), "\(evaluated.all)")
      let mistyped = try Command(words + ["--rename", "hed=linear"])
      #expect(mistyped.code == 1 && mistyped.errors.contains("--rename hed=linear matches no name"), "\(mistyped.all)")
      #expect(try Command(words + ["--rename", "head"]).code == 64)
    }
  }

  @Test func exportOfForeignWeightsSaysWhatItNeeds() throws {
    try withFolder { folder in
      try NumPy.save(network(2).stateDictionary, to: folder.appendingPathComponent("w.npz"))
      let run = try Command("export", "--weights", folder.path("w.npz"), "--to", folder.path("x.onnx"))
      #expect(
        run.code == 1 && run.errors.contains("does not say for which network, images and classes it is"), "\(run.all)")
      #expect(run.errors.contains("encodenet import") && run.errors.contains("--data"))
    }
  }

  @Test func aDataSetWithoutItsFolderListsTheForms() throws {
    for command in [["evaluate", "--weights", "x"], ["info"], ["train"], ["import", "x"]] {
      let run = try Command(command + ["--data", "cifar10"])
      #expect(run.code == 64 && run.errors.contains(DataSource.forms), "\(run.all)")
    }
  }

  @Test func errorsComeAfterTablesAndNamesAreEscaped() throws {
    try withFolder { folder in
      let data = folder.appendingPathComponent("data")
      try write(["two\nlines": red, "<b>|": green], data)
      try Data([1]).write(to: data.appendingPathComponent("two\nlines/x.mp4"))
      let path = folder.path("both.txt")
      try Data().write(to: URL(fileURLWithPath: path))
      let both = try #require(FileHandle(forWritingAtPath: path))
      let process = Process()
      process.executableURL = try #require(Bundle.main.executableURL).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("encodenet")
      process.arguments = ["info", "--data", "folder:\(data.path)", "--weights", folder.path("none.pth")]
      (process.standardOutput, process.standardError) = (both, both)
      try process.run()
      process.waitUntilExit()
      let lines = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 12, "\(lines)")
      #expect(lines.first?.contains("1 of kind '.mp4 file' (two\\nlines/x.mp4)") == true, "\(lines)")
      #expect(
        lines.contains("classes: <b>|, two\\nlines") && lines.last?.contains("there is no such file") == true,
        "\(lines)")

      try SavedClassifier(
        model: Self.choice, imageShape: [8, 8, 3], classNames: ["two\nlines", "<b>|"],
        normalization: Normalization(mean: [0.5], deviation: [0.5])
      ).save(network(2), to: folder.appendingPathComponent("w.safetensors"))
      let predicted = try Command("predict", "--weights", folder.path("w.safetensors"), data.path("<b>|/0.png"))
      #expect(
        predicted.output.split(separator: "\n").count == 1 && predicted.output.contains("two\\nlines "),
        "\(predicted.all)")
    }
  }

  @Test func completionScriptsAreMade() throws {
    for (shell, says) in [("bash", "complete "), ("zsh", "#compdef encodenet"), ("fish", "complete -c ")] {
      let run = try Command("--generate-completion-script", shell)
      #expect(run.code == 0 && run.output.contains(says), "\(shell)")
    }
  }
}
