import CImages

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A change of an image with nothing left to draw.
///
/// What Pillow has too gives the same bytes: `ImageEnhance`, `ImageOps`, and `Image.transform` with the nearest pixel.
enum ImageChange: Sendable, Hashable {
  /// Shows what lies `down` and `right` of each pixel, black or the pixels at the edge outside.
  case translate(down: Int, right: Int, repeatsEdge: Bool)
  /// Exchanges left and right.
  case mirror
  /// Fills a rectangle with the colour of holes.
  case fill(rows: Range<Int>, columns: Range<Int>)
  /// Enlarges a rectangle to the whole image, bilinear.
  case enlarge(rows: Range<Int>, columns: Range<Int>)
  /// Blends with black: 0 is black, 1 the image.
  case brightness(Double)
  /// Blends with the mean luma.
  case contrast(Double)
  /// Blends with the luma of each pixel; grey images stay.
  case saturation(Double)
  /// Blends with the image smoothed.
  case sharpness(Double)
  /// Turns the hue by so much of the colour circle; grey images stay.
  case hue(Double)
  /// Leaves so many of the upper bits.
  case posterize(bits: Int)
  /// Inverts levels from the threshold on.
  case solarize(from: Double)
  /// Stretches each channel to 0...255.
  case autoContrast
  /// Makes the levels of each channel equally frequent.
  case equalize
  /// Moves each row right by `slope` times its distance from the top, or, down, each column.
  case shear(slope: Double, isDown: Bool)
  /// Moves the content of the image, and leaves the colour of holes behind.
  case move(right: Int, down: Int)
  /// Rotates about the centre, anticlockwise.
  case rotate(degrees: Double)

  /// Changes the image in `image`.
  ///
  /// - Parameters:
  ///   - workspace: As large as the image; its content does not matter.
  ///   - colour: The colour that fills holes, one byte for each channel.
  func apply(
    to image: inout UnsafeMutablePointer<UInt8>, workspace: inout UnsafeMutablePointer<UInt8>, shape: Shape,
    colour: [UInt8]
  ) {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    require(colour.count == channels, "augmentation: a colour of \(colour.count) channels for images \(shape)")
    switch self {
    case .translate(let down, let right, let repeatsEdge):
      ci_translate(image, height, width, channels, down, right, repeatsEdge ? 1 : 0, workspace)
      swap(&image, &workspace)
    case .mirror:
      ci_mirror(image, height, width, channels, workspace)
      swap(&image, &workspace)
    case .fill(let rows, let columns):
      ci_fill(
        image, width, channels, rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound, colour)
    case .enlarge(let rows, let columns):
      withUnsafeTemporaryAllocation(of: Float.self, capacity: width * (1 + 2 * channels)) { lines in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: width) { indices in
          ci_enlarge(
            image, height, width, channels, rows.lowerBound, columns.lowerBound, rows.count, columns.count,
            lines.baseAddress!, indices.baseAddress!, workspace)
        }
      }
      swap(&image, &workspace)
    case .saturation(let factor): if channels == 3 { ci_saturate(image, height * width, Float(factor)) }
    case .hue(let turn): if channels == 3 { ci_turn_hue(image, height * width, Float(turn)) }
    case .sharpness(let factor):
      ci_sharpen(image, height, width, channels, Float(factor), workspace)
      swap(&image, &workspace)
    case .shear, .move, .rotate:
      ci_affine(image, height, width, channels, inverseMatrix(height, width), colour, workspace)
      swap(&image, &workspace)
    case .brightness, .contrast, .posterize, .solarize, .autoContrast, .equalize:
      ci_lookup(image, height * width, channels, tables(image, height * width, channels))
    }
  }

  /// Two rows of three: the place in the image that a place in the result shows.
  private func inverseMatrix(_ height: Int, _ width: Int) -> [Double] {
    switch self {
    case .shear(let slope, let isDown): return isDown ? [1, 0, 0, slope, 1, 0] : [1, slope, 0, 0, 1, 0]
    case .move(let right, let down): return [1, 0, Double(-right), 0, 1, Double(-down)]
    case .rotate(let degrees):
      let angle = degrees * .pi / 180
      let (c, s, x, y) = (cos(angle), sin(angle), Double(width) / 2, Double(height) / 2)
      return [c, -s, x - c * x + s * y, s, c, y - s * x - c * y]
    default: return [1, 0, 0, 0, 1, 0]
    }
  }

  /// The new level for each level of each channel.
  private func tables(_ image: UnsafeMutablePointer<UInt8>, _ pixels: Int, _ channels: Int) -> [UInt8] {
    func same(_ level: (Int) -> UInt8) -> [UInt8] {
      let table = (0..<256).map(level)
      return [UInt8]((0..<channels).map { _ in table }.joined())
    }
    func blended(_ from: Int, _ factor: Double) -> [UInt8] {
      same { UInt8(min(max(Float(from) + Float(factor) * Float($0 - from), 0), 255)) }
    }
    switch self {
    case .brightness(let factor): return blended(0, factor)
    case .contrast(let factor): return blended(Self.meanLuma(image, pixels, channels), factor)
    case .posterize(let bits): return same { UInt8($0 & (0xff << (8 - bits)) & 0xff) }
    case .solarize(let threshold): return same { Double($0) < threshold ? UInt8($0) : UInt8(255 - $0) }
    default: break
    }
    var histogram = [UInt64](repeating: 0, count: channels * 256)
    ci_histogram(image, pixels, channels, &histogram)
    return (0..<channels).flatMap { c in
      let counts = histogram[c * 256..<(c + 1) * 256].map { Int($0) }
      return self == .equalize ? Self.equalized(counts) : Self.stretched(counts)
    }
  }

  private static func meanLuma(_ image: UnsafeMutablePointer<UInt8>, _ pixels: Int, _ channels: Int) -> Int {
    if channels == 3 { return Int(Double(ci_luma_sum(image, pixels)) / Double(pixels) + 0.5) }
    let sum = UnsafeBufferPointer(start: image, count: pixels * channels).reduce(0) { $0 + Int($1) }
    return Int(Double(sum) / Double(pixels * channels) + 0.5)
  }

  /// The levels from the lowest to the highest that there is over 0...255.
  private static func stretched(_ counts: [Int]) -> [UInt8] {
    let low = counts.firstIndex { $0 > 0 } ?? 0
    let high = counts.lastIndex { $0 > 0 } ?? 0
    guard high > low else { return (0...255).map { UInt8($0) } }
    let scale = 255 / Double(high - low)
    return (0..<256).map { UInt8(min(max(Double($0) * scale - Double(low) * scale, 0), 255)) }
  }

  /// Each level by the share of the pixels below it, but for those of the highest level.
  private static func equalized(_ counts: [Int]) -> [UInt8] {
    let step = (counts.reduce(0, +) - (counts.last { $0 > 0 } ?? 0)) / 255
    guard step > 0 else { return (0...255).map { UInt8($0) } }
    var below = step / 2
    return counts.map { count in
      defer { below += count }
      return UInt8(min(below / step, 255))
    }
  }
}
