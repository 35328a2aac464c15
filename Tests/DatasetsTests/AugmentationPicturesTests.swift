import Foundation
import Testing

@testable import Datasets

/// The pictures of the documentation: a photograph that is computed, and eight draws of each augmentation.
///
/// `ENCODENET_WRITE_PICTURES=1 swift test --filter AugmentationPictures` writes them.
struct AugmentationPicturesTests {
  private static let side = 64

  /// A house with a red roof on a meadow, trees, a sun, hills and clouds: colours, edges, fine lines, and what has a right way up.
  private static func scene() -> [UInt8] {
    var pixels: [UInt8] = []
    for row in 0..<side {
      for column in 0..<side {
        let (x, y) = ((Double(column) + 0.5) / Double(side), (Double(row) + 0.5) / Double(side))
        pixels += colour(x, y).map { UInt8(min(max($0, 0), 1) * 255) }
      }
    }
    return pixels
  }

  private static func colour(_ x: Double, _ y: Double) -> [Double] {
    func isNear(_ u: Double, _ v: Double, _ radius: Double) -> Bool {
      (x - u) * (x - u) + (y - v) * (y - v) < radius * radius
    }
    // The door and the window, the wall, the roof.
    if (0.30..<0.37).contains(x), (0.66..<0.80).contains(y) { return [0.35, 0.2, 0.1] }
    if (0.44..<0.54).contains(x), (0.62..<0.72).contains(y) {
      return abs(x - 0.49) < 0.01 || abs(y - 0.67) < 0.01 ? [0.9, 0.9, 0.9] : [0.2, 0.3, 0.45]
    }
    if (0.24..<0.60).contains(x), (0.56..<0.80).contains(y) { return [0.93, 0.86, 0.7] }
    if y > 0.36, y < 0.56, abs(x - 0.42) < (y - 0.36) * 1.25 { return [0.75, 0.2 + 0.1 * (y - 0.36), 0.15] }
    // Two trees and their trunks.
    for (u, v, radius) in [(0.80, 0.50, 0.13), (0.70, 0.60, 0.08)] {
      if isNear(u, v, radius) { return [0.1, 0.35 + 0.6 * (v - y), 0.15] }
      if abs(x - u) < 0.015, y > v, y < 0.82 { return [0.3, 0.2, 0.1] }
    }
    if y > 0.74 + 0.03 * x { return [0.35 + 0.3 * (y - 0.74), 0.6 - 0.3 * (y - 0.74), 0.2] }
    let hill = max(0.58 - 0.5 * abs(x - 0.15), 0.5 - 0.4 * abs(x - 0.9)) * 0.5
    if y > 0.74 - hill { return [0.45, 0.55 - 0.2 * x, 0.5 + 0.1 * x] }
    if isNear(0.85, 0.14, 0.08) { return [1, 0.9, 0.4] }
    for (u, v) in [(0.2, 0.15), (0.28, 0.12), (0.36, 0.16), (0.6, 0.24), (0.67, 0.22)] where isNear(u, v, 0.06) {
      return [0.97, 0.97, 1]
    }
    return [0.4 + 0.5 * y, 0.65 + 0.3 * y, 0.95]
  }

  /// The image and eight draws beside one another, two white pixels apart.
  private static func sheet(of augmentation: Augmentation) -> DecodedImage {
    let (image, shape) = (scene(), Shape([side, side, 3]))
    var generator = SplittableGenerator(seed: 29)
    let mean = (0..<3).map { c -> UInt8 in
      let levels = stride(from: c, to: image.count, by: 3).map { Int(image[$0]) }
      return UInt8(levels.reduce(0, +) / levels.count)
    }
    var tiles = [image]
    for _ in 0..<8 {
      let changes = augmentation.drawn(for: shape, using: &generator)
      tiles.append(ImageChangeTests.changed(image, shape, by: changes, colour: mean))
    }
    var rows: [UInt8] = []
    for row in 0..<side {
      for (index, tile) in tiles.enumerated() {
        if index > 0 { rows += [UInt8](repeating: 255, count: 6) }
        rows += tile[row * side * 3..<(row + 1) * side * 3]
      }
    }
    return DecodedImage(pixels: rows, shape: [side, tiles.count * (side + 2) - 2, 3])
  }

  static let augmentations: [(name: String, augmentation: Augmentation)] = [
    ("crop", .randomCrop(padding: 8)), ("flip", .horizontalFlip), ("shift", .shift(by: 8)),
    ("cutout", .cutout(size: 24)), ("resized-crop", .randomResizedCrop()), ("colour-jitter", .colourJitter()),
    ("random-erasing", .randomErasing(probability: 1)), ("trivial-augment", .trivialAugment),
    ("rand-augment", .randAugment()),
  ]

  @Test(arguments: augmentations.map(\.name))
  func theDocumentationsPicturesAreWhatTheAugmentationsMake(name: String) throws {
    let augmentation = try #require(Self.augmentations.first { $0.name == name }).augmentation
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appendingPathComponent("Docs/augmentation/\(name).png")
    let sheet = Self.sheet(of: augmentation)
    if ProcessInfo.processInfo.environment["ENCODENET_WRITE_PICTURES"] != nil {
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(sheet.png()).write(to: file)
    }
    let found = try DecodedImage(contentsOf: file)
    #expect(found.shape == sheet.shape)
    // Another processor's rounding may move a level.
    let differences = zip(found.pixels, sheet.pixels).count { abs(Int($0) - Int($1)) > 1 }
    #expect(
      differences <= sheet.pixels.count / 1000, "\(name).png: \(differences) of \(sheet.pixels.count) bytes differ")
  }
}
