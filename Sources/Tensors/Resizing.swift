/// Images of another size, whatever the factor: PyTorch's `interpolate` by area where an axis shrinks, and bilinear with
/// `align_corners=False` where it grows.
///
/// Each axis is one product with a small matrix, so the gradient is that of a product.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - height: Of the output.
///   - width: Of the output.
public func resized2d(_ x: Tensor, height: Int, width: Int) -> Tensor {
  require(
    x.rank == 4 && x.count > 0 && height > 0 && width > 0,
    "resized2d: \(height) by \(width) of \(x.shape), not [batch, height, width, channels] with anything in it")
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  var y = x
  if height != h {
    y = matmul(resizingMatrix(from: h, to: height), y.reshaped(to: [n, h, w * c])).reshaped(to: [n, height, w, c])
  }
  if width != w { y = matmul(resizingMatrix(from: w, to: width), y) }
  return y
}

/// The weight of each input in each output of an axis, `[outputs, inputs]`.
private func resizingMatrix(from inputs: Int, to outputs: Int) -> Tensor {
  Tensor(shape: [outputs, inputs]) { matrix in
    matrix.update(repeating: 0)
    for i in 0..<outputs {
      if outputs < inputs {
        let (first, end) = (i * inputs / outputs, ((i + 1) * inputs + outputs - 1) / outputs)
        for j in first..<end { matrix[i * inputs + j] = 1 / Scalar(end - first) }
      } else {
        let place = max(0, (Double(i) + 0.5) * Double(inputs) / Double(outputs) - 0.5)
        let (before, share) = (min(Int(place), inputs - 1), Scalar(place - place.rounded(.down)))
        matrix[i * inputs + before] += 1 - share
        matrix[i * inputs + min(before + 1, inputs - 1)] += share
      }
    }
  }
}
