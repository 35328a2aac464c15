import FileFormats
import TestSupport
import Testing

@testable import Checkpoints

/// Checkpoints with more than weights in them.
struct PickledObjectsTests {
  private func file(beside values: [(String, PythonValue)]) -> PythonValue {
    .dictionary([(.text("state_dict"), .weights(["a": [2, 1]]))] + values.map { (.text($0.0), $0.1) })
  }

  @Test func whatPyTorchsOwnLoaderKnowsIsReadWithoutAWord() throws {
    let value = file(beside: [
      ("milestones", .call(.global("collections.Counter"), [.dictionary([(.int(100), .int(1))])])),
      ("device", .call(.global("torch.device"), [.text("cpu")])), ("dtype", .global("torch.float32")),
      ("tags", .call(.global("__builtin__.set"), [.list([.text("a")])])),
      ("commit", .call(.global("_codecs.encode"), [.text("abc"), .text("latin1")])),
      ("defaults", .call(.global("collections.defaultdict"), [.global("__builtin__.list")])),
      ("size", .call(.global("torch.Size"), [.tuple([.int(1)])])),
      ("complex", .call(.global("__builtin__.complex"), [.int(1), .int(2)])),
    ])
    for bytes in [TorchFile.zip(value), TorchFile.legacy(value), TorchFile.legacy(value, protocol: 4)] {
      let file = try WeightsFile(bytes, from: "x.pt")
      #expect(file.notes.isEmpty && file.maps.map(\.path) == ["state_dict"], "\(file.notes)")
      #expect(try file.maps[0].tensors()["a"]?.scalars == [1, 1])
    }
  }

  @Test func anyOtherObjectBecomesAPlaceholderThatIsNamed() throws {
    let value = file(beside: [
      ("args", .object("argparse.Namespace", state: .dictionary([(.text("lr"), .int(1))]))),
      (
        "best",
        .call(
          .global("numpy.core.multiarray.scalar"),
          [.call(.global("numpy.dtype"), [.text("f8"), .bool(false), .bool(true)]), .text("12345678")])
      ), ("run", .call(.call(.global("builtins.getattr"), [.global("os.path"), .text("x")]), [.text("y")])),
      ("evil", .call(.global("os.system"), [.text("touch /tmp/encodenet-was-here")])),
    ])
    for bytes in [TorchFile.zip(value), TorchFile.legacy(value)] {
      let file = try WeightsFile(bytes, from: "x.pt")
      #expect(
        file.notes == [
          "objects of argparse.Namespace, builtins.getattr, numpy.core.multiarray.scalar, numpy.dtype, os.path, os.system were left unread, and nothing of them was run"
        ])
      #expect(try file.largest().tensors().keys.sorted() == ["a"])
    }
  }

  @Test func weightsInsideAnObjectAreFound() throws {
    let state = PythonValue.dictionary([(.text("weights"), .weights(["a": [2]]))])
    let file = try WeightsFile(TorchFile.zip(.object("my.Checkpoint", state: state)), from: "x.pt")
    #expect(file.maps.map(\.path) == ["weights"])
  }

  @Test func aTensorThatIsNotReadIsNamedAndTheRestLoads() throws {
    let value = PythonValue.dictionary([
      (.text("a"), .tensor([2], [1, 2])),
      (.text("wave"), .storedTensor("torch.ComplexFloatStorage", [2], [UInt8](repeating: 0, count: 16), elements: nil)),
      (
        .text("tiny"),
        .storedTensor("torch.storage.UntypedStorage", [2], [1, 2], elements: "torch.float8_e4m3fn")
      ), (.text("codes"), .call(.global("torch._utils._rebuild_qtensor"), [.none])),
    ])
    for bytes in [TorchFile.zip(value), TorchFile.legacy(value)] {
      let map = try WeightsFile(bytes, from: "x.pt").largest()
      #expect(try map.tensors().mapValues(\.scalars) == ["a": [1, 2]])
      #expect(
        map.unread == [
          "wave (a tensor of torch.ComplexFloatStorage)", "tiny (a tensor of torch.float8_e4m3fn)",
          "codes (torch._utils._rebuild_qtensor)",
        ])
    }
  }

  @Test func elementTypesOfLaterVersionsAreRead() throws {
    let value = PythonValue.dictionary([
      (
        .text("lut"),
        .storedTensor("torch.storage.UntypedStorage", [2], [1, 0, 0xff, 0xff], elements: "torch.uint16")
      )
    ])
    for bytes in [TorchFile.zip(value), TorchFile.legacy(value)] {
      #expect(try WeightsFile(bytes, from: "x.pt").largest().tensors()["lut"]?.scalars == [1, 65535])
    }
  }

  @Test func aFileOfObjectsAloneSaysWhatItHolds() {
    let evil = PythonValue.call(.global("os.system"), [.text("ls")])
    let error = #expect(throws: CheckpointError.self) { try PyTorchFile.decode(TorchFile.zip(evil), from: "evil.pt") }
    #expect(error?.problem.contains("objects of os.system were left unread") == true && error?.file == "evil.pt")
  }

  @Test func filesThatPyTorchItselfWroteAreRead() throws {
    for name in ["objects-zip.pt", "objects-protocol4.pt"] {
      let file = try WeightsFile(contentsOf: fixture(name, in: .module))
      #expect(file.notes.count == 1 && file.notes[0].contains("argparse.Namespace, numpy."), "\(file.notes)")
      let map = try file.largest()
      #expect(map.path == "net" && map.shapes.count == 5, "\(file.listing)")
      #expect(try map.tensors()["lut"]?.scalars == [1, 65535] && map.tensors()["brain"]?.scalars == [1.5, -2])
      #expect(map.unread.count == 1 && map.unread[0].hasPrefix("wave ("))
    }
    for name in ["model-zip.pt", "model-legacy.pt"] {
      let file = try WeightsFile(contentsOf: fixture(name, in: .module))
      let names = ["bn.bias", "bn.num_batches_tracked", "bn.running_mean", "bn.running_var", "bn.weight", "fc.bias"]
      #expect(try file.largest().tensors().keys.sorted() == names + ["fc.weight"], "\(file.listing)")
    }
  }

  // MARK: Hostile pickles

  private func unpickled(_ pickle: [UInt8]) throws -> Pickle { try Unpickler.unpickle(pickle, from: "x.pt") }

  @Test func oneListGivenToManyDictionariesIsRefused() throws {
    // A list of 40,000 pairs, memoised, and 2,000 dictionaries made of it: 80 million pairs.
    var pickle: [UInt8] = [UInt8(ascii: "]"), UInt8(ascii: "q"), 0, UInt8(ascii: "(")]
    for _ in 0..<40_000 { pickle += [UInt8(ascii: "N"), UInt8(ascii: "N"), 0x86] }
    pickle += Array("e0ccollections\nOrderedDict\nq".utf8) + [1, UInt8(ascii: "0")]
    for _ in 0..<2_000 { pickle += [0x68, 1, 0x68, 0, 0x85, UInt8(ascii: "R"), UInt8(ascii: "0")] }
    let error = #expect(throws: CheckpointError.self) { try unpickled(pickle + Array("N.".utf8)) }
    #expect(error?.problem.contains("more values than a file of weights has") == true)
  }

  @Test func callsInCallsDoNotOverflowTheStack() throws {
    // (f, None, (f, None, (f, None, …))), and a call of f at last.
    var pickle = Array("ctorch._tensor\n_rebuild_from_type_v2\nq".utf8) + [0] + Array("0N".utf8)
    for _ in 0..<200_000 {
      // The arguments so far under 1, then a tuple of f, None and them.
      pickle += [UInt8(ascii: "q"), 1, UInt8(ascii: "0"), 0x68, 0, UInt8(ascii: "N"), 0x68, 1, 0x87]
    }
    pickle += [UInt8(ascii: "q"), 1, UInt8(ascii: "0"), 0x68, 0, 0x68, 1, UInt8(ascii: "R"), 0x2e]
    #expect(try unpickled(pickle).placeholders.isEmpty)
  }

  @Test func namesAndInstructionsAreBounded() throws {
    let name = [UInt8](repeating: UInt8(ascii: "x"), count: 5000)
    let error = #expect(throws: CheckpointError.self) { try unpickled(Array("c".utf8) + name + Array("\ny\n.".utf8)) }
    #expect(error?.problem.contains("a name of 5001 bytes") == true)
    let endless = [UInt8](repeating: UInt8(ascii: "N"), count: 17 << 20)
    #expect(throws: CheckpointError.self) { try unpickled(endless + [0x2e]) }
  }

  @Test func placeholdersInADataSetAreStillRefused() {
    #expect(throws: CheckpointError.self) {
      try Unpickler.unpickle(Array("cos\nsystem\n)R.".utf8), .arrays, from: "batch")
    }
  }
}
