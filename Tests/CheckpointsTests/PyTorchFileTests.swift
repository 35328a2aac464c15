import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

struct PyTorchFileTests {
  @Test func sharedAndStridedStoragesAreReadInBothForms() throws {
    for form in ["zip", "deflated", "legacy"] {
      let state = try PyTorchFile.decode(bytes(form), from: form).withPlainNames
      #expect(Set(state.keys) == ["plain", "transposed", "column", "expanded", "half", "integers", "empty"], "\(form)")
      #expect(state["plain"]?.scalars == [0, 1, 2, 3, 4, 5] && state["plain"]?.shape == [2, 3])
      #expect(state["transposed"]?.scalars == [0, 3, 1, 4, 2, 5] && state["transposed"]?.shape == [3, 2])
      #expect(state["column"]?.scalars == [1, 4])
      #expect(state["expanded"]?.scalars == [7, 7, 7, 7])
      #expect(state["half"]?.scalars == [0.5, -2])
      #expect(state["integers"]?.scalars == [-1, 300])
      #expect(state["empty"]?.shape == [0, 2])
    }
  }

  @Test(arguments: ["zip", "deflated", "legacy"])
  func noCutFileCrashesOrReads(form: String) throws {
    let bytes = try bytes(form)
    for end in stride(from: 0, to: bytes.count, by: 7) {
      #expect(throws: CheckpointError.self) { try PyTorchFile.decode(Array(bytes[..<end]), from: form) }
    }
  }

  @Test(arguments: ["zip", "deflated", "legacy"])
  func noDamagedByteCrashes(form: String) throws {
    let bytes = try bytes(form)
    var survived = 0
    for index in stride(from: 0, to: bytes.count, by: 3) {
      for value: UInt8 in [0, 0xff, bytes[index] ^ 1] {
        var damaged = bytes
        damaged[index] = value
        if (try? PyTorchFile.decode(damaged, from: form)) != nil { survived += 1 }
      }
    }
    #expect(survived > 0, "some bytes are padding, which may be anything")
  }

  @Test func aPickleThatWouldRunCodeIsAPlaceholderByName() throws {
    // Weights beside such a thing load; nothing of it runs.
    let pickle = try Unpickler.unpickle(Array("cos\nsystem\n(X\u{2}\0\0\0lstR.".utf8), from: "evil.pt")
    #expect(pickle.placeholders == ["os.system"] && pickle.object(pickle.root)?.name == "os.system")
    let error = #expect(throws: CheckpointError.self) {
      _ = try Unpickler.unpickle(Array("cos\nsystem\n(X\u{2}\0\0\0lstR.".utf8), .arrays, from: "evil.pt")
    }
    #expect(error?.description.contains("'os.system'") == true)
    #expect(error?.file == "evil.pt")
  }

  @Test func aCutFileSaysSo() throws {
    for form in ["zip", "legacy"] {
      let bytes = try bytes(form)
      let error = #expect(throws: CheckpointError.self) { try PyTorchFile.decode(bytes.dropLast(30), from: form) }
      #expect(
        error?.problem.contains("is cut off") == true && error?.problem.contains("byte \(bytes.count - 30)") == true)
    }
  }

  @Test func anotherKindOfFileIsNamed() {
    for (bytes, says) in [
      (Safetensors.encode(["a": Tensor(1)]), "is a safetensors file"), (Array("<html>".utf8), "is an HTML page"),
    ] {
      let error = #expect(throws: CheckpointError.self) { try PyTorchFile.decode(bytes, from: "x.pt") }
      #expect(error?.problem.hasPrefix(says) == true)
    }
    let error = #expect(throws: CheckpointError.self) { try Safetensors.decode(TorchFile.zip(.none), from: "x") }
    #expect(error?.problem.hasPrefix("is a PyTorch file") == true)
  }

  @Test(arguments: [
    "", ".", "0.", "e.", "u.", "t.", "h\u{5}.", "Q.", "R.", "NNR.", "Nb.", "X\u{7f}\u{7f}\u{7f}\u{7f}.", "]NNs.",
    "(Nd.",
    "c\n", "I1\n.",
  ])
  func aDamagedPickleIsRefused(text: String) {
    #expect(throws: CheckpointError.self) { try Unpickler.unpickle(Array(text.utf8), from: "damaged.pt") }
  }

  @Test func deepAndCyclicPicklesDoNotOverflowTheStack() throws {
    let deep =
      [UInt8](repeating: UInt8(ascii: "]"), count: 300_000) + [UInt8](repeating: UInt8(ascii: "a"), count: 299_999)
    #expect(try Unpickler.unpickle(deep + [UInt8(ascii: ".")], from: "deep").containers.count == 300_000)
    let cyclic = try Unpickler.unpickle([0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e], from: "cyclic")
    #expect(cyclic.items(cyclic.root)?.count == 1)
  }

  @Test(
    arguments: [
      (0, [4], [1]), (1, [3], [1]), (0, [2, 2], [1, 2]), (-1, [1], [1]), (0, [2], [-1]),
      (0, [1 << 40, 1 << 40], [0, 0]),
      (0, [2], [Int.max]), (0, [1], []),
    ] as [(Int, [Int], [Int])])
  func aTensorOutsideItsStorageIsRefused(offset: Int, shape: [Int], strides: [Int]) {
    #expect(throws: CheckpointError.self) {
      try Unpickler.unpickle(pickledTensor(storageCount: 3, offset, shape, strides), from: "outside.pt")
    }
  }

  @Test func aTensorInsideItsStorageIsNotRefused() throws {
    let pickle = try Unpickler.unpickle(pickledTensor(storageCount: 3, 0, [2, 2], [1, 1]), from: "inside.pt")
    guard case .tensor(let tensor) = pickle.root else { return #expect(Bool(false), "no tensor") }
    #expect(tensor.shape == [2, 2])
  }

  /// A pickle of one tensor of floats.
  private func pickledTensor(storageCount: Int, _ offset: Int, _ shape: [Int], _ strides: [Int]) -> [UInt8] {
    func text(_ s: String) -> [UInt8] { [0x8c, UInt8(s.utf8.count)] + Array(s.utf8) }
    func integer(_ i: Int) -> [UInt8] { [0x8a, 8] + withUnsafeBytes(of: i.littleEndian) { Array($0) } }
    func tuple(_ parts: [[UInt8]]) -> [UInt8] { Array("(".utf8) + parts.flatMap { $0 } + Array("t".utf8) }
    let storage =
      tuple([
        text("storage"), Array("ctorch\nFloatStorage\n".utf8), text("0"), text("cpu"), integer(storageCount),
      ]) + Array("Q".utf8)
    let arguments = tuple([storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer))])
    return Array("ctorch._utils\n_rebuild_tensor_v2\n".utf8) + arguments + Array("R.".utf8)
  }

  private func bytes(_ form: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: fixture("tensors-\(form).pt", in: .module)))
  }
}

/// Needs `ENCODENET_DATA`, a folder with `weights/`.
@Suite(.enabled(if: PublishedData.folder != nil, "set ENCODENET_DATA to a folder with weights/ to run these"))
struct PublishedWeightsTests {
  @Test func theLegacyFileOfResNet20EqualsItsSafetensorsForm() throws {
    let folder = try #require(PublishedData.folder).appendingPathComponent("weights")
    let legacy = try loadState(from: folder.appendingPathComponent("akamaster-resnet20-cifar10.th"))
    let safe = try loadState(from: folder.appendingPathComponent("akamaster-resnet20-cifar10.safetensors"))
    #expect(legacy.count > 60)
    #expect(legacy.mapValues(\.shape) == safe.mapValues(\.shape))
    #expect(legacy.mapValues(\.scalars) == safe.mapValues(\.scalars))
    var g = SplittableGenerator(seed: 1)
    let model = ResNet(depth: 20, classes: 10, shortcut: .identity, using: &g)
    try model.load(legacy)
    #expect(model.stateDictionary.mapValues(\.scalars) == safe.mapValues(\.scalars))
  }

  @Test func theZipFileOfBurnIsRead() throws {
    let state = try loadState(from: try #require(PublishedData.folder).appendingPathComponent("weights/burn-mnist.pt"))
    #expect(state.count == 18)
    #expect(state["conv1.weight"]?.shape == [8, 1, 3, 3])
    #expect(state["fc1.weight"]?.count == 371_712)
    #expect(state.values.allSatisfy { $0.scalars.allSatisfy(\.isFinite) })
  }
}
