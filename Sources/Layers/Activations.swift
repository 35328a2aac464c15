/// `max(x, 0)`.
public final class ReLU: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(relu(x), of: x) }
}

/// `min(max(x, 0), 6)`.
public final class ReLU6: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(relu6(x), of: x) }
}

/// `x` where positive, `slope · x` elsewhere.
public final class LeakyReLU: Layer {
  /// The slope for negative numbers.
  public let slope: Scalar
  /// A layer without parameters.
  public init(slope: Scalar = 0.01) { self.slope = slope }
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(leakyReLU(x, slope: slope), of: x) }
}

/// `x Φ(x)`, with the exact normal distribution function Φ. Hendrycks, Gimpel, 2016.
public final class GELU: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(gelu(x), of: x) }
}

/// `x σ(x)`. Elfwing, Uchibe, Doya, 2017.
public final class SiLU: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(silu(x), of: x) }
}

/// `1 / (1 + exp(-x))`.
public final class Sigmoid: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(sigmoid(x), of: x) }
}

/// The hyperbolic tangent.
public final class Tanh: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(tanh(x), of: x) }
}

/// Returns its input: the placeholder of a layer that is left out.
public final class Identity: Layer {
  /// A layer without parameters.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(x, of: x) }
}
