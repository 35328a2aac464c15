// Comparisons give 1 where they hold and 0 elsewhere, broadcast, and are constant to gradients.
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

  /// `other` where `mask` is not 0, `self` elsewhere, all three broadcast against each other.
  public func replacing(with other: Tensor, where mask: Tensor) -> Tensor {
    guard let common = shape.broadcast(with: other.shape)?.broadcast(with: mask.shape) else {
      fatalError("replacing: shapes \(shape), \(other.shape) and mask \(mask.shape) do not broadcast")
    }
    let chosen = other.detached.broadcast(to: common)
    let kept = detached.broadcast(to: common)
    let mask = mask.detached.broadcast(to: common)
    return Tensor(shape: common) { out in
      let y = out.baseAddress!
      Parallel.forEach(common.count, grain: elementwiseGrain) { range in
        let start = range.lowerBound
        Elementwise.select(
          range.count, mask: mask.pointer + start, chosen.pointer + start, kept.pointer + start, y + start)
      }
    }.recorded(
      "replacing", keeping: [mask],
      (self, { $0.replacing(with: 0, where: mask) }), (other, { Tensor(0).replacing(with: $0, where: mask) }))
  }

  /// Every element moved into `range`; the gradient passes where it was inside.
  public func clamped(to range: ClosedRange<Scalar>) -> Tensor {
    let x = self
    return elementwise(
      "clamped", elementwise("clamped", x, Tensor(range.lowerBound), .maximum), Tensor(range.upperBound), .minimum
    )
    .recorded(
      "clamped", keeping: [x],
      (x, { $0 * ((x .>= range.lowerBound) * (x .<= range.upperBound)) }))
  }
}

/// The larger of each pair, broadcast; equals share the gradient.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  elementwise("maximum", a, b, .maximum).recorded(
    "maximum", keeping: [a, b], (a, { $0 * shareOfWinner(b, a) }), (b, { $0 * shareOfWinner(a, b) }))
}

/// The smaller of each pair, broadcast; equals share the gradient.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  elementwise("minimum", a, b, .minimum).recorded(
    "minimum", keeping: [a, b], (a, { $0 * shareOfWinner(a, b) }), (b, { $0 * shareOfWinner(b, a) }))
}

/// 1 where `a < b`, a half where they are equal, else 0.
private func shareOfWinner(_ a: Tensor, _ b: Tensor) -> Tensor { (a .< b) + (a .== b) * 0.5 }
