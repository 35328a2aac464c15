// Elementary functions of every element. A gradient is one kernel, and for an outer tape a tensor expression, so any order of
// gradient exists. Docs/elementary-functions.md has the largest errors.

public func exp(_ x: Tensor) -> Tensor {
  elementwise(x, .exp).recorded("exp", from: x) { dy, y in dy * y }
}

/// `exp(x) - 1`, accurate near 0.
public func expm1(_ x: Tensor) -> Tensor {
  elementwise(x, .expm1).recorded("expm1", of: x, .expm1) { dy in dy * exp(x) }
}

/// The natural logarithm.
public func log(_ x: Tensor) -> Tensor {
  elementwise(x, .log).recorded("log", saving: [x], (x, { $0 / x }))
}

/// `log(1 + x)`, accurate near 0.
public func log1p(_ x: Tensor) -> Tensor {
  elementwise(x, .log1p).recorded("log1p", of: x, .log1p) { dy in dy / (x + 1) }
}

public func sqrt(_ x: Tensor) -> Tensor {
  elementwise(x, .sqrt).recorded("sqrt", from: x, .sqrtByOutput) { dy, y in dy * 0.5 / y }
}

/// `1 / sqrt(x)`.
public func rsqrt(_ x: Tensor) -> Tensor {
  elementwise(x, .rsqrt).recorded("rsqrt", from: x, .rsqrtByOutput) { dy, y in dy * -0.5 * (y * y * y) }
}

/// The absolute value; the derivative at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  elementwise(x, .abs).recorded("abs", of: x, .abs) { dy in dy * sign(x) }
}

/// -1, 0 or 1; the gradient is 0.
public func sign(_ x: Tensor) -> Tensor { elementwise(x, .sign) }

/// `x * x`.
public func square(_ x: Tensor) -> Tensor {
  elementwise(x, .square).recorded("square", of: x, .square) { dy in dy * 2 * x }
}

public func sin(_ x: Tensor) -> Tensor {
  elementwise(x, .sin).recorded("sin", saving: [x], (x, { $0 * cos(x) }))
}

public func cos(_ x: Tensor) -> Tensor {
  elementwise(x, .cos).recorded("cos", saving: [x], (x, { -$0 * sin(x) }))
}

public func tan(_ x: Tensor) -> Tensor {
  elementwise(x, .tan).recorded("tan", from: x) { dy, y in dy * (1 + square(y)) }
}

/// The hyperbolic tangent.
public func tanh(_ x: Tensor) -> Tensor {
  elementwise(x, .tanh).recorded("tanh", from: x, .tanhByOutput) { dy, y in dy * (1 - square(y)) }
}

/// The error function, `2/√π ∫₀ˣ exp(-t²) dt`.
public func erf(_ x: Tensor) -> Tensor {
  let twoOverRootPi = 1.128_379_167_095_512_573_9
  return elementwise(x, .erf).recorded("erf", of: x, .erf) { dy in dy * Scalar(twoOverRootPi) * exp(-square(x)) }
}

/// `1 / (1 + exp(-x))`.
public func sigmoid(_ x: Tensor) -> Tensor {
  elementwise(x, .sigmoid).recorded("sigmoid", from: x, .sigmoidByOutput) { dy, y in dy * (y * (1 - y)) }
}

/// `log(1 + exp(x))`, stable for any `x`.
public func softplus(_ x: Tensor) -> Tensor {
  elementwise(x, .softplus).recorded("softplus", of: x, .softplus) { dy in dy * sigmoid(x) }
}

/// The largest integer that is not above; the gradient is 0.
public func floor(_ x: Tensor) -> Tensor { elementwise(x, .floor) }

/// The smallest integer that is not below; the gradient is 0.
public func ceil(_ x: Tensor) -> Tensor { elementwise(x, .ceil) }

/// The nearest integer, halves to even; the gradient is 0.
public func round(_ x: Tensor) -> Tensor { elementwise(x, .round) }

extension Tensor {
  /// Records `self` as the elementwise `operation` of `x`, whose gradient `kernel` computes from x, in place where nobody else
  /// holds the upstream gradient.
  ///
  /// - Parameter composed: The gradient as a tensor expression, for an outer tape to differentiate.
  func recorded(
    _ operation: String, of x: Tensor, _ kernel: UnaryPullback, composed: @escaping @Sendable (Tensor) -> Tensor
  ) -> Tensor {
    recorded(
      operation, saving: [x], from: [x],
      consuming: { dy, _, _ in
        [GradientTape.active.isEmpty ? pulledBack(&dy, at: x, kernel) : composed(dy)]
      })
  }

  /// Records `self` as the elementwise `operation` of `x`, whose gradient `kernel` computes from the output.
  ///
  /// - Parameter composed: The gradient as an expression of the output's gradient and the output, for an outer tape.
  func recorded(
    _ operation: String, from x: Tensor, _ kernel: UnaryPullback,
    composed: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    recordedByOutput(operation, from: x) { dy, y in
      GradientTape.active.isEmpty ? pulledBack(&dy, at: y, kernel) : composed(dy, y)
    }
  }
}

extension Tensor {
  /// An untracked tensor of this shape to be written: in this one's storage where nobody else holds it.
  mutating func takeStorage() -> Tensor {
    Storage.isUnique(&storage) ? detached : Tensor(storage: Storage(count: count), shape: shape)
  }
}

/// The gradient that `kernel` makes of `dy` and what it needs of the function, in the storage of `dy` where nobody else holds it.
func pulledBack(_ dy: inout Tensor, at v: Tensor, _ kernel: UnaryPullback) -> Tensor {
  let source = dy.pointer
  let dx = dy.takeStorage()
  let (v, target, streams) = (v.pointer, dx.storage.pointer, Movement.streams(dx.count))
  Parallel.sweep(dx.count, grain: elementwiseGrain) { range in
    let start = range.lowerBound
    kernel(range.count, streams: streams, v + start, source + start, target + start)
  }
  return dx
}
