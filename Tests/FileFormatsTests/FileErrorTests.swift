import FileFormats
import Foundation
import Testing

struct FileErrorTests {
  @Test(arguments: [
    (#"{"a""#, "it is cut off, or no JSON"), (#"{}"#, "it lacks 'a'"), (#"{"a": {"b": "x"}}"#, "'a.b' is no Int"),
    (#"{"a": {}}"#, "'a' lacks 'b'"), (#"{"a": null}"#, "'a' is no "),
  ]) func whatDoesNotDecodeIsSaidInWords(json: String, says: String) {
    struct Inner: Decodable { let b: Int }
    struct Outer: Decodable { let a: Inner }
    do {
      _ = try JSONDecoder().decode(Outer.self, from: Data(json.utf8))
      Issue.record("\(json) was decoded")
    } catch {
      let problem = problem(inDecoding: error)
      #expect(problem.hasPrefix(says) && !problem.contains("DecodingError"), "\(problem)")
    }
  }

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
