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

  /// Reads a PNG, JPEG, WebP, BMP or PPM file, whichever its first bytes tell: the stored values, whatever gamma or colour
  /// profile it has; transparency goes onto black.
  ///
  /// - Parameter appliesOrientation: Whether an image whose EXIF data say that the camera was turned is turned back.
  /// - Throws: Where the file cannot be read, is none of these, is damaged, or has more than 67 million pixels.
  public init(contentsOf url: URL, appliesOrientation: Bool = true) throws(DataError) {
    do {
      self = try EncodedImage(contentsOf: url.path).decoded(appliesOrientation: appliesOrientation)
    } catch { throw DataError(error.problem, in: url.path) }
  }

  /// Decodes an image file's bytes.
  public init(encoded bytes: [UInt8], appliesOrientation: Bool = true) throws(DataError) {
    do { self = try EncodedImage(bytes).decoded(appliesOrientation: appliesOrientation) } catch {
      throw DataError(error.problem)
    }
  }

  /// Reads an image file in the size wanted: as `preparation` of the image, in less time and memory where it lets JPEGs be decoded
  /// at a reduced scale.
  ///
  /// - Throws: As ``init(contentsOf:appliesOrientation:)``.
  public init(contentsOf url: URL, preparedBy preparation: ImagePreparation) throws(DataError) {
    do { self = try EncodedImage(contentsOf: url.path).prepared(by: preparation) } catch {
      throw DataError(error.problem, in: url.path)
    }
  }

  /// Decodes an image file's bytes in the size wanted.
  public init(encoded bytes: [UInt8], preparedBy preparation: ImagePreparation) throws(DataError) {
    do { self = try EncodedImage(bytes).prepared(by: preparation) } catch { throw DataError(error.problem) }
  }

  /// The image that was stored with an orientation of EXIF, upright.
  func turned(by orientation: Int) -> DecodedImage {
    guard orientation != 1 else { return self }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { turned, count in
      ci_orient(pixels, shape[0], shape[1], shape[2], Int32(orientation), turned.baseAddress!)
      count = pixels.count
    }
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
