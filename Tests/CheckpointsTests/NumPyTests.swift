import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

struct NumPyTests {
  @Test func filesOfNumPyAreRead() throws {
    let state = try NumPy.loadArchive(try fixture("arrays.npz", in: .module))
    #expect(state["matrix"]?.shape == [2, 3] && state["matrix"]?.scalars == [0, 1, 2, 3, 4, 5])
    #expect(state["fortran"]?.shape == [2, 3] && state["fortran"]?.scalars == [0, 1, 2, 3, 4, 5])
    #expect(state["cube"]?.shape == [2, 2, 2] && state["cube"]?.scalars == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(state["scalar"]?.shape == [] && state["scalar"]?.item == 2.5)
    #expect(
      state["half"]?.scalars == [0.5, -2] && state["bytes"]?.scalars == [0, 255] && state["flags"]?.scalars == [1, 0])
    #expect(state["long"]?.scalars == [-1, 300] && state["empty"]?.shape == [0, 4])
    #expect(state.count == 9)
    let deflated = try NumPy.loadArchive(try fixture("arrays-deflated.npz", in: .module))
    #expect(deflated.mapValues(\.scalars) == state.mapValues(\.scalars))
    #expect(try loadState(from: try fixture("arrays.npz", in: .module)).keys.count == 9)
  }

  @Test func whatIsWrittenReadsBackBitForBit() throws {
    let tensors: StateDictionary = [
      "a": Tensor([1, -2.5, 3, 0.25], shape: [2, 2]), "b.weight": Tensor(7), "vector": Tensor([1, 2, 3], shape: [3]),
      "empty": Tensor([], shape: [0, 3]),
    ]
    try withFolder { folder in
      let (one, all) = (folder.appendingPathComponent("a.npy"), folder.appendingPathComponent("all.npz"))
      try NumPy.save(tensors["a"]!, to: one)
      #expect(try NumPy.load(one).scalars == tensors["a"]!.scalars)
      try NumPy.save(tensors, to: all)
      let read = try NumPy.loadArchive(all)
      #expect(read.mapValues(\.scalars) == tensors.mapValues(\.scalars))
      #expect(read.mapValues(\.shape) == tensors.mapValues(\.shape))
    }
    // NumPy wants its data at a multiple of 64 bytes.
    #expect((NumPy.encode(Tensor(1)).count - MemoryLayout<Scalar>.size) % 64 == 0)
  }

  @Test(arguments: [
    ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4, "'|O'"),
    ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4, "'>f4'"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "structured"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4, "4 bytes"),
    (
      "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }", 4, "impossible"
    ),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4, "shape"),
    ("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", 4, "order"),
    ("{'descr': '<f4', 'shape': (1,), }", 4, "fortran_order"), ("", 4, "descr"), ("{'descr'", 0, "descr"),
  ])
  func whatIsNoTensorIsRefusedByName(header: String, data: Int, problem: String) {
    var bytes: [UInt8] =
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
    bytes += Array(header.utf8) + [UInt8](repeating: 0, count: data)
    let error = #expect(throws: CheckpointError.self) { try NumPy.decode(bytes, from: "x.npy") }
    #expect(error?.description.contains(problem) == true && error?.file == "x.npy", "\(String(describing: error))")
  }

  @Test func membersOfAnotherKindAreNamedAndTheRestLoads() throws {
    let file = try WeightsFile(contentsOf: fixture("arrays-others.npz", in: .module))
    #expect(try file.largest().tensors().mapValues(\.scalars) == ["a": [0, 1, 2, 3, 4, 5]])
    #expect(
      file.maps[0].unread == [
        "arch (has elements '<U7', which are not read)", "big (has elements '>f4', which are not read)",
        "classes (has elements '<U3', which are not read)", "objects (has elements '|O', which are not read)",
      ])
    let one = NumPy.encode(Tensor([1, 2], shape: [2]))
    let archive = ZipArchive.stored([("a.npy", one), ("__MACOSX/._a.npy", [1]), ("notes.txt", [1]), ("x/._b.npy", [2])])
    let read = try NumPy.members(archive, from: "x.npz")
    #expect(read.state.keys.sorted() == ["a"] && read.unread.count == 3 && NumPy.recognizesArchive(archive))
  }

  @Test func integersOfPython2AreRead() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
    #expect(try NumPy.decode(bytes + [UInt8](repeating: 0, count: 8), from: "x.npy").shape == [2, 1])
  }

  @Test func filesThatEndEarlyAreRefused() throws {
    let whole = NumPy.encode(Tensor([1, 2, 3, 4], shape: [2, 2]))
    for count in 0..<whole.count {
      #expect(throws: CheckpointError.self) { try NumPy.decode(Array(whole.prefix(count)), from: "x.npy") }
    }
    let archive = ZipArchive.stored([("a.npy", whole)])
    for count in stride(from: 0, to: archive.count, by: 7) {
      #expect(throws: CheckpointError.self) { try NumPy.decodeArchive(Array(archive.prefix(count)), from: "x.npz") }
    }
  }
}
