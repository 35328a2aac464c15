import CImages
import FileFormats
import Foundation

/// An image of bytes, `[height, width, channels]`, grey or in colour.
public struct DecodedImage: Sendable, Hashable {
  /// The pixels in row-major order.
  public let pixels: [UInt8]
  /// `[height, width, channels]`; 1 or 3 channels.
  public let shape: Shape

  /// - Precondition: The pixels fill the shape.
  public init(pixels: [UInt8], shape: Shape) {
    require(
      shape.rank == 3 && (shape[2] == 1 || shape[2] == 3) && pixels.count == shape.count,
      "DecodedImage: \(pixels.count) bytes do not fill \(shape), [height, width, 1 or 3]")
    (self.pixels, self.shape) = (pixels, shape)
  }

  private static let maximumPixels = 1 << 26
  private static let maximumFileBytes = 1 << 28

  /// Reads a PNG or JPEG file, whichever its first bytes tell: the stored values, whatever gamma
  /// or colour profile a PNG has; transparency goes onto black.
  ///
  /// - Throws: Where the file cannot be read, is neither, is damaged, or has more than 67 million pixels.
  public init(contentsOf url: URL) throws(DataError) {
    let bytes = try readFile(url, upTo: Self.maximumFileBytes + 1)
    guard bytes.count <= Self.maximumFileBytes else {
      throw DataError("more than \(Self.maximumFileBytes) bytes", in: url.path)
    }
    guard !bytes.isEmpty else { throw DataError("the file is empty", in: url.path) }
    do throws(DataError) { try self.init(encoded: bytes) } catch { throw error.located(in: url.path) }
  }

  /// Decodes a PNG or JPEG file's bytes.
  public init(encoded bytes: [UInt8]) throws(DataError) {
    let isPNG = bytes.starts(with: [0x89, 0x50, 0x4e, 0x47])
    guard isPNG || bytes.starts(with: [0xff, 0xd8]) else {
      throw DataError(
        "neither PNG nor JPEG: the first bytes are \(bytes.prefix(4).map(String.init).joined(separator: " "))")
    }
    let bytes = isPNG ? Self.withoutColourSpace(bytes) : bytes
    let kind = isPNG ? "PNG" : "JPEG"
    var error = ci_image_error()
    var (height, width, channels): (Int32, Int32, Int32) = (0, 0, 0)
    let header = isPNG ? ci_png_header : ci_jpeg_header
    guard header(bytes, bytes.count, &height, &width, &channels, &error) == 1 else {
      throw DataError("a damaged \(kind): \(error.message)")
    }
    let count = Int(height) * Int(width)
    guard height > 0, width > 0, count <= Self.maximumPixels else {
      throw DataError("a \(kind) of \(width) by \(height) pixels; at most \(Self.maximumPixels) are read")
    }
    var pixels = [UInt8](repeating: 0, count: count * Int(channels))
    let status =
      isPNG
      ? ci_png_decode(bytes, bytes.count, channels, &pixels, &error)
      : ci_jpeg_decode(bytes, bytes.count, height, width, channels, &pixels, &error)
    guard status == 1 else { throw DataError("a damaged \(kind): \(error.message)") }
    self.init(pixels: pixels, shape: [Int(height), Int(width), Int(channels)])
  }

  /// The PNG `bytes` without the chunks by which libpng would change the stored values, as no library of Python does.
  private static func withoutColourSpace(_ bytes: [UInt8]) -> [UInt8] {
    let removed = Set(["gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI"].map { Array($0.utf8) })
    var (parts, kept, place): ([ArraySlice<UInt8>], Int, Int) = ([], 0, 8)
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let kind = Array(bytes[place + 4..<place + 8])
      let end = place + 12 + length
      // A damaged chunk is libpng's affair, and after the first pixels such chunks change nothing.
      guard end <= bytes.count, kind != Array("IDAT".utf8) else { break }
      if removed.contains(kind) {
        parts.append(bytes[kept..<place])
        kept = end
      }
      place = end
    }
    return parts.isEmpty ? bytes : Array((parts + [bytes[kept...]]).joined())
  }

  /// This image with three channels: grey is repeated.
  public var inColour: DecodedImage {
    guard shape[2] == 1 else { return self }
    return DecodedImage(pixels: pixels.flatMap { [$0, $0, $0] }, shape: [shape[0], shape[1], 3])
  }

  /// This image with one channel, by Rec. 601.
  public var inGrey: DecodedImage {
    guard shape[2] == 3 else { return self }
    let grey: [UInt8] = stride(from: 0, to: pixels.count, by: 3).map { i in
      let (red, green, blue) = (Int(pixels[i]), Int(pixels[i + 1]), Int(pixels[i + 2]))
      return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000)
    }
    return DecodedImage(pixels: grey, shape: [shape[0], shape[1], 1])
  }

  /// This image in another size, by the triangle filter: bilinear, and without aliasing where it shrinks.
  public func resized(height: Int, width: Int) -> DecodedImage {
    require(height > 0 && width > 0 && shape.count > 0, "resized: \(shape) to \(height) by \(width)")
    guard height != shape[0] || width != shape[1] else { return self }
    let (oldHeight, oldWidth, channels) = (shape[0], shape[1], shape[2])
    var lines = [Float](repeating: 0, count: height * oldWidth * channels)
    ci_resize(pixels.map { Float($0) }, 1, oldHeight, oldWidth * channels, height, &lines)
    var result = [Float](repeating: 0, count: height * width * channels)
    ci_resize(lines, height, oldWidth, channels, width, &result)
    return DecodedImage(
      pixels: result.map { UInt8(Swift.min(Swift.max($0.rounded(), 0), 255)) }, shape: [height, width, channels])
  }

  /// The nearest bytes to an image in 0...1, `[height, width, channels]`.
  public init(_ image: Tensor) {
    self.init(
      pixels: image.scalars.map { UInt8(Swift.max(0, Swift.min(255, ($0 * 255).rounded()))) }, shape: image.shape)
  }

  /// The image as a PNG file's bytes.
  public func png() -> [UInt8] {
    var error = ci_image_error()
    var count = 0
    let (height, width, channels) = (Int32(shape[0]), Int32(shape[1]), Int32(shape[2]))
    _ = ci_png_encode(pixels, height, width, channels, nil, &count, &error)
    var out = [UInt8](repeating: 0, count: count)
    let status = ci_png_encode(pixels, height, width, channels, &out, &count, &error)
    require(status == 1, "png: an image \(shape) was not encoded: \(error.message)")
    return Array(out[..<count])
  }
}

extension ci_image_error {
  fileprivate var message: String {
    withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
