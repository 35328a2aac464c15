// Comparisons are 1 where they hold and 0 elsewhere; they broadcast, and have no gradient.
extension Tensor {
  public static func .< (a: Tensor, b: Tensor) -> Tensor { elementwise(".<", a, b, .less) }
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { elementwise(".<=", a, b, .lessOrEqual) }
  public static func .> (a: Tensor, b: Tensor) -> Tensor { elementwise(".>", b, a, .less) }
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { elementwise(".>=", b, a, .lessOrEqual) }
  public static func .== (a: Tensor, b: Tensor) -> Tensor { elementwise(".==", a, b, .equal) }
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { elementwise(".!=", a, b, .notEqual) }
  @_disfavoredOverload public static func .< (a: Tensor, b: Scalar) -> Tensor { a .< Tensor(b) }
  @_disfavoredOverload public static func .<= (a: Tensor, b: Scalar) -> Tensor { a .<= Tensor(b) }
  @_disfavoredOverload public static func .> (a: Tensor, b: Scalar) -> Tensor { a .> Tensor(b) }
  @_disfavoredOverload public static func .>= (a: Tensor, b: Scalar) -> Tensor { a .>= Tensor(b) }
  @_disfavoredOverload public static func .== (a: Tensor, b: Scalar) -> Tensor { a .== Tensor(b) }
  @_disfavoredOverload public static func .!= (a: Tensor, b: Scalar) -> Tensor { a .!= Tensor(b) }

  /// `a` where `mask` is not 0, `b` elsewhere, all three broadcast against each other: NumPy's `where`.
  public static func `where`(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    guard let shape = a.shape.broadcast(with: b.shape)?.broadcast(with: mask.shape) else {
      fatalError("where: mask \(mask.shape) and shapes \(a.shape), \(b.shape) do not broadcast")
    }
    let (chosen, rest) = (a.detached.broadcast(to: shape), b.detached.broadcast(to: shape))
    let mask = mask.detached.broadcast(to: shape)
    return Tensor(shape: shape) { out in
      let y = out.baseAddress!
      Parallel.forEach(shape.count, grain: elementwiseGrain) { range in
        let start = range.lowerBound
        Elementwise.select(
          range.count, mask: mask.pointer + start, chosen.pointer + start, rest.pointer + start, y + start)
      }
    }.recorded("where", saving: [mask], (a, { .where(mask, $0, 0) }), (b, { .where(mask, 0, $0) }))
  }

  /// Every element clamped to `range`; the gradient is 0 outside of it.
  public func clamped(to range: ClosedRange<Scalar>) -> Tensor {
    let x = self
    return elementwise(x, .clamp(range)).recorded("clamped", of: x, .clamp(range)) { dy in
      .where((x .>= range.lowerBound) * (x .<= range.upperBound), dy, 0)
    }
  }
}

/// The larger of each pair, broadcast; equals share the gradient.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  elementwise("maximum", a, b, .maximum).recorded(
    "maximum", saving: [a, b], (a, { $0 * winnerMask(b, a) }), (b, { $0 * winnerMask(a, b) }))
}

/// The smaller of each pair, broadcast; equals share the gradient.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  elementwise("minimum", a, b, .minimum).recorded(
    "minimum", saving: [a, b], (a, { $0 * winnerMask(a, b) }), (b, { $0 * winnerMask(b, a) }))
}

/// 1 where `a < b`, a half where they are equal, 0 where `a > b`; 1 beside NaN, which reaches both.
private func winnerMask(_ a: Tensor, _ b: Tensor) -> Tensor { 1 - (a .> b) - (a .== b) * 0.5 }
