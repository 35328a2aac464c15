import FileFormats
import Testing

struct FileErrorTests {
  @Test func theDescriptionHasFilePlaceFoundAndWanted() {
    #expect(FileError("is damaged").description == "is damaged")
    #expect(FileError("is damaged", in: "x.npy").description == "x.npy: is damaged")
    let error = FileError("the end", wanted: "4 bytes", at: "byte 8", in: "x.npy")
    #expect(error.description == "x.npy: byte 8: the end, wanted 4 bytes" && error.problem.hasPrefix("byte 8"))
    #expect(error.located(in: "y.npy").description == "y.npy: byte 8: the end, wanted 4 bytes")
  }

  @Test func aReaderNamesTheByteItStandsAt() throws {
    var reader = ByteReader([1, 2, 3, 4, 5], file: "x")
    #expect(try reader.integer(4) == 0x0403_0201 && reader.offset == 4)
    let error = #expect(throws: FileError.self) { try reader.bytes(2) }
    #expect(error == FileError("the end at byte 5", wanted: "2 bytes", at: "byte 4", in: "x"))
    #expect(try reader.byte() == 5)
  }
}
