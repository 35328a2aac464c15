import Foundation
import TestSupport
import Testing

@testable import Datasets

/// JPEGs that `Scripts/fixtures_images.py` had Pillow decode at a reduced scale and in full, and scale.
private struct Reduced: Decodable, Sendable, CustomTestStringConvertible {
  struct Picture: Decodable, Sendable {
    let shape: [Int]
    let pixels: Data
    var image: DecodedImage { DecodedImage(pixels: [UInt8](pixels), shape: Shape(shape)) }
  }
  let name: String
  let file: Data
  let reduction: Int
  let fit: String
  let height: Int
  let width: Int
  let reduced: Picture
  let full: Picture
  var testDescription: String { name }

  static let all: [Reduced] = try! fixture("reduced", in: .module)

  var bytes: [UInt8] { [UInt8](file) }
  func preparation(_ decoding: ImagePreparation.Decoding) -> ImagePreparation {
    let fit = ImagePreparation.Fit(rawValue: fit)!
    return ImagePreparation(size: ImageSize(height: height, width: width), fit: fit, decoding: decoding)
  }
}

/// The files of every format in `images.json`.
private struct Files: Decodable {
  struct File: Decodable {
    let name: String
    let file: Data
  }
  let files: [File]
}

/// The mean and the largest difference of two images in levels.
private func difference(_ a: DecodedImage, _ b: DecodedImage) -> (mean: Double, largest: Int) {
  guard a.shape == b.shape else { return (.infinity, .max) }
  let all = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
  return (Double(all.reduce(0, +)) / Double(all.count), all.max() ?? 0)
}

@Suite struct ReducedDecodingTests {
  /// Versions of libjpeg may differ by a level before a filter averages them, and inks by two.
  @Test(arguments: Reduced.all) fileprivate func reducedImagesAreThoseOfPillowsDraft(one: Reduced) throws {
    let image = try DecodedImage(encoded: one.bytes, preparedBy: one.preparation(.reduced))
    let found = difference(image, one.reduced.image)
    #expect(found.largest <= 2, "differs by \(found)")
    let full = difference(try DecodedImage(encoded: one.bytes, preparedBy: one.preparation(.full)), one.full.image)
    #expect(full.largest <= 2, "decoded in full differs by \(full)")
  }

  /// What ``ImagePreparation/Decoding/reduced`` says of photographs; to an eighth, of few pixels, it is more.
  @Test(arguments: Reduced.all) fileprivate func reducedImagesAreCloseToThoseDecodedInFull(one: Reduced) throws {
    let image = try DecodedImage(encoded: one.bytes, preparedBy: one.preparation(.reduced))
    let found = difference(image, one.full.image)
    #expect(found.mean <= 2 && found.largest <= 8, "differs by \(found)")
    if one.reduction == 1 { #expect(found.largest <= 2) }
  }

  @Test(arguments: Reduced.all) fileprivate func asMuchIsLeftAsTheSizeWantedNeeds(one: Reduced) throws {
    let file = try EncodedImage(one.bytes)
    let (height, width) = file.header.size(upright: true)
    let divides = file.header.orientation != 1
    let reduction = one.preparation(.reduced).reduction(height: height, width: width, divides: divides)
    #expect(reduction == one.reduction)
    #expect(one.preparation(.full).reduction(height: height, width: width, divides: divides) == 1)
    let decoded = try file.decoded(appliesOrientation: true, reduction: reduction)
    #expect(decoded.shape[0] == (height + reduction - 1) / reduction)
    if reduction > 1, one.fit == "stretch" {
      #expect(decoded.shape[0] >= 2 * one.height && decoded.shape[1] >= 2 * one.width, "\(decoded.shape)")
    }
  }

  @Test func rowByRowImagesAreThoseOfTheWholeImage() throws {
    let files: Files = try fixture("images", in: .module)
    let all = files.files.map { [UInt8]($0.file) } + Reduced.all.map(\.bytes)
    for bytes in all {
      let whole = try DecodedImage(encoded: bytes)
      for fit in ImagePreparation.Fit.allCases {
        for size in [ImageSize(7), ImageSize(height: 40, width: 9), ImageSize(height: 11, width: 70), ImageSize(1)] {
          let preparation = ImagePreparation(size: size, fit: fit, decoding: .full)
          #expect(try DecodedImage(encoded: bytes, preparedBy: preparation) == preparation(whole))
        }
      }
    }
  }

  @Test func channelsAreTheOnesWanted() throws {
    for one in Reduced.all {
      let file = try EncodedImage(one.bytes)
      let preparation = one.preparation(.reduced)
      let image = try file.prepared(by: preparation)
      #expect(try file.prepared(by: preparation, channels: 3) == image.inColour)
      #expect(try file.prepared(by: preparation, channels: 1) == image.inGrey)
    }
  }

  @Test func boxesAreCutOutOfTheWholeImage() throws {
    for one in Reduced.all where one.height > 8 && one.reduction > 1 {
      let file = try EncodedImage(one.bytes)
      let stored = try DecodedImage(encoded: one.bytes, appliesOrientation: false).inColour
      let boxes = [
        PixelBox(top: 3, left: 5, height: 40, width: 50), PixelBox(top: 0, left: 0, height: 16, width: 16),
        PixelBox(top: 0, left: 0, height: stored.shape[0], width: stored.shape[1]),
      ]
      let preparation = ImagePreparation(size: ImageSize(8))
      var pixels = [UInt8](repeating: 0, count: boxes.count * 192)
      try pixels.withUnsafeMutableBufferPointer { pixels in
        try file.write(boxes, preparation, channels: 3) { .init(rebasing: pixels[$0 * 192..<($0 + 1) * 192]) }
      }
      for (index, box) in boxes.enumerated() {
        let part = (box.top..<box.top + box.height).flatMap { row in
          let start = (row * stored.shape[1] + box.left) * 3
          return stored.pixels[start..<start + box.width * 3]
        }
        let wanted = preparation(DecodedImage(pixels: part, shape: [box.height, box.width, 3]))
        #expect(Array(pixels[index * 192..<(index + 1) * 192]) == wanted.pixels, "\(one.name), box \(index)")
      }
    }
  }

  @Test func noPartOfAFileIsTakenForTheWhole() throws {
    for one in Reduced.all where one.reduction > 1 {
      for decoding in ImagePreparation.Decoding.allCases {
        for share in [30, 50, 70, 90, 98] {
          let part = Array(one.bytes.prefix(one.bytes.count * share / 100))
          let error = #expect(throws: UnreadableImage.self, "\(one.name), \(share) %") {
            try EncodedImage(part).prepared(by: one.preparation(decoding))
          }
          #expect(error?.kind == "damaged JPEG")
        }
      }
    }
  }

  @Test func filesWithWrongBytesNeverCrash() throws {
    var generator = SplittableGenerator(seed: 1)
    for one in Reduced.all {
      for _ in 0..<100 {
        var bytes = one.bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: 2..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
        }
        guard let header = try? ImageHeader(bytes), header.storedHeight * header.storedWidth < 1 << 22 else { continue }
        let size = ImageSize(Int.random(in: 1...20, using: &generator))
        let fit = ImagePreparation.Fit.allCases.randomElement(using: &generator)!
        if let image = try? DecodedImage(encoded: bytes, preparedBy: ImagePreparation(size: size, fit: fit)) {
          #expect(image.pixels.count == image.shape.count)
        }
      }
    }
  }

  @Test func aFolderHasThePixelsOfItsFiles() throws {
    try withFolder { folder in
      for (index, one) in Reduced.all.enumerated() {
        for name in ["a", "b"] { try folder.write("\(name)/\(index / 10)\(index % 10).jpg", one.bytes) }
      }
      for decoding in ImagePreparation.Decoding.allCases {
        var options = ImageOptions(size: ImageSize(6))
        options.decoding = decoding
        let data = try ImageFolder.load(folder, options)
        #expect(data.preparation == ImagePreparation(size: ImageSize(6), decoding: decoding))
        let wanted = try Reduced.all.map {
          try DecodedImage(encoded: $0.bytes, preparedBy: data.preparation!).inColour.pixels
        }
        for part in [data.training, data.test] {
          for index in 0..<part.count { #expect(wanted.contains(part.image(at: index))) }
        }
        // The same file for a network of the same preparation.
        var files = try ImageFiles([folder.path + "/a/00.jpg"])
        #expect(files.images(0..<1, data.preparation!, channels: 3)[0]?.pixels == wanted[0])
        let url = folder.appendingPathComponent("a/00.jpg")
        #expect(try DecodedImage(contentsOf: url, preparedBy: data.preparation!).pixels == wanted[0])
      }
    }
  }

  @Test func preparationsOfEarlierVersionsDecodeInFull() throws {
    func decoded(_ json: String) throws -> ImagePreparation {
      try JSONDecoder().decode(ImagePreparation.self, from: Data(json.utf8))
    }
    let earlier = try decoded(#"{"size":64,"fit":"resize","appliesOrientation":true}"#)
    #expect(earlier.decoding == .full && "\(earlier)".hasSuffix("JPEGs decoded in full"))
    #expect(
      try decoded(#"{"size":64,"fit":"resize","appliesOrientation":true,"decoding":"reduced"}"#).decoding == .reduced)
    #expect(throws: (any Error).self) {
      try decoded(#"{"size":64,"fit":"resize","appliesOrientation":true,"decoding":"half"}"#)
    }
    let preparation = ImagePreparation(size: ImageSize(64), decoding: .full)
    #expect(try decoded(String(decoding: JSONEncoder().encode(preparation), as: UTF8.self)) == preparation)
    #expect(ImageOptions(preparation).preparation(ofAll: nil) == preparation)
  }

  @Test func largeReductionsAreNeverBelowTwiceTheSize() {
    for (height, width, side, wanted) in [
      (255, 500, 64, 1), (256, 500, 64, 2), (512, 511, 64, 2), (512, 512, 64, 4), (3000, 4000, 64, 8), (16, 16, 1, 8),
      (1, 30_000, 32, 1), (375, 500, 224, 1),
    ] {
      let preparation = ImagePreparation(size: ImageSize(side), fit: .stretch)
      let found = preparation.reduction(height: height, width: width, divides: false)
      #expect(found == wanted, "\(height) by \(width) to \(side): \(found)")
    }
    let odd = ImagePreparation(size: ImageSize(8))
    #expect(odd.reduction(height: 66, width: 90, divides: false) == 4)
    #expect(odd.reduction(height: 66, width: 90, divides: true) == 2)
  }
}
