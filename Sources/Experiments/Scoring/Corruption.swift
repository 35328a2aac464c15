/// A corruption of test images, which shows how robust a classifier is.
public enum Corruption: String, Sendable, CaseIterable {
  /// Normal noise of standard deviation 0.08 on every value of 0...1.
  case noise
  /// The mean over 3 by 3 pixels.
  case blur
  /// Half as bright again.
  case brightness

  /// `images`, corrupted as they are read; in the same way every time.
  package func callAsFunction(_ images: LabeledImages) -> LabeledImages {
    let shape = images.imageShape
    return images.mapped(to: shape) { index, pixels in
      switch self {
      case .brightness: pixels.map { UInt8(min(255, Int($0) * 3 / 2)) }
      case .noise: Self.noisy(pixels, index)
      case .blur: Self.blurred(pixels, shape)
      }
    }
  }

  private static func noisy(_ pixels: [UInt8], _ index: Int) -> [UInt8] {
    var generator = SplittableGenerator(seed: 0xda3a9e, stream: "image \(index)")
    let noise = Tensor.normal([pixels.count], std: 0.08 * 255, using: &generator)
    return noise.withUnsafeScalars { noise in
      zip(pixels, noise).map { UInt8(min(max((Scalar($0) + $1).rounded(), 0), 255)) }
    }
  }

  private static func blurred(_ pixels: [UInt8], _ shape: Shape) -> [UInt8] {
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    var blurred = pixels
    pixels.withUnsafeBufferPointer { from in
      for y in 0..<height {
        for x in 0..<width {
          let (rows, columns) = (max(y - 1, 0)...min(y + 1, height - 1), max(x - 1, 0)...min(x + 1, width - 1))
          let count = rows.count * columns.count
          for channel in 0..<channels {
            var sum = count / 2
            for row in rows {
              for column in columns { sum += Int(from[(row * width + column) * channels + channel]) }
            }
            blurred[(y * width + x) * channels + channel] = UInt8(sum / count)
          }
        }
      }
    }
    return blurred
  }
}
