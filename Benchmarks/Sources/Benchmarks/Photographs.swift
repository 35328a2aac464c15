import EncodeNet
import Foundation

/// A folder of JPEGs, a folder a class, as `Scripts/make-photographs` makes it: that of the variable `PHOTOGRAPHS`, or out/photographs.
enum Photographs {
  static let folder = ProcessInfo.processInfo.environment["PHOTOGRAPHS"] ?? "out/photographs"
  static var isThere: Bool { FileManager.default.fileExists(atPath: folder) }

  /// The images that are read at once, and those of a batch; as many as `peers.py` has.
  static let (chunk, batch) = (256, 64)
  static let augmentation = Augmentation.randomResizedCrop() + .horizontalFlip
  static let normalization = try! Normalization.named("imagenet")
}

extension Case {
  /// Reading images of 64 and of 224 pixels.
  static var photographs: [Case] {
    guard Photographs.isThere, let files = try? ImageFiles([Photographs.folder]) else { return [] }
    return [64, 224].map {
      .images(side: $0, count: min(files.paths.count, 1024), folder: URL(fileURLWithPath: Photographs.folder).path)
    }
  }
}

/// From the files to batches of numbers: decoded, resized, cropped at random, flipped, normalised.
func readingImages(side: Int, count: Int, folder: String) -> () -> Void {
  var files = try! ImageFiles([folder])
  let preparation = ImagePreparation(size: ImageSize(side))
  var epoch: UInt64 = 0
  return {
    epoch += 1
    var found = 0
    for start in stride(from: 0, to: count, by: Photographs.chunk) {
      let range = start..<min(start + Photographs.chunk, count)
      var pixels: [UInt8] = []
      pixels.reserveCapacity(range.count * side * side * 3)
      for image in files.images(range, preparation, channels: 3) { pixels.append(contentsOf: image!.pixels) }
      let images = try! LabeledImages(
        name: "photographs", pixels: pixels, labels: range.map { _ in 0 }, imageShape: [side, side, 3], classNames: [""]
      )
      let batches = Batches(
        of: images, size: Photographs.batch, shuffledBy: SplittableGenerator(seed: epoch),
        augmentation: Photographs.augmentation, normalization: Photographs.normalization)
      for batch in batches { found += batch.images.shape[0] }
    }
    precondition(found == count)
  }
}
