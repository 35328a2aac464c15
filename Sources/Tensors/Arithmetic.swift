extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    elementwise("+", a, b, .add).recorded("+", (a, { $0 }), (b, { $0 }))
  }
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    elementwise("-", a, b, .subtract).recorded("-", (a, { $0 }), (b, { -$0 }))
  }
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    elementwise("*", a, b, .multiply).recorded("*", saving: [a, b], (a, { $0 * b }), (b, { $0 * a }))
  }
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    elementwise("/", a, b, .divide).recorded(
      "/", saving: [a, b], (a, { $0 / b }), (b, { -$0 * a / (b * b) }))
  }
  public static prefix func - (x: Tensor) -> Tensor {
    elementwise(x, .negate).recorded("negate", (x, { -$0 }))
  }

  // Disfavoured, so that a literal is a tensor, and `[1.5].reduce(0, +)` a sum of numbers.
  @_disfavoredOverload public static func + (a: Tensor, b: Scalar) -> Tensor { a + Tensor(b) }
  @_disfavoredOverload public static func - (a: Tensor, b: Scalar) -> Tensor { a - Tensor(b) }
  @_disfavoredOverload public static func * (a: Tensor, b: Scalar) -> Tensor { a * Tensor(b) }
  @_disfavoredOverload public static func / (a: Tensor, b: Scalar) -> Tensor { a / Tensor(b) }
  @_disfavoredOverload public static func + (a: Scalar, b: Tensor) -> Tensor { Tensor(a) + b }
  @_disfavoredOverload public static func - (a: Scalar, b: Tensor) -> Tensor { Tensor(a) - b }
  @_disfavoredOverload public static func * (a: Scalar, b: Tensor) -> Tensor { Tensor(a) * b }
  @_disfavoredOverload public static func / (a: Scalar, b: Tensor) -> Tensor { Tensor(a) / b }

  /// Adds in place where no tape tracks an operand and the storage is not shared.
  public static func += (a: inout Tensor, b: Tensor) {
    guard a.shape == b.shape, !a.isTracked, !b.isTracked else {
      a = a + b
      return
    }
    a.withUnsafeMutableScalars { a in
      let (y, b) = (a.baseAddress!, b.pointer)
      Parallel.sweep(a.count, grain: elementwiseGrain) { range in
        let y = y + range.lowerBound
        BinaryFunction.add(range.count, y, b + range.lowerBound, y)
      }
    }
  }
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }
  @_disfavoredOverload public static func += (a: inout Tensor, b: Scalar) { a = a + b }
  @_disfavoredOverload public static func -= (a: inout Tensor, b: Scalar) { a = a - b }
  @_disfavoredOverload public static func *= (a: inout Tensor, b: Scalar) { a = a * b }
  @_disfavoredOverload public static func /= (a: inout Tensor, b: Scalar) { a = a / b }

  /// Whether an active tape tracks this tensor.
  package var isTracked: Bool { GradientTape.active.contains { $0.isTracking(id) } }
}

/// `x` to the power of `exponent`, elementwise, as C's `pow`: that of -∞ to the power of ½ is ∞, of which PyTorch takes the root, NaN.
public func pow(_ x: Tensor, _ exponent: Scalar) -> Tensor {
  if exponent == 2 { return elementwise(x, .square).recorded("pow", of: x, .square) { dy in dy * 2 * x } }
  return elementwise("pow", x, Tensor(exponent), .power).recorded(
    "pow", saving: [x], (x, { exponent == 0 ? $0 * 0 : $0 * (exponent * pow(x, exponent - 1)) }))
}

/// `base` to the power of `exponent`, elementwise, broadcast against each other.
///
/// Derivatives are PyTorch's: with respect to the base 0 where the exponent is 0, with respect to the exponent 0 where the base
/// is 0 and the exponent is not negative.
@_disfavoredOverload  // so that a literal exponent is a number
public func pow(_ base: Tensor, _ exponent: Tensor) -> Tensor {
  elementwise("pow", base, exponent, .power).recorded(
    "pow", saving: [base, exponent],
    (base, { .where(exponent .== 0, 0, $0 * exponent * pow(base, exponent - 1)) }),
    (exponent, { .where((base .== 0) * (exponent .>= 0), 0, $0 * pow(base, exponent) * log(base)) }))
}
