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

  static let maximumFileBytes = 1 << 28

  /// Reads a PNG, JPEG, WebP, BMP or PPM file, whichever its first bytes tell: the stored values, whatever gamma or colour
  /// profile it has; transparency goes onto black.
  ///
  /// - Parameter appliesOrientation: Whether an image whose EXIF data say that the camera was turned is turned back.
  /// - Throws: Where the file cannot be read, is none of these, is damaged, or has more than 67 million pixels.
  public init(contentsOf url: URL, appliesOrientation: Bool = true) throws(DataError) {
    let bytes = try readFile(url, upTo: Self.maximumFileBytes + 1)
    guard bytes.count <= Self.maximumFileBytes else {
      throw DataError("more than \(Self.maximumFileBytes) bytes", in: url.path)
    }
    do throws(DataError) { try self.init(encoded: bytes, appliesOrientation: appliesOrientation) } catch {
      throw error.located(in: url.path)
    }
  }

  /// Decodes an image file's bytes.
  public init(encoded bytes: [UInt8], appliesOrientation: Bool = true) throws(DataError) {
    do { self = try Self.decoded(bytes, appliesOrientation: appliesOrientation) } catch {
      throw DataError(error.problem)
    }
  }

  /// Decodes an image file's bytes, or says of what kind they are.
  static func decoded(_ bytes: [UInt8], appliesOrientation: Bool) throws(UnreadableImage) -> DecodedImage {
    let header = try ImageHeader(bytes)
    guard header.storedHeight * header.storedWidth > 1 << 23 else {
      return try decoded(bytes, header, appliesOrientation)
    }
    // One large image at a time, however many threads decode.
    largeImages.lock()
    defer { largeImages.unlock() }
    return try decoded(bytes, header, appliesOrientation)
  }
  private static let largeImages = NSLock()

  private static func decoded(
    _ file: [UInt8], _ header: ImageHeader, _ appliesOrientation: Bool
  ) throws(UnreadableImage) -> DecodedImage {
    let bytes = header.format == .png ? withoutColourSpace(file) : file
    let (count, channels) = (bytes.count, Int32(header.channels))
    let (height, width) = (Int32(header.storedHeight), Int32(header.storedWidth))
    var error = ci_image_error()
    var pixels = [UInt8](repeating: 0, count: header.storedHeight * header.storedWidth * header.channels)
    let status =
      switch header.format {
      case .png: ci_png_decode(bytes, count, channels, &pixels, &error)
      case .jpeg: ci_jpeg_decode(bytes, count, height, width, channels, &pixels, &error)
      case .webp: ci_webp_decode(bytes, count, height, width, &pixels, &error)
      case .bmp: ci_bmp_decode(bytes, count, height, width, channels, &pixels, &error)
      case .netpbm: ci_netpbm_decode(bytes, count, height, width, channels, &pixels, &error)
      }
    guard status == 1 else { throw header.format.damaged(error.message) }
    let image = DecodedImage(
      pixels: pixels, shape: [header.storedHeight, header.storedWidth, header.channels])
    return appliesOrientation ? image.turned(by: header.orientation) : image
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

  /// The image that was stored with an orientation of EXIF, upright.
  private func turned(by orientation: Int) -> DecodedImage {
    guard orientation != 1 else { return self }
    var turned = [UInt8](repeating: 0, count: pixels.count)
    ci_orient(pixels, shape[0], shape[1], shape[2], Int32(orientation), &turned)
    return DecodedImage(
      pixels: turned, shape: orientation > 4 ? [shape[1], shape[0], shape[2]] : shape)
  }

  /// This image with three channels: grey is repeated.
  public var inColour: DecodedImage {
    guard shape[2] == 1 else { return self }
    var colour = [UInt8](repeating: 0, count: 3 * pixels.count)
    ci_repeat(pixels, pixels.count, &colour)
    return DecodedImage(pixels: colour, shape: [shape[0], shape[1], 3])
  }

  /// This image with one channel, by Rec. 601.
  public var inGrey: DecodedImage {
    guard shape[2] == 3 else { return self }
    var grey = [UInt8](repeating: 0, count: pixels.count / 3)
    ci_grey(pixels, grey.count, &grey)
    return DecodedImage(pixels: grey, shape: [shape[0], shape[1], 1])
  }

  /// This image in another size, by the triangle filter: bilinear, and without aliasing where it shrinks, as Pillow's `BILINEAR`.
  public func resized(height: Int, width: Int) -> DecodedImage {
    require(height > 0 && width > 0 && shape.count > 0, "resized: \(shape) to \(height) by \(width)")
    guard height != shape[0] || width != shape[1] else { return self }
    return ImagePreparation(size: ImageSize(height: height, width: width), fit: .stretch)(self)
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
