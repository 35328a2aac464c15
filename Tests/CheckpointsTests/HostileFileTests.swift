import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// Files that were made to do harm, given to what reads files of every kind.
struct HostileFileTests {
  /// Loads a file of these bytes.
  private func load(_ bytes: [UInt8]) throws -> StateDictionary {
    try withFolder { folder in
      let file = folder.appendingPathComponent("hostile")
      try Data(bytes).write(to: file)
      return try loadState(from: file)
    }
  }

  @Test(arguments: [
    "", "P", "PK", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "\u{1}", "{}", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
  ])
  func filesOfNothingAreRefused(text: String) throws {
    #expect(throws: CheckpointError.self) { try load(Array(text.utf8)) }
    #expect(throws: CheckpointError.self) { try NumPy.decode(Array(text.utf8), from: "x.npy") }
  }

  /// `file` with the number of four bytes at `offset` from the first entry of its directory set to `value`.
  private func patched(_ file: String, _ offset: Int, _ value: UInt32) throws -> [UInt8] {
    var bytes = [UInt8](try Data(contentsOf: fixture(file, in: .module)))
    let entry = try #require(bytes.indices.dropLast(46).first { bytes[$0...].starts(with: [0x50, 0x4b, 1, 2]) })
    for byte in 0..<4 { bytes[entry + offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    return bytes
  }

  @Test func aZipBombIsRefusedBeforeItUnfolds() throws {
    // The directory lies: a few hundred bytes that claim to be gigabytes, or a member longer than it says.
    for (size, says) in [
      (0x8000_0000 as UInt32, "claims to unfold"), (8, "does not unfold to what its directory says"),
    ] {
      let error = #expect(throws: CheckpointError.self) {
        try NumPy.decodeArchive(patched("arrays-deflated.npz", 24, size), from: "bomb.npz")
      }
      #expect(error?.problem.contains(says) == true, "\(error.map(\.description) ?? "")")
    }
    // And a member that is said to lie beyond the end.
    #expect(throws: CheckpointError.self) {
      try NumPy.decodeArchive(patched("arrays.npz", 42, 0x7fff_ffff), from: "bomb.npz")
    }
  }

  @Test func membersWithPathsAreOnlyNames() throws {
    let array = NumPy.encode(Tensor([1, 2], shape: [2]))
    let name = "../../../../tmp/encodenet-was-here"
    let state = try NumPy.decodeArchive(ZipArchive.stored([("\(name).npy", array)]), from: "x.npz")
    #expect(state[name]?.scalars == [1, 2] && !FileManager.default.fileExists(atPath: "/tmp/encodenet-was-here"))
  }

  @Test func lengthsBeyondEveryFileAreRefused() throws {
    for length in [1 << 63, .max, 1 << 62, 0xffff_ffff] as [UInt64] {
      let field = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) }
      #expect(throws: CheckpointError.self) { try load(field + Array("{}".utf8)) }
      // NumPy's version 2 has four bytes for its header's length.
      let array = [0x93] + Array("NUMPY".utf8) + [2, 0] + field.prefix(4)
      #expect(throws: CheckpointError.self) { try NumPy.decode(array, from: "x.npy") }
    }
    let huge = #"{"descr": "<f4", "fortran_order": False, "shape": (4611686018427387904, 4), }"#
    let header = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(huge.utf8.count), 0] + Array(huge.utf8)
    #expect(throws: CheckpointError.self) { try NumPy.decode(header, from: "x.npy") }
  }
}
