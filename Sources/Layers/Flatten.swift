/// Flattens each image to a vector in channel-major order, as the weights of PyTorch expect.
public final class Flatten: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if x.rank == 2 { return reported(x, of: x) }
    let n = x.shape[0]
    let size = x.shape.dimensions.dropFirst().reduce(1, *)
    guard x.rank == 4, x.shape[1] * x.shape[2] > 1 else { return reported(x.reshaped(to: [n, size]), of: x) }
    return reported(x.permuted([0, 3, 1, 2]).reshaped(to: [n, size]), of: x)
  }
}

/// Reshapes each vector to an image: the inverse of ``Flatten``.
public final class Unflatten: Layer {
  /// `[height, width, channels]`.
  public let imageShape: Shape
  /// A layer for images of `[height, width, channels]`.
  public init(_ imageShape: Shape) {
    require(imageShape.rank == 3, "Unflatten: \(imageShape) is not [height, width, channels]")
    self.imageShape = imageShape
  }
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (n, h, w, c) = (x.shape[0], imageShape[0], imageShape[1], imageShape[2])
    return reported(x.reshaped(to: [n, c, h, w]).permuted([0, 2, 3, 1]), of: x)
  }
}
