/// A corruption of test images, which shows how robust a classifier is.
public enum Corruption: String, Sendable, CaseIterable {
  /// Normal noise of standard deviation 0.08 on every value of 0...1.
  case noise
  /// The mean over 3 by 3 pixels.
  case blur
  /// Half as bright again.
  case brightness

  /// `images`, corrupted; in the same way every time.
  package func callAsFunction(_ images: LabeledImages) -> LabeledImages {
    let shape = images.imageShape
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    var pixels = images.pixels
    switch self {
    case .brightness: for i in pixels.indices { pixels[i] = UInt8(min(255, Int(pixels[i]) * 3 / 2)) }
    case .noise:
      var generator = SplittableGenerator(seed: 0xda3a9e)
      for start in stride(from: 0, to: pixels.count, by: 1 << 16) {
        let end = min(start + 1 << 16, pixels.count)
        let noise = Tensor.normal([end - start], std: 0.08 * 255, using: &generator)
        noise.withUnsafeScalars { noise in
          for i in start..<end {
            pixels[i] = UInt8(min(max((Scalar(pixels[i]) + noise[i - start]).rounded(), 0), 255))
          }
        }
      }
    case .blur:
      images.pixels.withUnsafeBufferPointer { from in
        for image in 0..<images.count {
          let base = image * shape.count
          for y in 0..<height {
            for x in 0..<width {
              let (rows, columns) = (max(y - 1, 0)...min(y + 1, height - 1), max(x - 1, 0)...min(x + 1, width - 1))
              let count = rows.count * columns.count
              for channel in 0..<channels {
                var sum = count / 2
                for row in rows {
                  for column in columns { sum += Int(from[base + (row * width + column) * channels + channel]) }
                }
                pixels[base + (y * width + x) * channels + channel] = UInt8(sum / count)
              }
            }
          }
        }
      }
    }
    return images.withPixels(pixels)
  }
}
