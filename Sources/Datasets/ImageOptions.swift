import Foundation

/// How a data set's files are read.
public struct ImageOptions: Sendable, Hashable {
  /// The size of all images. With nil a set whose images have one size of up to 64 pixels keeps it, and any other has
  /// ``usualSize``.
  public var size: ImageSize?
  /// What becomes of an image of another ratio of its sides.
  public var fit = ImagePreparation.Fit.resize
  /// Whether images are turned as their EXIF data say.
  public var appliesOrientation = true
  /// How much of a JPEG is decoded.
  public var decoding = ImagePreparation.Decoding.reduced
  /// Whether what cannot be read is left out with a notice, instead of being an error.
  public var skipsUnreadable = false
  /// The number of classes of a set in IDX files, nil for what their names say, or 10.
  public var classes: Int?
  /// The size that the network was made for; with nil 32.
  public var usualSize: ImageSize?
  /// The bytes of prepared images that are held in memory; nil for a quarter of what the machine and its control groups allow this
  /// process.
  public var cache: Int?
  /// The folder where images that are more than ``cache`` are packed into files, once; with nil they are read from their own files in
  /// each epoch.
  public var cacheFolder: URL?

  /// The defaults.
  public init() {}

  /// Images of that size.
  public init(size: ImageSize, fit: ImagePreparation.Fit = .resize) { (self.size, self.fit) = (size, fit) }

  /// Images that are prepared so.
  public init(_ preparation: ImagePreparation) {
    (size, fit, appliesOrientation) = (preparation.size, preparation.fit, preparation.appliesOrientation)
    decoding = preparation.decoding
  }

  /// Whether so many bytes of images are held in memory.
  func holds(_ bytes: Int) -> Bool { bytes <= cache ?? MachineMemory.limit / 4 }

  /// The preparation of images that have one size, or with nil several.
  func preparation(ofAll common: (height: Int, width: Int)?) -> ImagePreparation {
    ImagePreparation(
      size: size ?? common.flatMap(kept) ?? usualSize ?? ImageSize(32), fit: fit,
      appliesOrientation: appliesOrientation,
      decoding: decoding)
  }

  /// A small size that is kept; networks need 8 pixels.
  private func kept(_ size: (height: Int, width: Int)) -> ImageSize? {
    let sides = (usualSize == nil ? 1 : 8)...64
    guard sides.contains(size.height), sides.contains(size.width) else { return nil }
    return ImageSize(height: size.height, width: size.width)
  }
}
