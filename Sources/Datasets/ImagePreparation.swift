import CImages

/// The size of images in pixels.
public struct ImageSize: Sendable, Hashable, CustomStringConvertible {
  public let height: Int
  public let width: Int

  /// The range of a side.
  public static let sides = 1...1024

  /// - Precondition: Both sides are in ``sides``.
  public init(height: Int, width: Int) {
    require(
      Self.sides.contains(height) && Self.sides.contains(width),
      "ImageSize: \(height) by \(width), not in \(Self.sides)")
    (self.height, self.width) = (height, width)
  }

  /// A square of that side.
  public init(_ side: Int) { self.init(height: side, width: side) }

  /// Reads `64`, or height and width, as `48x64`.
  public init?(_ text: String) {
    let sides = text.lowercased().split(whereSeparator: { $0 == "x" || $0 == "×" }).map { Int($0) }
    let isRead = (1...2).contains(sides.count) && !text.hasPrefix("x") && !text.hasSuffix("x")
    guard isRead, sides.allSatisfy({ $0.map(Self.sides.contains) ?? false }) else { return nil }
    (height, width) = (sides[0]!, sides[sides.count - 1]!)
  }

  public var description: String { height == width ? "\(height)" : "\(height)x\(width)" }
}

/// In JSON a number for a square, or a text of height and width, as "48x64".
extension ImageSize: Codable {
  public init(from decoder: any Swift.Decoder) throws {
    let value = try decoder.singleValueContainer()
    let text = try (try? value.decode(Int.self)).map(String.init) ?? value.decode(String.self)
    guard let size = ImageSize(text) else {
      throw DecodingError.dataCorruptedError(
        in: value, debugDescription: "a size is a number from 1 to 1024, or height and width as \"48x64\"")
    }
    self = size
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    if height == width { try value.encode(height) } else { try value.encode(description) }
  }
}

/// How an image of any size becomes one of the size that a network takes.
///
/// The filter is the triangle's, widened with the reduction so that nothing aliases: to the bit that of Pillow's `BILINEAR`, which
/// torchvision's transforms use.
public struct ImagePreparation: Sendable, Hashable, Codable {
  /// What becomes of an image of another ratio of its sides.
  public enum Fit: String, Sendable, Hashable, Codable, CaseIterable {
    /// Scales it to cover the size, and cuts out the centre, as torchvision's `Resize(N)` and `CenterCrop(N)`.
    case resize
    /// Scales both sides by themselves, as torchvision's `Resize((N, N))`.
    case stretch
    /// Scales it to lie within the size, and fills the rest with black, as Pillow's `ImageOps.pad`.
    case pad
  }
  /// How much of a JPEG is decoded.
  public enum Decoding: String, Sendable, Hashable, Codable, CaseIterable {
    /// All pixels.
    case full
    /// Half, a quarter or an eighth of the pixels along each side, where these are at least twice those of the image scaled to the
    /// size wanted: as Pillow's `draft` with a `reducing_gap` of 2. The filter then still averages what is left.
    ///
    /// Beside all pixels, images differ by less than a level on average, and by up to some 20 in single pixels at edges: of photographs
    /// of 224 by 224 pixels by 0.8 (at most 21) at 56 pixels and 0.4 (17) at 32, of 500 by 375 by 0.3 (12) at 64.
    case reduced
  }
  /// The size of the images that come out.
  public let size: ImageSize
  /// What becomes of an image of another ratio of its sides.
  public let fit: Fit
  /// Whether images are turned as their EXIF data say before.
  public let appliesOrientation: Bool
  /// How much of a JPEG is decoded where the file is read for this preparation.
  public let decoding: Decoding

  /// A preparation.
  public init(
    size: ImageSize, fit: Fit = .resize, appliesOrientation: Bool = true, decoding: Decoding = .reduced
  ) {
    (self.size, self.fit, self.appliesOrientation, self.decoding) = (size, fit, appliesOrientation, decoding)
  }

  /// Decodes a preparation; one that does not say how JPEGs are decoded is of a version that decoded them in full.
  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      size: try values.decode(ImageSize.self, forKey: .size), fit: try values.decode(Fit.self, forKey: .fit),
      appliesOrientation: try values.decode(Bool.self, forKey: .appliesOrientation),
      decoding: try values.decodeIfPresent(Decoding.self, forKey: .decoding) ?? .full)
  }

  /// The size of the whole image, scaled, the part of it that is taken, and where that lies in the result.
  private struct Geometry {
    var scaled: (height: Int, width: Int)
    var window: ci_window
    var place: (top: Int, left: Int)
  }

  private func geometry(height: Int, width: Int) -> Geometry {
    var scaled = (height: size.height, width: size.width)
    // Whether the result is wider than the image, by its ratio.
    let isWider = size.width * height > size.height * width
    switch fit {
    case .stretch: break
    case .resize where isWider: scaled.height = max(size.height, size.width * height / width)
    case .resize: scaled.width = max(size.width, size.height * width / height)
    case .pad where isWider:
      scaled.width = Self.rounded(Double(width) / Double(height) * Double(size.height), 1...size.width)
    case .pad: scaled.height = Self.rounded(Double(height) / Double(width) * Double(size.width), 1...size.height)
    }
    func half(_ difference: Int) -> Int { Self.rounded(Double(difference) / 2, 0...Int.max) }
    let cut = (top: half(scaled.height - size.height), left: half(scaled.width - size.width))
    let window = ci_window(
      top: cut.top, left: cut.left, height: min(scaled.height, size.height), width: min(scaled.width, size.width))
    return Geometry(
      scaled: scaled, window: window, place: (half(size.height - scaled.height), half(size.width - scaled.width)))
  }

  /// Rounded as Python does it, halves to even.
  private static func rounded(_ value: Double, _ range: ClosedRange<Int>) -> Int {
    min(max(Int(value.rounded(.toNearestOrEven)), range.lowerBound), range.upperBound)
  }

  /// The denominator of the scale at which a JPEG of so many pixels, upright, is decoded: 1, 2, 4 or 8.
  ///
  /// - Parameter divides: Whether no row or column may be there in part: a turn would bring it to the beginning.
  func reduction(height: Int, width: Int, divides: Bool) -> Int {
    guard decoding == .reduced else { return 1 }
    let scaled = geometry(height: height, width: width).scaled
    return [8, 4, 2].first {
      height >= 2 * $0 * scaled.height && width >= 2 * $0 * scaled.width
        && (!divides || (height % $0 == 0 && width % $0 == 0))
    } ?? 1
  }

  /// How an image of `height` by `width` pixels that was decoded at a reduced scale is resized, and the place of the first byte in the
  /// result.
  func resizing(height: Int, width: Int, channels: Int, reduction: Int) -> (sizes: ci_resizing, offset: Int) {
    let geometry = geometry(height: height, width: width)
    func reduced(_ side: Int) -> Int { (side + reduction - 1) / reduction }
    let sizes = ci_resizing(
      height: reduced(height), width: reduced(width), channels: channels,
      extent_down: Double(height) / Double(reduction), extent_across: Double(width) / Double(reduction),
      new_height: geometry.scaled.height, new_width: geometry.scaled.width, window: geometry.window)
    return (sizes, (geometry.place.top * size.width + geometry.place.left) * channels)
  }

  /// The image in the size wanted.
  public func callAsFunction(_ image: DecodedImage) -> DecodedImage {
    var result = [UInt8](repeating: 0, count: size.height * size.width * image.shape[2])
    let whole = PixelBox(top: 0, left: 0, height: image.shape[0], width: image.shape[1])
    let isDone = result.withUnsafeMutableBufferPointer { apply(to: image, whole, $0) }
    require(isDone, "ImagePreparation: there is no memory to scale an image of \(image.shape)")
    return DecodedImage(pixels: result, shape: [size.height, size.width, image.shape[2]])
  }

  /// Writes the part `box` of an image in the size wanted to `result`, which has zeros; false without memory.
  ///
  /// - Parameter reduction: That with which the image was decoded; the box is of the image as it was before.
  func apply(
    to image: DecodedImage, _ box: PixelBox, reduction: Int = 1, _ result: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    let channels = image.shape[2]
    var (sizes, offset) = resizing(height: box.height, width: box.width, channels: channels, reduction: reduction)
    return image.pixels.withUnsafeBufferPointer { pixels in
      let line = image.shape[1] * channels
      let start = pixels.baseAddress! + box.top * line + box.left * channels
      return ci_resize(start, line, &sizes, result.baseAddress! + offset, size.width * channels) == 1
    }
  }
}

extension ImagePreparation: CustomStringConvertible {
  /// In a few words.
  public var description: String {
    let what =
      switch fit {
      case .resize: "the shorter side scaled, then the centre"
      case .stretch: "stretched"
      case .pad: "scaled to lie within, on black"
      }
    return "\(size.width) by \(size.height) pixels, \(what)\(decoding == .full ? ", JPEGs decoded in full" : "")"
  }
}

/// A part of an image in pixels.
struct PixelBox: Sendable, Hashable {
  var top: Int
  var left: Int
  var height: Int
  var width: Int

  /// The part of this box that lies in an image; nil where none does.
  func within(height: Int, width: Int) -> PixelBox? {
    let (top, left) = (max(top, 0), max(left, 0))
    let (bottom, right) = (min(self.top + self.height, height), min(self.left + self.width, width))
    return top < bottom && left < right
      ? PixelBox(top: top, left: left, height: bottom - top, width: right - left) : nil
  }
}
