/// Interpolation between pixels, named as in PyTorch's `interpolate`.
public enum Interpolation: String, Sendable, Codable, Hashable {
  /// The pixel whose area an output's corner lies in.
  case nearest
  /// Linear between pixel centres: `align_corners=False`.
  case bilinear
}

/// Images of another size, whatever the factor: PyTorch's `interpolate`.
///
/// Each axis is one product with a small matrix, so the gradient is that of a product; and a pixel that is NaN or infinite makes NaN
/// of its rows and columns, of which PyTorch spares those that it has no share in.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - height: Of the output.
///   - width: Of the output.
///   - interpolation: By default by area where an axis shrinks, and bilinear where it grows.
public func resized2d(_ x: Tensor, height: Int, width: Int, interpolation: Interpolation? = nil) -> Tensor {
  require(
    x.rank == 4 && x.count > 0 && height > 0 && width > 0,
    "resized2d: \(height) by \(width) of \(x.shape), not [batch, height, width, channels] with anything in it")
  return mapped(
    x, rows: resizingMatrix(from: x.shape[1], to: height, interpolation),
    columns: resizingMatrix(from: x.shape[2], to: width, interpolation))
}

/// Images whose columns are multiplied by `rows`, `[outputs, height]`, and whose rows by `columns`, `[outputs, width]`.
func mapped(_ x: Tensor, rows: Tensor, columns: Tensor) -> Tensor {
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let (height, width) = (rows.shape[0], columns.shape[0])
  var y = x
  if height != h {
    y = matmul(rows, y.reshaped(to: [n, h, w * c] as Shape)).reshaped(to: [n, height, w, c] as Shape)
  }
  return width != w ? matmul(columns, y) : y
}

/// The weight of each input in each output of an axis, `[outputs, inputs]`: the identity where the size stays.
package func resizingMatrix(from inputs: Int, to outputs: Int, _ interpolation: Interpolation?) -> Tensor {
  if outputs == inputs { return .eye(inputs) }
  if interpolation == nil && outputs < inputs { return areaMatrix(from: inputs, to: outputs) }
  return Tensor(shape: [outputs, inputs]) { matrix in
    matrix.update(repeating: 0)
    for i in 0..<outputs {
      if interpolation == .nearest {
        matrix[i * inputs + i * inputs / outputs] = 1
      } else {
        let place = max(0, (Double(i) + 0.5) * Double(inputs) / Double(outputs) - 0.5)
        let (before, share) = (min(Int(place), inputs - 1), Scalar(place - place.rounded(.down)))
        matrix[i * inputs + before] += 1 - share
        matrix[i * inputs + min(before + 1, inputs - 1)] += share
      }
    }
  }
}

/// The weight of each input in the mean of each part of an axis, `[outputs, inputs]`.
package func areaMatrix(from inputs: Int, to outputs: Int) -> Tensor {
  Tensor(shape: [outputs, inputs]) { matrix in
    matrix.update(repeating: 0)
    for i in 0..<outputs {
      let part = pixels(ofPart: i, of: outputs, size: inputs)
      for j in part { matrix[i * inputs + j] = 1 / Scalar(part.count) }
    }
  }
}
