import CKernels

/// A function of one element: y[i] = f(x[i]).
package enum UnaryFunction: Sendable {
  case negate, exp, expm1, log, log1p, sqrt, rsqrt, abs, sign, square, sin, cos, tan, tanh, erf, floor, ceil, round
  case sigmoid, softplus, gelu, geluByTanh, silu, relu6, normalDensity, normalDistribution
  /// x > 0 ? x : scale · (exp(x) - 1)
  case elu(scale: Scalar)
  /// x > 0 ? x : slope · x
  case leakyReLU(slope: Scalar)
  /// x, or the end of the range that it is beyond; NaN stays.
  case clamp(ClosedRange<Scalar>)
  /// x²/2 where |x| is below the threshold δ, else δ (|x| - δ/2).
  case huber(threshold: Scalar)

  /// Applies the function to `count` elements of `x`; `y` may be `x`, and else may stream past the caches.
  package func callAsFunction(
    _ count: Int, streams: Bool = false, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    let streams: Int32 = streams ? 1 : 0
    switch self {
    case .negate: en_negate(count, streams, x, y)
    case .exp: en_exp(count, streams, x, y)
    case .expm1: en_expm1(count, streams, x, y)
    case .log: en_log(count, streams, x, y)
    case .log1p: en_log1p(count, streams, x, y)
    case .sqrt: en_sqrt(count, streams, x, y)
    case .rsqrt: en_rsqrt(count, streams, x, y)
    case .abs: en_abs(count, streams, x, y)
    case .sign: en_sign(count, streams, x, y)
    case .square: en_square(count, streams, x, y)
    case .sin: en_sin(count, streams, x, y)
    case .cos: en_cos(count, streams, x, y)
    case .tan: en_tan(count, streams, x, y)
    case .tanh: en_tanh(count, streams, x, y)
    case .erf: en_erf(count, streams, x, y)
    case .floor: en_floor(count, streams, x, y)
    case .ceil: en_ceil(count, streams, x, y)
    case .round: en_round(count, streams, x, y)
    case .sigmoid: en_sigmoid(count, streams, x, y)
    case .softplus: en_softplus(count, streams, x, y)
    case .gelu: en_gelu(count, streams, x, y)
    case .geluByTanh: en_gelu_tanh(count, streams, x, y)
    case .silu: en_silu(count, streams, x, y)
    case .relu6: en_relu6(count, streams, x, y)
    case .normalDensity: en_normal_density(count, streams, x, y)
    case .normalDistribution: en_normal_distribution(count, streams, x, y)
    case .elu(let scale): en_elu(count, streams, scale, x, y)
    case .leakyReLU(let slope): en_leaky_relu(count, streams, slope, x, y)
    case .clamp(let range): en_clamp(count, streams, range.lowerBound, range.upperBound, x, y)
    case .huber(let threshold): en_huber(count, streams, threshold, x, y)
    }
  }
}

/// The gradient of a function of one element: dx[i] from dy[i] and `v[i]`, which is the function's input, or its output where the
/// name says so.
package enum UnaryPullback: Sendable {
  case expm1, log1p, sqrtByOutput, rsqrtByOutput, abs, square, tanhByOutput, sigmoidByOutput, erf, softplus
  case gelu, geluByTanh, silu, relu6ByOutput, normalDistribution
  case elu(scale: Scalar)
  /// The input is positive where the output is: either will do where the slope is 0.
  case leakyReLU(slope: Scalar)
  case clamp(ClosedRange<Scalar>)

  /// Writes `count` elements of the gradient to `dx`, which may be `dy`, and else may stream past the caches.
  package func callAsFunction(
    _ count: Int, streams: Bool = false, _ v: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>,
    _ dx: UnsafeMutablePointer<Scalar>
  ) {
    let streams: Int32 = streams ? 1 : 0
    switch self {
    case .expm1: en_expm1_pullback(count, streams, v, dy, dx)
    case .log1p: en_log1p_pullback(count, streams, v, dy, dx)
    case .sqrtByOutput: en_sqrt_by_output_pullback(count, streams, v, dy, dx)
    case .rsqrtByOutput: en_rsqrt_by_output_pullback(count, streams, v, dy, dx)
    case .abs: en_abs_pullback(count, streams, v, dy, dx)
    case .square: en_square_pullback(count, streams, v, dy, dx)
    case .tanhByOutput: en_tanh_by_output_pullback(count, streams, v, dy, dx)
    case .sigmoidByOutput: en_sigmoid_by_output_pullback(count, streams, v, dy, dx)
    case .erf: en_erf_pullback(count, streams, v, dy, dx)
    case .softplus: en_softplus_pullback(count, streams, v, dy, dx)
    case .gelu: en_gelu_pullback(count, streams, v, dy, dx)
    case .geluByTanh: en_gelu_tanh_pullback(count, streams, v, dy, dx)
    case .silu: en_silu_pullback(count, streams, v, dy, dx)
    case .relu6ByOutput: en_relu6_by_output_pullback(count, streams, v, dy, dx)
    case .normalDistribution: en_normal_distribution_pullback(count, streams, v, dy, dx)
    case .elu(let scale): en_elu_backward(count, streams, scale, v, dy, dx)
    case .leakyReLU(let slope): en_leaky_relu_backward(count, streams, slope, v, dy, dx)
    case .clamp(let range): en_clamp_backward(count, streams, range.lowerBound, range.upperBound, v, dy, dx)
    }
  }
}

/// A function of two elements: y[row][i] = f(a[row][i], b[row][i]).
package enum BinaryFunction: Sendable {
  case add, subtract, multiply, divide, power, maximum, minimum, weighted, less, lessOrEqual, equal, notEqual

  /// The steps of an operand from row to row and along a row, the latter 0 or 1: a step of 0 repeats what it has.
  package typealias Steps = (row: Int, element: Int)

  /// Applies the function to `rows` rows of `columns` elements; `y` is contiguous, and may stream past the caches.
  package func callAsFunction(
    rows: Int, columns: Int, streams: Bool = false, _ a: UnsafePointer<Scalar>, _ aSteps: Steps,
    _ b: UnsafePointer<Scalar>, _ bSteps: Steps, _ y: UnsafeMutablePointer<Scalar>
  ) {
    let pairs = en_pairs(
      rows: rows, n: columns, aRow: aSteps.row, aStep: aSteps.element, bRow: bSteps.row, bStep: bSteps.element,
      streams: streams ? 1 : 0)
    switch self {
    case .add: en_add(pairs, a, b, y)
    case .subtract: en_subtract(pairs, a, b, y)
    case .multiply: en_multiply(pairs, a, b, y)
    case .divide: en_divide(pairs, a, b, y)
    case .power: en_power(pairs, a, b, y)
    case .maximum: en_maximum(pairs, a, b, y)
    case .minimum: en_minimum(pairs, a, b, y)
    case .weighted: en_weighted(pairs, a, b, y)
    case .less: en_less(pairs, a, b, y)
    case .lessOrEqual: en_less_or_equal(pairs, a, b, y)
    case .equal: en_equal(pairs, a, b, y)
    case .notEqual: en_not_equal(pairs, a, b, y)
    }
  }

  /// Applies the function to `count` pairs of elements; `y` may be `a` or `b`.
  package func callAsFunction(
    _ count: Int, _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>
  ) {
    self(rows: 1, columns: count, a, (0, 1), b, (0, 1), y)
  }
}

/// Further elementwise kernels, over contiguous arrays of `count` scalars.
package enum Elementwise {
  /// y[i] = mask[i] ≠ 0 ? a[i] : b[i]
  package static func select(
    _ count: Int, mask: UnsafePointer<Scalar>, _ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    en_select(count, mask, a, b, y)
  }
}
