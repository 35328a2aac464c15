import Foundation
import Testing

@testable import FileFormats

@Suite struct RegularFileTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test func aFileIsReadUpToALimit() throws {
    try withFolder { folder in
      let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/a"))
      try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "a")
      for name in ["/a", "/link"] {
        #expect(try readFile(path: folder + name, upTo: 5000) == bytes)
        #expect(try readFile(path: folder + name, upTo: 10) == Array(bytes[..<10]))
        #expect(try readFile(path: folder + name, upTo: 0) == [])
      }
      try Data().write(to: URL(fileURLWithPath: folder + "/empty"))
      #expect(try readFile(path: folder + "/empty", upTo: 10) == [])
    }
  }

  @Test func whatIsNoRegularFileIsRefused() throws {
    try withFolder { folder in
      #expect(throws: FileError("there is no such file", in: folder + "/none")) {
        try readFile(path: folder + "/none", upTo: 10)
      }
      #expect(throws: FileError("is a folder, a file is wanted", in: folder)) { try readFile(path: folder, upTo: 10) }
      // Nobody writes to it: opening it must not wait.
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      #expect(throws: FileError("no regular file", in: folder + "/pipe")) {
        try readFile(path: folder + "/pipe", upTo: 10)
      }
    }
  }

  #if os(Linux)
    @Test func whatTheKernelGivesHasNoLengthAndIsRead() throws {
      #expect(try !readFile(path: "/proc/self/status", upTo: 1 << 16).isEmpty)
    }
  #endif
}
