import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct IDXTests {
  private func header(_ magic: UInt32, _ extents: [Int]) -> [UInt8] {
    ([magic] + extents.map { UInt32($0) }).flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }
  private func images(_ count: Int) -> [UInt8] { header(0x803, [count, 2, 3]) + (0..<count * 6).map { UInt8($0) } }
  private func labels(_ values: [UInt8]) -> [UInt8] { header(0x801, [values.count]) + values }

  private func writeSet(_ folder: URL, gzipped: Bool) throws {
    for (name, bytes) in [
      ("train-images-idx3-ubyte", images(4)), ("train-labels-idx1-ubyte", labels([3, 0, 9, 1])),
      ("t10k-images-idx3-ubyte", images(2)), ("t10k-labels-idx1-ubyte", labels([7, 7])),
    ] {
      if gzipped { try folder.write("\(name).gz", bytes.gzipped) } else { try folder.write(name, bytes) }
    }
  }

  @Test(arguments: [false, true], ["", "mnist", "MNIST/raw"])
  func theFourFilesAreRead(gzipped: Bool, place: String) throws {
    try withFolder { folder in
      try writeSet(place.isEmpty ? folder : folder.appendingPathComponent(place), gzipped: gzipped)
      let data = try IDX.load(folder)
      #expect(data.training.labels == [3, 0, 9, 1] && data.test.labels == [7, 7])
      #expect(data.imageShape == [2, 3, 1] && data.training.image(at: 1) == [6, 7, 8, 9, 10, 11])
    }
  }

  @Test func aFolderOfTheFilesNameIsPassedOver() throws {
    try withFolder { folder in
      try writeSet(folder, gzipped: true)
      // As an archive unpacks: the file under another published name, beside a folder of the first.
      try folder.write("train-images-idx3-ubyte/train-images-idx3-ubyte", images(4))
      #expect(try IDX.load(folder).training.count == 4)
    }
  }

  /// The problem with `bytes` in place of the file `name`.
  private func problem(_ name: String, _ bytes: [UInt8], gzipped: Bool) throws -> String {
    try withFolder { folder in
      try writeSet(folder, gzipped: gzipped)
      try folder.write(gzipped ? "\(name).gz" : name, gzipped ? bytes.gzipped : bytes)
      let error = #expect(throws: DataError.self) { try IDX.load(folder) }
      #expect(error?.file?.contains(name) == true)
      return error?.problem ?? ""
    }
  }

  @Test(arguments: [false, true]) func aWrongFileSaysWhatIsWrong(gzipped: Bool) throws {
    let (pictures, names) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    func expect(_ name: String, _ bytes: [UInt8], says text: String) throws {
      let problem = try problem(name, bytes, gzipped: gzipped)
      #expect(problem.contains(text), "\(problem)")
    }
    try expect(pictures, [], says: "0 bytes are too few for the header of 16")
    try expect(pictures, Array(images(4).prefix(15)), says: "15 bytes are too few")
    try expect(pictures, Array(images(4).dropLast()), says: "23 bytes of elements, not the 24 of [4, 2, 3]")
    try expect(pictures, images(4) + [0], says: "more than the 40 bytes that were expected")
    try expect(
      pictures, labels([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]), says: "begins with 0 0 8 1, not 0 0 8 3")
    try expect(names, labels([1, 2, 10, 3]), says: "label 10 of image 2, at byte 10, is not below 10")
    try expect(names, labels([1, 2, 3]), says: "3 labels for the 4 images beside it")
    try expect(
      pictures, header(0x803, [0xffff_ffff, 0xffff_ffff, 0xffff_ffff]), says: "are more than 1073741824 bytes")
    // Room for what the header says is not taken on its word.
    try expect(pictures, header(0x803, [10_000, 300, 300]), says: "0 bytes of elements, not the 900000000")
  }

  @Test func aGzipBombIsCutOffAtWhatTheHeaderSays() throws {
    // 64 MiB of zeros in 64 KiB, behind a header that speaks of 24 bytes.
    let bomb = (images(4) + [UInt8](repeating: 0, count: 64 << 20)).gzipped
    try withFolder { folder in
      try writeSet(folder, gzipped: true)
      try folder.write("train-images-idx3-ubyte.gz", bomb)
      let error = #expect(throws: DataError.self) { try IDX.load(folder) }
      #expect(error?.problem == "more than the 40 bytes that were expected")
      let file = folder.appendingPathComponent("train-images-idx3-ubyte.gz")
      #expect(try readUnpacked(file, limit: 41, isPrefix: true).count == 41)
    }
  }

  @Test func noPartOfAGzipFileIsTakenForTheWhole() throws {
    let whole = images(4).gzipped
    try withFolder { folder in
      try writeSet(folder, gzipped: true)
      for count in 0..<whole.count {
        try folder.write("train-images-idx3-ubyte.gz", Array(whole.prefix(count)))
        let error = #expect(throws: DataError.self) { try IDX.load(folder) }
        #expect(error?.file?.hasSuffix("train-images-idx3-ubyte.gz") == true)
      }
      // The checksum at the end.
      var wrong = whole
      wrong[wrong.count - 6] ^= 1
      try folder.write("train-images-idx3-ubyte.gz", wrong)
      let error = #expect(throws: DataError.self) { try IDX.load(folder) }
      #expect(error?.problem.contains("damaged") == true)
    }
  }

  @Test func aMissingFolderOrFileIsNamed() throws {
    try withFolder { folder in
      let error = #expect(throws: DataError.self) { try IDX.load(folder) }
      #expect(error?.file == folder.path && error?.problem.contains("there is no train-images-idx3-ubyte") == true)
      #expect(throws: DataError.self) { try IDX.load(folder.appendingPathComponent("none")) }
    }
  }
}
