import FileFormats
import Testing

struct ChecksumsTests {
  private let digits = Array("123456789".utf8)

  @Test func theCheckValuesAreThoseOfEveryCatalogue() {
    #expect(CRC32.of(digits) == 0xcbf4_3926 && CRC32.of([]) == 0)
    #expect(crc32c(digits) == 0xe306_9283)
  }

  @Test func partsGiveTheChecksumOfTheWhole() {
    var checksum = CRC32()
    for part in [digits[..<4], digits[4...]] { Array(part).withUnsafeBytes { checksum.append($0) } }
    #expect(checksum.value == CRC32.of(digits))
  }
}
