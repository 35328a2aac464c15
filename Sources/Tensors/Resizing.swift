/// Interpolation between pixels, named as in PyTorch's `interpolate`.
public enum Interpolation: String, Sendable, Codable, Hashable {
  /// The pixel whose area an output's corner lies in.
  case nearest
  /// Linear between pixel centres: `align_corners=False`.
  case bilinear
}

/// Images of another size, whatever the factor: PyTorch's `interpolate`.
///
/// A pixel that is NaN or infinite reaches the outputs that lie between it and its neighbours, as PyTorch's.
/// - Parameters:
///   - x: `[batch, height, width, channels]`.
///   - height: Of the output.
///   - width: Of the output.
///   - interpolation: By default by area where an axis shrinks, and bilinear where it grows.
public func resized2d(_ x: Tensor, height: Int, width: Int, interpolation: Interpolation? = nil) -> Tensor {
  require(
    x.rank == 4 && x.count > 0 && height > 0 && width > 0,
    "resized2d: \(height) by \(width) of \(x.shape), not [batch, height, width, channels] with anything in it")
  return resized(x, height, width, interpolation, "resized2d")
}

/// Every pixel repeated `scale` times in both directions.
public func upsampleNearest2d(_ x: Tensor, scale: Int) -> Tensor {
  upsampled(x, scale, .nearest, "upsampleNearest2d")
}

/// Images enlarged by linear interpolation between pixel centres: PyTorch's `interpolate(mode: "bilinear")` with
/// `align_corners=False`.
///
/// - Parameter x: `[batch, height, width, channels]`.
public func upsampleBilinear2d(_ x: Tensor, scale: Int) -> Tensor {
  upsampled(x, scale, .bilinear, "upsampleBilinear2d")
}

private func upsampled(_ x: Tensor, _ scale: Int, _ interpolation: Interpolation, _ operation: String) -> Tensor {
  require(
    x.rank == 4 && scale > 0, "\(operation): scale \(scale) of \(x.shape), not [batch, height, width, channels]")
  return resized(x, x.shape[1] * scale, x.shape[2] * scale, interpolation, operation)
}

private func resized(
  _ x: Tensor, _ height: Int, _ width: Int, _ interpolation: Interpolation?, _ operation: String
) -> Tensor {
  x.resampled(
    operation, 1, rows: .resizing(from: x.shape[1], to: height, interpolation),
    columns: .resizing(from: x.shape[2], to: width, interpolation))
}

extension Tensor {
  /// `axis`, and the one after it where `columns` are given, by maps of them; the gradient is by their adjoints.
  func resampled(_ operation: String, _ axis: Int, rows: AxisMap, columns: AxisMap?) -> Tensor {
    let channels = shape.dimensions.dropFirst(axis + (columns == nil ? 1 : 2)).reduce(1, *)
    let images = shape.dimensions[..<axis].reduce(1, *)
    let resampling = Resampling(rows: rows, columns: columns ?? .identity(1))
    var target = shape
    target[axis] = rows.outputCount
    if let columns { target[axis + 1] = columns.outputCount }
    return Tensor(shape: target) { out in
      if out.count > 0 { resampling(images: images, channels: channels, from: pointer, to: out.baseAddress!) }
    }.recorded(
      operation, (self, { $0.resampled(operation, axis, rows: rows.transposed, columns: columns?.transposed) }))
  }
}

// MARK: Maps of an axis

extension AxisMap {
  static func identity(_ count: Int) -> AxisMap { AxisMap(selecting: Array(0..<count), of: count) }

  /// By default by area where the axis shrinks, and bilinear where it grows.
  static func resizing(from inputs: Int, to outputs: Int, _ interpolation: Interpolation?) -> AxisMap {
    switch interpolation {
    case _ where outputs == inputs: .identity(inputs)
    case nil where outputs < inputs: .area(from: inputs, to: outputs)
    case .nearest: AxisMap(selecting: (0..<outputs).map { $0 * inputs / outputs }, of: inputs)
    default: .linear(from: inputs, to: outputs)
    }
  }

  /// The mean of each part of an axis.
  static func area(from inputs: Int, to outputs: Int) -> AxisMap {
    AxisMap(from: inputs, to: outputs) { output, add in
      let part = pixels(ofPart: output, of: outputs, size: inputs)
      for input in part { add(input, 1 / Scalar(part.count)) }
    }
  }

  private static func linear(from inputs: Int, to outputs: Int) -> AxisMap {
    AxisMap(from: inputs, to: outputs) { output, add in
      let place = max(0, (Double(output) + 0.5) * Double(inputs) / Double(outputs) - 0.5)
      let (before, share) = (min(Int(place), inputs - 1), Scalar(place - place.rounded(.down)))
      add(before, 1 - share)
      add(min(before + 1, inputs - 1), share)
    }
  }

  /// The weight of each input in each output: `[outputs, inputs]`.
  fileprivate var matrix: Tensor {
    Tensor(shape: [outputCount, inputCount]) { matrix in
      matrix.update(repeating: 0)
      forEachShare { output, input, weight in matrix[output * inputCount + input] = weight }
    }
  }
}

/// The weight of each input in each output of an axis, `[outputs, inputs]`: the identity where the size stays.
package func resizingMatrix(from inputs: Int, to outputs: Int, _ interpolation: Interpolation?) -> Tensor {
  AxisMap.resizing(from: inputs, to: outputs, interpolation).matrix
}

/// The weight of each input in the mean of each part of an axis, `[outputs, inputs]`.
package func areaMatrix(from inputs: Int, to outputs: Int) -> Tensor {
  AxisMap.area(from: inputs, to: outputs).matrix
}
