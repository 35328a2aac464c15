// Elementary functions of every element. Their derivatives are tensor expressions, so any order of gradient exists.

public func exp(_ x: Tensor) -> Tensor {
  elementwise(x, .exp).recorded("exp", from: x) { dy, y in dy * y }
}

/// `exp(x) - 1`, accurate near 0.
public func expm1(_ x: Tensor) -> Tensor {
  elementwise(x, .expm1).recorded("expm1", saving: [x], (x, { $0 * exp(x) }))
}

/// The natural logarithm.
public func log(_ x: Tensor) -> Tensor {
  elementwise(x, .log).recorded("log", saving: [x], (x, { $0 / x }))
}

/// `log(1 + x)`, accurate near 0.
public func log1p(_ x: Tensor) -> Tensor {
  elementwise(x, .log1p).recorded("log1p", saving: [x], (x, { $0 / (x + 1) }))
}

public func sqrt(_ x: Tensor) -> Tensor {
  elementwise(x, .sqrt).recorded("sqrt", from: x) { dy, y in dy * 0.5 / y }
}

/// `1 / sqrt(x)`.
public func rsqrt(_ x: Tensor) -> Tensor {
  elementwise(x, .rsqrt).recorded("rsqrt", from: x) { dy, y in dy * -0.5 * (y * y * y) }
}

/// The absolute value; the derivative at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  elementwise(x, .abs).recorded("abs", saving: [x], (x, { $0 * sign(x) }))
}

/// -1, 0 or 1; the gradient is 0.
public func sign(_ x: Tensor) -> Tensor { elementwise(x, .sign) }

/// `x * x`.
public func square(_ x: Tensor) -> Tensor {
  elementwise(x, .square).recorded("square", saving: [x], (x, { $0 * 2 * x }))
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
  elementwise(x, .tanh).recorded("tanh", from: x) { dy, y in dy * (1 - square(y)) }
}

/// The error function, `2/√π ∫₀ˣ exp(-t²) dt`.
public func erf(_ x: Tensor) -> Tensor {
  let twoOverRootPi = 1.128_379_167_095_512_573_9
  return elementwise(x, .erf).recorded("erf", saving: [x], (x, { $0 * Scalar(twoOverRootPi) * exp(-square(x)) }))
}

/// `1 / (1 + exp(-x))`.
public func sigmoid(_ x: Tensor) -> Tensor {
  elementwise(x, .sigmoid).recorded("sigmoid", from: x) { dy, y in dy * (y * (1 - y)) }
}

/// `log(1 + exp(x))`, stable for any `x`.
public func softplus(_ x: Tensor) -> Tensor {
  elementwise(x, .softplus).recorded("softplus", saving: [x], (x, { $0 * sigmoid(x) }))
}

/// The largest integer that is not above; the gradient is 0.
public func floor(_ x: Tensor) -> Tensor { elementwise(x, .floor) }

/// The smallest integer that is not below; the gradient is 0.
public func ceil(_ x: Tensor) -> Tensor { elementwise(x, .ceil) }

/// The nearest integer, halves to even; the gradient is 0.
public func round(_ x: Tensor) -> Tensor { elementwise(x, .round) }
