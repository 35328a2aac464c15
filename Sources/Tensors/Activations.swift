/// `max(x, 0)`; the derivative at 0 is 0.
///
/// At NaN, where the output is NaN, it is 0 too, as it follows from the output; PyTorch's is 1.
public func relu(_ x: Tensor) -> Tensor {
  // The mask follows from the output as well, which the next layer saves anyway.
  elementwise(x, .leakyReLU(slope: 0)).recorded("relu", from: x, .leakyReLU(slope: 0)) { dy, y in
    leakyBackward(dy, at: y, 0)
  }
}

/// `min(max(x, 0), 6)`; the derivative at 0 and at 6 is 0, as PyTorch's.
///
/// Krizhevsky: "Convolutional deep belief networks on CIFAR-10", 2010.
public func relu6(_ x: Tensor) -> Tensor {
  elementwise(x, .relu6).recorded("relu6", from: x, .relu6ByOutput) { dy, y in dy * ((y .> 0) * (y .< 6)) }
}

/// `x` where positive, `slope · x` elsewhere.
public func leakyReLU(_ x: Tensor, slope: Scalar = 0.01) -> Tensor {
  elementwise(x, .leakyReLU(slope: slope)).recorded("leakyReLU", of: x, .leakyReLU(slope: slope)) { dy in
    leakyBackward(dy, at: x.detached, slope)
  }
}

/// `x` where positive, `scale · (exp(x) - 1)` elsewhere. Clevert, Unterthiner, Hochreiter, 2015.
///
/// The derivative at 0 is `scale`, as in PyTorch, and NaN at NaN, of which PyTorch makes `scale`.
public func elu(_ x: Tensor, scale: Scalar = 1) -> Tensor {
  elementwise(x, .elu(scale: scale)).recorded("elu", of: x, .elu(scale: scale)) { dy in
    let isPositive = x .> 0
    // Without positive numbers, whose exponential may overflow.
    return dy * .where(isPositive, 1, scale * exp(.where(isPositive, 0, x)))
  }
}

/// How ``gelu(_:_:)`` takes the normal distribution function Φ: PyTorch's `approximate`.
public enum GELUForm: Sendable, Hashable {
  /// Exact: `x Φ(x)`.
  case exact
  /// By a hyperbolic tangent: `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`.
  case tanh
}

/// `x Φ(x)`, with the exact normal distribution function Φ. Hendrycks, Gimpel, 2016.
///
/// That of ∞ is ∞, that of -∞ is 0; PyTorch's may be NaN.
public func gelu(_ x: Tensor) -> Tensor {
  elementwise(x, .gelu).recorded("gelu", of: x, .gelu) { dy in
    dy * (normalDistribution(x) + x * normalDensity(x))
  }
}

/// `x Φ(x)` with Φ exact or approximated; see ``GELUForm``.
public func gelu(_ x: Tensor, _ form: GELUForm) -> Tensor {
  guard form == .tanh else { return gelu(x) }
  return elementwise(x, .geluByTanh).recorded("gelu", of: x, .geluByTanh) { dy in
    let (linear, cubic): (Scalar, Scalar) = (1.595_769_121_605_730_7, 0.071_354_816_272_600_25)
    let s = sigmoid(x * (linear + cubic * square(x)))
    return dy * (s + s * (1 - s) * x * (linear + 3 * cubic * square(x)))
  }
}

/// `x σ(x)`. Elfwing, Uchibe, Doya, 2017.
///
/// That of -∞ is 0; PyTorch's is NaN.
public func silu(_ x: Tensor) -> Tensor {
  elementwise(x, .silu).recorded("silu", of: x, .silu) { dy in
    let s = sigmoid(x)
    return dy * (s + x * (s * (1 - s)))
  }
}

/// Φ, the distribution function of the standard normal distribution.
private func normalDistribution(_ x: Tensor) -> Tensor {
  elementwise(x, .normalDistribution).recorded("Φ", of: x, .normalDistribution) { dy in dy * normalDensity(x) }
}

/// φ, the density of the standard normal distribution.
private func normalDensity(_ x: Tensor) -> Tensor {
  elementwise(x, .normalDensity).recorded("φ", saving: [x], (x, { -$0 * x * normalDensity(x) }))
}

/// `dy` where `x` is positive, `slope · dy` elsewhere: linear in `dy`, and its own adjoint.
private func leakyBackward(_ dy: Tensor, at x: Tensor, _ slope: Scalar) -> Tensor {
  var gradient = dy.detached
  return pulledBack(&gradient, at: x, .leakyReLU(slope: slope))
    .recorded("leakyBackward", saving: [x], (dy, { leakyBackward($0, at: x, slope) }))
}
