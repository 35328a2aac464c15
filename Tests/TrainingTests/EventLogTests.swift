import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Training

struct EventLogTests {
  /// The records of a file, whose checksums are right.
  private func records(_ data: [UInt8]) throws -> [[UInt8]] {
    func number(_ place: Int, _ bytes: Int) -> UInt64 {
      (0..<bytes).reduce(0) { $0 | UInt64(data[place + $1]) << (8 * UInt64($1)) }
    }
    func masked(_ bytes: [UInt8]) -> UInt64 {
      let crc = crc32c(bytes)
      return UInt64((crc >> 15 | crc << 17) &+ 0xa282_ead8)
    }
    var (records, place): ([[UInt8]], Int) = ([], 0)
    while place < data.count {
      let length = Int(number(place, 8))
      #expect(number(place + 8, 4) == masked(Array(data[place..<place + 8])))
      let record = Array(data[place + 12..<place + 12 + length])
      #expect(number(place + 12 + length, 4) == masked(record))
      records.append(record)
      place += 16 + length
    }
    return records
  }

  @Test func theCheckSumIsCastagnolis() {
    // The check value of CRC-32C in every catalogue of checksums.
    #expect(crc32c(Array("123456789".utf8)) == 0xe306_9283)
    // RFC 3720, B.4: 32 bytes of zeros.
    #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
  }

  @Test func numbersAreWrittenAsTensorBoardReadsThem() throws {
    try withFolder { folder in
      let log = try EventLog(in: folder)
      try log.append(["loss": 0.5], step: 300)
      #expect(log.url.lastPathComponent.hasPrefix("events.out.tfevents."))
      let records = try records([UInt8](Data(contentsOf: log.url)))
      #expect(records.count == 2)
      // After the time (key 9 and eight bytes) the version as field 3.
      #expect(Array(records[0].dropFirst(9)) == [0x1a, 13] + Array("brain.Event:2".utf8))
      // Field 2: step 300 as a varint; field 5: a summary of one value, its tag and its float.
      let value: [UInt8] = [0x0a, 4] + Array("loss".utf8) + [0x15, 0, 0, 0, 0x3f]
      #expect(
        Array(records[1].dropFirst(9)) == [0x10, 0xac, 0x02, 0x2a, UInt8(value.count + 2), 0x0a, UInt8(value.count)]
          + value)
    }
  }

  @Test func eachLogHasAFileOfItsOwn() throws {
    try withFolder { folder in
      let (first, second) = (try EventLog(in: folder), try EventLog(in: folder))
      #expect(first.url != second.url)
    }
  }
}
