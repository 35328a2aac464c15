// Former names.

extension Tensor {
  @available(*, deprecated, renamed: "gather(_:axis:)")
  public func gathering(_ indices: [Int], axis: Int = 0) -> Tensor { gather(indices, axis: axis) }

  @available(*, deprecated, message: "use Tensor.where(mask, other, self)")
  public func replacing(with other: Tensor, where mask: Tensor) -> Tensor { .where(mask, other, self) }

  @available(*, deprecated, renamed: "normal(_:mean:std:using:)")
  public static func normal(
    _ shape: Shape, mean: Scalar = 0, deviation: Scalar, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    normal(shape, mean: mean, std: deviation, using: &generator)
  }
}

@available(*, deprecated, renamed: "batchNorm2d(_:gamma:beta:epsilon:adding:relu:)")
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Scalar = 1e-5, adding residual: Tensor? = nil, rectifies: Bool
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  batchNorm2d(x, gamma: gamma, beta: beta, epsilon: epsilon, adding: residual, relu: rectifies)
}

@available(*, deprecated, renamed: "batchNorm2d(_:gamma:beta:mean:variance:epsilon:adding:relu:)")
public func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Scalar = 1e-5,
  adding residual: Tensor? = nil, rectifies: Bool
) -> Tensor {
  batchNorm2d(
    x, gamma: gamma, beta: beta, mean: mean, variance: variance, epsilon: epsilon, adding: residual, relu: rectifies)
}
