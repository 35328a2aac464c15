import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ArchiveTests {
  private func contents(
    _ bytes: [UInt8], _ limits: [String: Int] = ["a": 1000, "b": 2000]
  ) throws -> [String: [UInt8]] {
    try withFolder { folder in
      try folder.write("x.tar", bytes)
      return try TarArchive.contents(of: folder.appendingPathComponent("x.tar")) { limits[$0] }
    }
  }
  private let two = tarArchive([
    ("set/a", [1, 2, 3]), ("set/other", [9]), ("set/b", [UInt8](repeating: 7, count: 1025)),
  ])

  @Test func theWantedFilesComeOutGzippedOrNot() throws {
    for bytes in [two, two.gzipped] {
      let found = try contents(bytes)
      #expect(found == ["a": [1, 2, 3], "b": [UInt8](repeating: 7, count: 1025)])
    }
    // Without the blocks of zeros at the end, as some programs leave it.
    #expect(try contents(two.dropLast(1024)).count == 2)
    #expect(try contents([UInt8](repeating: 0, count: 1024)).isEmpty && contents([]).isEmpty)
  }

  @Test func namesLeadNowhereAndLinksAreNothing() throws {
    let hostile = tarArchive([("../../../../etc/a", [1])])
    #expect(try contents(hostile) == ["a": [1]])
    for type in "1235xgL" {
      #expect(try contents(tarHeader("a", size: 0, type: type) + two.dropFirst(1024)).count == 1)
    }
  }

  @Test(arguments: [
    ("a damaged header", "checksum"), ("cut in a file", "cut off"), ("cut in a file passed by", "cut off"),
    ("cut in a header", "cut off"), ("a name twice", "twice"), ("too large", "at most 1000 are expected"),
    ("impossible size", "impossible size"), ("no archive", "is no tar archive"), ("gzip cut", "ends early"),
    ("a bomb", "unpacks to more than"),
  ]) func whatIsWrongIsNamedWithItsPlace(what: String, says: String) throws {
    var bytes = two
    switch what {
    case "a damaged header": bytes[1024] ^= 1
    case "cut in a file": bytes = Array(bytes.prefix(1024 * 3))
    case "cut in a file passed by": bytes = Array(bytes.prefix(1024 + 512))
    case "cut in a header": bytes = Array(bytes.prefix(1024 + 100))
    case "a name twice": bytes = tarArchive([("x/a", []), ("y/a", [])])
    case "too large": bytes = tarArchive([("a", [UInt8](repeating: 0, count: 1001))])
    case "impossible size": bytes = tarHeader("a", size: 1 << 32)
    case "no archive": bytes = Array("<html>not found</html>".utf8) + [UInt8](repeating: 32, count: 1000)
    case "gzip cut": bytes = Array(bytes.gzipped.dropLast(20))
    default:
      bytes = Array(tarArchive([("x", [1])]).dropLast(1024)) + tarHeader("y", size: 1 << 28)
    }
    let error = #expect(throws: DataError.self) { try contents(bytes) }
    #expect(error?.problem.contains(says) == true && error?.file != nil, "\(what): \(String(describing: error))")
  }
}
