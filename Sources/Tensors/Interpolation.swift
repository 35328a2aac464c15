/// Images enlarged by linear interpolation between pixel centres: PyTorch's `interpolate(mode: "bilinear")` with
/// `align_corners=False`.
///
/// - Parameter x: `[batch, height, width, channels]`.
public func upsampleBilinear2d(_ x: Tensor, scale: Int) -> Tensor {
  require(
    x.rank == 4 && scale > 0, "upsampleBilinear2d: scale \(scale) of \(x.shape), not [batch, height, width, channels]")
  return BilinearGrid(x.shape, scale).enlarged(x)
}

/// Images and their bilinear enlargements.
private struct BilinearGrid: Sendable {
  let (images, height, width, channels, scale): (Int, Int, Int, Int, Int)
  private let interpolation: BilinearInterpolation

  init(_ shape: Shape, _ scale: Int) {
    (images, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    self.scale = scale
    func axis(_ size: Int) -> BilinearInterpolation.Axis {
      var (inputs, fractions): ([Int32], [Scalar]) = ([], [])
      for i in 0..<size * scale {
        let position = max(0, (Double(i) + 0.5) / Double(scale) - 0.5)
        inputs += [Int32(position), Int32(min(Int(position) + 1, size - 1))]
        fractions.append(Scalar(position - position.rounded(.down)))
      }
      return (inputs, fractions)
    }
    interpolation = BilinearInterpolation(width: width, channels: channels, rows: axis(height), columns: axis(width))
  }

  private var smallSize: Int { height * width * channels }
  private var largeSize: Int { smallSize * scale * scale }

  func enlarged(_ x: Tensor) -> Tensor {
    Tensor(shape: [images, height * scale, width * scale, channels]) { out in
      let (x, y) = (x.pointer, out.baseAddress!)
      Parallel.forEach(images) { range in
        for n in range { interpolation(x + n * smallSize, y + n * largeSize) }
      }
    }.recorded("upsampleBilinear2d", (x, { adjoint($0) }))
  }

  private func adjoint(_ dy: Tensor) -> Tensor {
    Tensor(shape: [images, height, width, channels]) { out in
      let (dy, dx) = (dy.pointer, out.baseAddress!)
      Parallel.forEach(images) { range in
        for n in range {
          (dx + n * smallSize).update(repeating: 0, count: smallSize)
          interpolation.addBackward(dy + n * largeSize, dx + n * smallSize)
        }
      }
    }.recorded("upsampleBilinear2dBackward", (dy, { enlarged($0) }))
  }
}
