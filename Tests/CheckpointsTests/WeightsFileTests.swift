import FileFormats
import TestSupport
import Testing

@testable import Checkpoints

/// Weights wherever they stand in a file, under whatever names.
struct WeightsFileTests {
  /// `0.weight`, `0.bias` and a norm's `1.…`.
  private let model: Sequential = {
    var g = SplittableGenerator(seed: 1)
    return Sequential([Linear(3, 2, using: &g), BatchNorm2d(2)])
  }()
  private let shapes = [
    "0.weight": [2, 3], "0.bias": [2], "1.weight": [2], "1.bias": [2], "1.running_mean": [2], "1.running_var": [2],
  ]
  private func weights(_ prefix: String = "", _ value: Float = 1) -> PythonValue {
    .weights([String: [Int]](uniqueKeysWithValues: shapes.map { (prefix + $0.key, $0.value) }), value)
  }
  private func pairs(_ value: PythonValue) -> [(PythonValue, PythonValue)] {
    if case .dictionary(let pairs) = value { pairs } else { [] }
  }
  private func fitted(
    _ value: PythonValue, at path: String? = nil, renaming: [String] = []
  ) throws -> FittedWeights {
    try WeightsFile(TorchFile.zip(value), from: "x.pt")
      .fitted(to: model, at: path, renaming: renaming.map { try Renaming($0) })
  }

  @Test(arguments: ["net", "model_state_dict", "state_dict", "weights", "anything at all"])
  func weightsAreFoundUnderAnyKey(key: String) throws {
    let found = try fitted(.dictionary([(.text(key), weights()), (.text("epoch"), .int(3))]))
    #expect(found.fit.isExact && found.map.path == key && found.place == key)
    #expect(try found.state()["0.weight"]?.scalars == [1, 1, 1, 1, 1, 1])
    #expect(found.notes == ["the weights are those under '\(key)'"])
  }

  @Test func weightsAreFoundLevelsDeepBesideAnOptimizersState() throws {
    let moments = PythonValue.dictionary(
      (0..<6).map { (.int($0), .weights(["exp_avg": [2, 3], "exp_avg_sq": [2, 3]])) })
    let found = try fitted(
      .dictionary([
        (.text("optimizer"), .dictionary([(.text("state"), moments)])),
        (.text("checkpoint"), .dictionary([(.text("model"), .dictionary([(.text("state_dict"), weights())]))])),
        (.text("best"), .tensor([], [3])),
      ]))
    #expect(found.map.path == "checkpoint.model.state_dict" && found.fit.isExact)
    #expect(
      found.file.listing == [
        "the top: 1 tensor", "'optimizer.state.*': 12 tensors in 6 maps",
        "'checkpoint.model.state_dict': 6 tensors",
      ])
  }

  @Test(arguments: ["module.", "_orig_mod.", "net.", "model.", "module._orig_mod.", "backbone.trunk."])
  func aCommonPrefixIsRemovedAndSaid(prefix: String) throws {
    let found = try fitted(weights(prefix))
    #expect(found.fit.isExact && found.fit.prefix == prefix && found.fit.renamed.count == 6)
    #expect(found.notes == ["the prefix '\(prefix)' was removed from their names"])
    #expect(found.fit.origins["0.weight"] == "\(prefix)0.weight")
  }

  @Test func slashesMayDivideNames() throws {
    let slashed = pairs(weights()).map { (key, value) -> (PythonValue, PythonValue) in
      guard case .text(let name) = key else { return (key, value) }
      return (.text(name.replacing(".", with: "/")), value)
    }
    #expect(try fitted(.dictionary(slashed)).fit.isExact)
  }

  @Test func halfOfTheNamesMayBeWrapped() throws {
    var mixed = pairs(weights())
    mixed[0].0 = .text("module.0.bias")
    mixed[2].0 = .text("1._orig_mod.bias")
    #expect(try fitted(.dictionary(mixed)).fit.isExact)
  }

  @Test func tensorsBesideTheNetworkAreLeftOverByName() throws {
    for (prefix, other) in [
      ("model.", "criterion.weight"), ("module.", "n_averaged"), ("", "lut"), ("", "criterion.w"),
    ] {
      let found = try fitted(.dictionary(pairs(weights(prefix)) + [(.text(other), .tensor([1], [1]))]))
      #expect(found.fit.isComplete && found.notes.last == "left over, outside the network: \(other)")
      #expect(try found.state().count == 6)
    }
    // A layer more is another network.
    for other in ["2.weight", "1.extra"] {
      let found = try fitted(.dictionary(pairs(weights()) + [(.text(other), .tensor([1], [1]))]))
      #expect(!found.fit.isComplete && found.fit.leftOver == [other])
      let error = #expect(throws: CheckpointError.self) { try found.state() }
      #expect(error?.problem.contains("left over: \(other)") == true)
    }
  }

  @Test func averagesAreNotTakenUnlessAsked() throws {
    let both = PythonValue.dictionary([(.text("model_ema"), weights("", 2)), (.text("net"), weights("", 1))])
    let found = try fitted(both)
    #expect(found.map.path == "net" && found.alternatives == ["'model_ema'"])
    #expect(found.notes.contains { $0.contains("'model_ema'") })
    #expect(try fitted(both, at: "model_ema").state()["0.bias"]?.scalars == [2, 2])
    // In one map too.
    let flat = PythonValue.dictionary(pairs(weights("ema_model.", 2)) + pairs(weights("model.", 1)))
    #expect(try fitted(flat).state()["0.bias"]?.scalars == [1, 1])
    #expect(try fitted(flat, at: "ema_model").state()["0.bias"]?.scalars == [2, 2])
  }

  @Test func oneMapInTwoPlacesIsFoundInBoth() throws {
    // timm's checkpoints before the average has moved, and those whose last weights are the best.
    let file = try WeightsFile(contentsOf: fixture("shared-zip.pt", in: .module))
    #expect(file.maps.map(\.path) == ["state_dict_ema", "state_dict", "best"])
    let found = try file.fitted(to: model)
    #expect(found.map.path == "state_dict" && found.alternatives.count == 2)
  }

  @Test func severalThatFitAreAnErrorThatNamesThem() throws {
    let two = PythonValue.dictionary([(.text("student"), weights()), (.text("pupil"), weights("", 2))])
    let error = #expect(throws: CheckpointError.self) { try fitted(two) }
    #expect(
      error?.problem.contains("'pupil', 'student'") == true || error?.problem.contains("'student', 'pupil'") == true)
    #expect(try fitted(two, at: "pupil").state()["1.bias"]?.scalars == [2, 2])
    let none = #expect(throws: CheckpointError.self) { try fitted(two, at: "none") }
    #expect(none?.problem.contains("has no weights at 'none': it holds 'student': 6 tensors") == true)
  }

  @Test func namesOfTorchvisionAreKnownAndOthersRenamed() throws {
    var g = SplittableGenerator(seed: 1)
    let network = ResNet(depth: 8, classes: 3, inputShape: [8, 8, 3], shortcut: .projection, using: &g)
    let state = network.stateDictionary
    func renamed(_ rename: (String) -> String) -> StateDictionary {
      StateDictionary(uniqueKeysWithValues: state.map { (rename($0.key), $0.value) })
    }
    let torchvision = renamed { $0.replacing("linear", with: "fc").replacing("shortcut", with: "downsample") }
    #expect(torchvision["layer2.0.downsample.0.weight"] != nil && StateFit(of: torchvision, to: network).isExact)
    let own = renamed { "trunk." + $0.replacing("linear", with: "head.out").replacing("bn1", with: "norm") }
    #expect(!StateFit(of: own, to: network).isExact)
    let fit = StateFit(
      of: own, to: network, renaming: try ["head.out=linear", "norm=bn1", "trunk="].map { try Renaming($0) })
    #expect(fit.isExact && fit.origins["linear.bias"] == "trunk.head.out.bias")
    #expect(fit.state(from: own).mapValues(\.scalars) == state.mapValues(\.scalars))
  }

  @Test func anotherWidthIsSaidByShapesUnderTheRightNames() throws {
    var g = SplittableGenerator(seed: 1)
    func network(_ depth: Int, _ width: Double) -> ResNet {
      ResNet(depth: depth, classes: 3, inputShape: [8, 8, 3], widthMultiplier: width, using: &g)
    }
    // The last blocks of the narrow one have the shapes of the first of the wide one; no name says so.
    let fit = StateFit(of: network(8, 0.25).stateDictionary, to: network(20, 1))
    #expect(fit.prefix.isEmpty && fit.outside.isEmpty && fit.leftOver.isEmpty)
    #expect(fit.misshapen.contains { $0.name == "conv1.weight" } && fit.missing.contains("layer1.1.conv1.weight"))
  }

  @Test func aRenamingThatIsNoneOrChangesNothingIsNamed() throws {
    for text in ["a", "=b", ".=b"] {
      let error = #expect(throws: CheckpointError.self) { try Renaming(text) }
      #expect(error?.problem.contains("'\(text)'") == true)
    }
    let error = #expect(throws: CheckpointError.self) { try fitted(weights(), renaming: ["fc=linear"]) }
    #expect(error?.problem.contains("--rename fc=linear matches no name") == true)
    #expect(try Renaming("a.b=c").applied(to: "x.a.b.a.b.y") == "x.c.c.y" && Renaming("a=").applied(to: "a.ab") == "ab")
  }

  @Test func weightsThatAreNaNAreRefusedByName() throws {
    var broken = pairs(weights())
    broken[1].1 = .tensor([2, 3], [1, .nan, 3, 4, 5, 6])
    let error = #expect(throws: CheckpointError.self) { try fitted(.dictionary(broken)).state() }
    #expect(error?.problem.contains("'0.weight' has values that are NaN") == true && error?.file == "x.pt")
  }

  @Test func aWholePickledModelIsReadByItsStructure() throws {
    func module(_ parameters: [String: [Int]], _ buffers: [String: [Int]] = [:], _ inner: [(String, PythonValue)] = [])
      -> PythonValue
    {
      .object(
        "models.Net",
        state: .dictionary([
          (.text("training"), .bool(true)), (.text("_parameters"), .weights(parameters)),
          (.text("_buffers"), .weights(buffers)),
          (.text("_non_persistent_buffers_set"), .call(.global("__builtin__.set"), [.list([.text("cache")])])),
          (.text("_modules"), .dictionary(inner.map { (.text($0.0), $0.1) })),
        ]))
    }
    let parts = [
      ("0", module(["weight": [2, 3], "bias": [2]])),
      ("1", module(["weight": [2], "bias": [2]], ["running_mean": [2], "running_var": [2], "cache": [9]])),
    ]
    for value in [module([:], [:], parts), .dictionary([(.text("model"), module([:], [:], parts))])] {
      let found = try fitted(value)
      #expect(found.fit.isExact && found.fit.outside.isEmpty)
      #expect(found.notes[0].hasPrefix("a whole pickled model of class models.Net"))
      #expect(try found.state()["1.running_var"]?.scalars == [1, 1])
    }
  }

  @Test func modelsWithoutEndAreRefused() throws {
    // A module that holds one list of modules twice, at 40 levels: 2⁴⁰ places.
    var pickle: [UInt8] = [0x80, 2, UInt8(ascii: "N"), UInt8(ascii: "q"), 0]
    func text(_ text: String) -> [UInt8] { [0x8c, UInt8(text.utf8.count)] + Array(text.utf8) }
    for _ in 0..<40 {
      pickle += Array("cm\nM\n)".utf8) + [0x81] + Array("}(".utf8) + text("_parameters") + Array("}".utf8)
      pickle +=
        text("_modules") + Array("}(".utf8) + text("a") + [0x68, 0] + text("b") + [0x68, 0] + Array("uub".utf8)
      pickle += [UInt8(ascii: "q"), 0]
    }
    let bytes = ZipArchive.stored([("a/data.pkl", pickle + [0x2e])])
    let error = #expect(throws: CheckpointError.self) { try WeightsFile(bytes, from: "deep.pt") }
    #expect(error?.problem.contains("without end") == true, "\(String(describing: error))")
  }
}
