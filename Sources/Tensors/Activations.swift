/// `max(x, 0)`; the derivative at 0 is 0.
///
/// At NaN, where the output is NaN, it is 0 too, as it follows from the output; PyTorch's is 1.
public func relu(_ x: Tensor) -> Tensor {
  // The mask follows from the output as well, which the next layer saves anyway.
  let y = leaky(x, 0)
  return y.recorded("relu", saving: [y], (x, { leakyBackward($0, at: y, 0) }))
}

/// `x` where positive, `slope · x` elsewhere.
public func leakyReLU(_ x: Tensor, slope: Scalar = 0.01) -> Tensor {
  leaky(x, slope).recorded("leakyReLU", saving: [x], (x, { leakyBackward($0, at: x.detached, slope) }))
}

/// `x` where positive, `scale · (exp(x) - 1)` elsewhere. Clevert, Unterthiner, Hochreiter, 2015.
///
/// The derivative at 0 is `scale`, as in PyTorch, and NaN at NaN, of which PyTorch makes `scale`.
public func elu(_ x: Tensor, scale: Scalar = 1) -> Tensor {
  let isPositive = x .> 0
  // Without positive numbers, whose exponential may overflow.
  return .where(isPositive, x, scale * expm1(.where(isPositive, 0, x)))
}

/// `x Φ(x)`, with the exact normal distribution function Φ. Hendrycks, Gimpel, 2016.
///
/// That of ∞ is ∞; PyTorch's is NaN where it computes several elements at once.
public func gelu(_ x: Tensor) -> Tensor { x * normalDistribution(x) }

/// `x σ(x)`. Elfwing, Uchibe, Doya, 2017.
public func silu(_ x: Tensor) -> Tensor { x * sigmoid(x) }

/// Φ, the distribution function of the standard normal distribution.
func normalDistribution(_ x: Tensor) -> Tensor {
  elementwise(x, .normalDistribution).recorded("Φ", saving: [x], (x, { $0 * normalDensity(x) }))
}

/// φ, the density of the standard normal distribution.
func normalDensity(_ x: Tensor) -> Tensor {
  elementwise(x, .normalDensity).recorded("φ", saving: [x], (x, { -$0 * x * normalDensity(x) }))
}

private func leaky(_ x: Tensor, _ slope: Scalar) -> Tensor {
  Tensor(shape: x.shape) { out in
    let (x, y) = (x.pointer, out.baseAddress!)
    Parallel.sweep(out.count, grain: elementwiseGrain) { range in
      Elementwise.leakyReLU(range.count, slope: slope, x + range.lowerBound, y + range.lowerBound)
    }
  }
}

/// `dy` where `x` is positive, `slope · dy` elsewhere: linear in `dy`, and its own adjoint.
private func leakyBackward(_ dy: Tensor, at x: Tensor, _ slope: Scalar) -> Tensor {
  Tensor(shape: x.shape) { out in
    let (x, dy, dx) = (x.pointer, dy.pointer, out.baseAddress!)
    Parallel.sweep(out.count, grain: elementwiseGrain) { range in
      Elementwise.leakyReLUBackward(
        range.count, slope: slope, x + range.lowerBound, dy + range.lowerBound, dx + range.lowerBound)
    }
  }.recorded("leakyBackward", saving: [x], (dy, { leakyBackward($0, at: x, slope) }))
}
