import Foundation
import TestSupport
import Testing

@testable import Datasets

/// What `Scripts/fixtures_images.py` wrote with Pillow.
private struct Fixtures: Decodable, Sendable {
  struct Picture: Decodable, Sendable {
    let shape: [Int]
    let pixels: Data
    var image: DecodedImage { DecodedImage(pixels: [UInt8](pixels), shape: Shape(shape)) }
  }
  struct File: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let file: Data
    let tolerance: Int
    let image: Picture
    var testDescription: String { name }
  }
  struct Scaled: Decodable, Sendable, CustomTestStringConvertible {
    let image: Picture
    let height: Int
    let width: Int
    let results: [String: Picture]
    var testDescription: String { "\(image.shape) to \(height) by \(width)" }
  }
  let files: [File]
  let scaled: [Scaled]

  static let all: Fixtures = try! fixture("images", in: .module)
}

@Suite struct ImageFixtureTests {
  @Test(arguments: Fixtures.all.files) fileprivate func everyFormatHasPillowsPixels(file: Fixtures.File) throws {
    let image = try DecodedImage(encoded: [UInt8](file.file))
    let wanted = file.image.image
    guard image.shape == wanted.shape else { return #expect(image.shape == wanted.shape) }
    let worst = zip(image.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }.max()!
    #expect(worst <= file.tolerance, "\(file.name) differs by \(worst) levels")
  }

  @Test(arguments: Fixtures.all.scaled) fileprivate func everyFitHasPillowsPixels(scaled: Fixtures.Scaled) throws {
    for (name, wanted) in scaled.results {
      let fit = try #require(ImagePreparation.Fit(rawValue: name))
      let size = ImageSize(height: scaled.height, width: scaled.width)
      let result = ImagePreparation(size: size, fit: fit)(scaled.image.image)
      #expect(result.shape == wanted.image.shape && result.pixels == wanted.image.pixels, "\(fit)")
    }
  }

  @Test func orientationCanBeLeftAsItIs() throws {
    let turned = try #require(Fixtures.all.files.first { $0.name == "orientation-6.png" })
    let upright = try #require(Fixtures.all.files.first { $0.name == "orientation-1.png" })
    #expect(
      try DecodedImage(encoded: [UInt8](turned.file), appliesOrientation: false) == upright.image.image)
  }

  @Test func noPartOfAFileIsTakenForTheWhole() throws {
    for file in Fixtures.all.files where !file.name.hasSuffix(".png") && !file.name.hasSuffix(".jpg") {
      let whole = [UInt8](file.file)
      // Of text the last digits may be missing unseen, and a picture of runs has two bytes at its end.
      let isText = whole.starts(with: Array("P3".utf8)) || whole.starts(with: Array("P2".utf8))
      for count in 0..<whole.count - (isText ? 3 : 2) where count % 3 == 0 {
        // What comes behind the pixels of a WebP may be missing.
        guard let image = try? DecodedImage(encoded: Array(whole.prefix(count))) else { continue }
        #expect(file.name.hasPrefix("orientation") && image.shape[0] == 9, "\(file.name), \(count) bytes")
      }
    }
  }

  @Test func filesWithWrongBytesNeverCrash() throws {
    var generator = SplittableGenerator(seed: 1)
    for file in Fixtures.all.files {
      for _ in 0..<200 {
        var bytes = [UInt8](file.file)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: 2..<min(bytes.count, 80), using: &generator)] = .random(in: 0...255, using: &generator)
        }
        // Large images would only take time here.
        guard let header = try? ImageHeader(bytes), header.storedHeight * header.storedWidth < 1 << 22 else { continue }
        if let image = try? DecodedImage(encoded: bytes) { #expect(image.pixels.count == image.shape.count) }
      }
    }
  }

  @Test func aPreparationIsReadBackAndRefusesWhatIsNone() throws {
    let preparation = ImagePreparation(size: ImageSize(height: 48, width: 64), fit: .pad, appliesOrientation: false)
    let json = try JSONEncoder().encode(preparation)
    #expect(try JSONDecoder().decode(ImagePreparation.self, from: json) == preparation)
    #expect("\(preparation)" == "64 by 48 pixels, scaled to lie within, on black")
    for size in ["0", "2000", #""64x""#, #""x""#, #""1x2x3""#, "-1", "null", "[1,2]"] {
      let text = #"{"size":\#(size),"fit":"resize","appliesOrientation":true}"#
      #expect(throws: (any Error).self) { try JSONDecoder().decode(ImagePreparation.self, from: Data(text.utf8)) }
    }
    #expect(ImageSize("48x64") == ImageSize(height: 48, width: 64) && ImageSize("7") == ImageSize(7))
    for text in ["", "x", "64x", "x64", "0", "1025", "1x2x3", "a", "-3", "1e3"] { #expect(ImageSize(text) == nil) }
  }

  @Test func extremeRatiosAreScaled() {
    let line = DecodedImage(pixels: [UInt8](repeating: 9, count: 30_000), shape: [30_000, 1, 1])
    for fit in ImagePreparation.Fit.allCases {
      let image = ImagePreparation(size: ImageSize(32), fit: fit)(line)
      #expect(image.shape == [32, 32, 1] && image.pixels.contains(9), "\(fit)")
    }
  }
}
