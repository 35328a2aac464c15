import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Datasets

/// 16 by 8 pixels, red on the left and blue on the right, written by `cjpeg -quality 95 -sample 1x1 -optimize`.
private let twoColours = """
  /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
  Cgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREA
  AhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAWAQEBAQAAAAAAAAAAAAAAAAAKCAn/xAAUEQEAAAAAAAAA
  AAAAAAAAAAAA/9oADAMBAAIRAxEAPwAXpTb+CGVQNe//2Q==
  """
/// The same with `-progressive` and its colours at half the resolution.
private let progressive = """
  /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
  Cgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wgARCAAIABADASIA
  AhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUAQEAAAAAAAAAAAAAAAAAAAAH/9oADAMBAAIQAxAAAAGLyEVGr//EABQQAQAAAAAAAAAAAAAA
  AAAAABD/2gAIAQEAAQUCP//EABgRAAIDAAAAAAAAAAAAAAAAAAAIRYPD/9oACAEDAQE/AWGjLsj/xAAYEQACAwAAAAAAAAAAAAAAAAAACEWDw//aAAgB
  AgEBPwFZZWjY/8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQAGPwI//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABPyE//9oADAMBAAIAAwAA
  ABAD/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPxAf/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxAn/8QAFBABAAAAAAAAAAAAAAAA
  AAAAEP/aAAgBAQABPxA//9k=
  """
/// 16 by 8 pixels of 40 above and 200 below.
private let grey = """
  /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
  Cgr/wAALCAAIABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAYEAACAwAAAAAAAAAAAAAAAAAAGmin5f/aAAgBAQAAPwCfW7mZXegFu5mV3oH/
  2Q==
  """

private func bytes(_ base64: String) throws -> [UInt8] {
  [UInt8](try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters)))
}

/// A PNG file whose header says another size than its pixels have, with the checksum of a right one.
private func sized(_ width: UInt32, _ height: UInt32) -> [UInt8] {
  var file = DecodedImage(pixels: [0], shape: [1, 1, 1]).png()
  for i in 0..<4 {
    file[16 + i] = UInt8(truncatingIfNeeded: width >> (24 - 8 * i))
    file[20 + i] = UInt8(truncatingIfNeeded: height >> (24 - 8 * i))
  }
  let crc = CRC32.of(Array(file[12..<29]))
  for i in 0..<4 { file[29 + i] = UInt8(truncatingIfNeeded: crc >> (24 - 8 * i)) }
  return file
}

@Suite struct ImageFileTests {
  @Test(arguments: [[1, 1, 1], [3, 5, 1], [4, 2, 3], [33, 65, 3]])
  func whatIsWrittenIsReadBack(dimensions: [Int]) throws {
    let shape = Shape(dimensions)
    let pixels = (0..<shape.count).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 5) }
    let image = try DecodedImage(encoded: DecodedImage(pixels: pixels, shape: shape).png())
    #expect(image == DecodedImage(pixels: pixels, shape: shape))
  }

  @Test func everyKindOfPNGComesOutGreyOrRGB() throws {
    func decoded(_ base64: String) throws -> DecodedImage { try DecodedImage(encoded: bytes(base64)) }
    // A palette of red and blue.
    #expect(
      try decoded(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAMAAADD/I+4AAAABlBMVEX/AAAAAP9sof2OAAAAC0lEQVR42mNgYAQAAAQAAizeSK0AAAAASUVORK5CYII="
      ) == DecodedImage(pixels: [255, 0, 0, 0, 0, 255], shape: [1, 2, 3]))
    // 10 20 30 opaque, 1 2 3 transparent.
    #expect(
      try decoded(
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR42mPgEpH7z8jEzAAABqQBQkMAQcoAAAAASUVORK5CYII="
      ) == DecodedImage(pixels: [10, 20, 30, 0, 0, 0], shape: [1, 2, 3]))
    // 16 bits: 0x8000 and 0xffff.
    #expect(
      try decoded("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR42mNoYPj/HwAFAgJ/yQDWdQAAAABJRU5ErkJggg==")
        == DecodedImage(pixels: [128, 255], shape: [1, 2, 1]))
    // 1 bit: 10110000.
    #expect(
      try decoded("iVBORw0KGgoAAAANSUhEUgAAAAgAAAABAQAAAADLe9LuAAAACklEQVR42mPYAAAAsgCx+IKSpwAAAABJRU5ErkJggg==")
        == DecodedImage(pixels: [255, 0, 255, 255, 0, 0, 0, 0], shape: [1, 8, 1]))
  }

  @Test(arguments: [twoColours, progressive])
  func aJPEGOfTwoColoursHasThem(base64: String) throws {
    let image = try DecodedImage(encoded: bytes(base64))
    #expect(image.shape == [8, 16, 3])
    for pixel in 0..<128 {
      let wanted = pixel % 16 < 8 ? [255, 0, 0] : [0, 0, 255]
      // Where colours have half the resolution they run into each other at the border.
      guard base64 == twoColours || ![7, 8].contains(pixel % 16) else { continue }
      for c in 0..<3 { #expect(abs(Int(image.pixels[pixel * 3 + c]) - wanted[c]) < 12) }
    }
  }

  @Test func aGreyJPEGHasOneChannel() throws {
    let image = try DecodedImage(encoded: bytes(grey))
    #expect(image.shape == [8, 16, 1])
    #expect(abs(Int(image.pixels[0]) - 40) < 4 && abs(Int(image.pixels[127]) - 200) < 4)
  }

  @Test func noPartOfAFileIsTakenForTheWhole() throws {
    for whole in [
      DecodedImage(pixels: (0..<48).map { $0 * 5 }, shape: [4, 4, 3]).png(), try bytes(twoColours),
      try bytes(progressive),
    ] {
      // Without the end mark alone the pixels are all there.
      for count in 0..<whole.count - 16 {
        #expect(throws: DataError.self) { try DecodedImage(encoded: Array(whole.prefix(count))) }
      }
    }
  }

  @Test func aFileWithWrongBytesNeverCrashes() throws {
    var generator = SplittableGenerator(seed: 1)
    for whole in [
      DecodedImage(pixels: (0..<48).map { $0 * 5 }, shape: [4, 4, 3]).png(), try bytes(twoColours),
      try bytes(progressive),
    ] {
      for _ in 0..<1000 {
        var file = whole
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          file[Int.random(in: 3..<file.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if let image = try? DecodedImage(encoded: file) { #expect(image.pixels.count == image.shape.count) }
      }
    }
  }

  @Test func anImageTooLargeIsRefusedBeforeRoomIsTaken() throws {
    let error = #expect(throws: DataError.self) { try DecodedImage(encoded: sized(65535, 65535)) }
    #expect(error?.description.contains("65535 by 65535 pixels; at most 67108864") == true)
    #expect(throws: DataError.self) { try DecodedImage(encoded: sized(0x7fff_ffff, 0x7fff_ffff)) }
    #expect(throws: DataError.self) { try DecodedImage(encoded: sized(4000, 4000)) }
    // The extents of a JPEG lie in its frame header.
    var jpeg = try bytes(twoColours)
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
    let other = #expect(throws: DataError.self) { try DecodedImage(encoded: jpeg) }
    #expect(other?.description.contains("65500 by 65500 pixels") == true)
  }

  @Test func whatIsNoImageSaysHowItBegins() {
    #expect(throws: DataError("none of PNG, JPEG, WebP, BMP and PPM: the first bytes are 97 98 99 100")) {
      try DecodedImage(encoded: Array("abcdef".utf8))
    }
    for (bytes, name, tool) in [
      (Array("GIF89a".utf8), "a GIF image", "convert"), ([0x4d, 0x4d, 0, 0x2a], "a TIFF image", "convert"),
      ([0, 0, 0, 24] + Array("ftypmif1".utf8), "a HEIC image", "heif-convert"),
    ] {
      let error = #expect(throws: DataError.self) { try DecodedImage(encoded: bytes) }
      #expect(error?.problem.hasPrefix("\(name), which is not read: convert it: \(tool) ") == true)
    }
    #expect(throws: DataError.self) { try DecodedImage(encoded: []) }
  }

  @Test func partialTransparencyMultipliesTheStoredValues() throws {
    // 200 100 50 of alpha 128 and 10 20 30 of 255, then grey 200 of alpha 64 and 7 of 255: value · alpha / 255, rounded.
    let colour = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGM4kWLUwCUi9x8ADlADGpXP8icAAAAASUVORK5CYII="
    #expect(try DecodedImage(encoded: bytes(colour)).pixels == [100, 50, 25, 10, 20, 30])
    let grey = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAQAAABeK7cBAAAADUlEQVR4nGM44cD+HwAE8gIPc0Zw1AAAAABJRU5ErkJggg=="
    #expect(try DecodedImage(encoded: bytes(grey)).pixels == [50, 7])
  }

  @Test func aJPEGOfFourInksBecomesColours() throws {
    // 51 of cyan, 0 of magenta, 102 of yellow and 51 of black, by Pillow: 204 · 204 / 255, 204 and 153 · 204 / 255.
    let inks = """
      /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoKCgYICwwLCg
      wJCgoK/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAkH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkA
      SwAAPwBMD+LITB//2Q==
      """
    let image = try DecodedImage(encoded: bytes(inks))
    #expect(image.shape == [8, 8, 3])
    for (value, wanted) in zip(image.pixels, [163, 204, 122]) { #expect(abs(Int(value) - wanted) <= 2) }
  }

  @Test func colourSpacesChangeNoStoredValue() throws {
    let picture = DecodedImage(pixels: (0..<27).map { UInt8($0 * 9) }, shape: [3, 3, 3])
    let png = picture.png()
    // After the header of 33 bytes; libpng does not check the sums of such chunks strictly, PNG does.
    func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
      func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
      let content = Array(kind.utf8) + data
      return number(UInt32(data.count)) + content + number(CRC32.of(content))
    }
    for added in [
      chunk("gAMA", [0, 1, 0x86, 0xa0]), chunk("gAMA", [0, 0, 0xd9, 3]), chunk("sRGB", [0]),
      chunk("gAMA", [0, 0, 0x27, 0x10]) + chunk("cHRM", [UInt8](repeating: 1, count: 32)),
    ] {
      #expect(try DecodedImage(encoded: Array(png[..<33]) + added + png[33...]) == picture)
    }
    // A chunk that claims more than there is stays libpng's to refuse.
    #expect(throws: DataError.self) {
      try DecodedImage(encoded: Array(png[..<33]) + [0x7f, 0xff, 0xff, 0xff] + Array("gAMA".utf8))
    }
  }

  @Test func whatCannotBeReadIsNamed() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("x.png")
      #expect(throws: DataError("there is no such file", in: file.path)) { try DecodedImage(contentsOf: file) }
      try folder.write("x.png", [])
      let empty = #expect(throws: DataError.self) { try DecodedImage(contentsOf: file) }
      #expect(empty?.file == file.path)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
      #expect(throws: DataError("no regular file", in: file.path)) { try DecodedImage(contentsOf: file) }
      #expect(throws: DataError.self) { try DecodedImage(contentsOf: folder) }
    }
  }

  @Test func resizingKeepsWhatIsSmooth() {
    let flat = DecodedImage(pixels: [UInt8](repeating: 77, count: 5 * 7 * 3), shape: [5, 7, 3])
    for (height, width) in [(1, 1), (3, 2), (11, 20), (5, 8)] {
      let image = flat.resized(height: height, width: width)
      #expect(image.shape == [height, width, 3] && image.pixels.allSatisfy { $0 == 77 })
    }
    // By two: the middles of both lie a quarter of a pixel away, as in PyTorch's bilinear without corners aligned.
    #expect(DecodedImage(pixels: [0, 100], shape: [1, 2, 1]).resized(height: 1, width: 4).pixels == [0, 25, 75, 100])
    // To a half with the triangle filter of width 2: weights 3 3 1 (of the row 0 40 80 120) and its mirror image.
    #expect(DecodedImage(pixels: [0, 40, 80, 120], shape: [1, 4, 1]).resized(height: 1, width: 2).pixels == [29, 91])
    #expect(DecodedImage(pixels: [0, 40, 80, 120], shape: [4, 1, 1]).resized(height: 2, width: 1).pixels == [29, 91])
  }

  @Test func anImageOfATensorHasTheNearestBytes() {
    let image = DecodedImage(Tensor([0, 1, 0.5, -3, 7, 0.2], shape: [1, 2, 3]))
    #expect(image == DecodedImage(pixels: [0, 255, 128, 0, 255, 51], shape: [1, 2, 3]))
  }
}
