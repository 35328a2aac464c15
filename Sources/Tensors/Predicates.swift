// Truths: 1 where something holds and 0 elsewhere, or a `Bool` for all elements together. They have no gradient.
extension Tensor {
  /// 1 where an element is NaN, 0 elsewhere.
  public var isNaN: Tensor { self .!= self }

  /// Whether any element is not 0; NaN is not 0.
  public func any() -> Bool { any(alongAxes: Array(0..<rank)).item != 0 }

  /// Whether no element is 0, as of an empty tensor.
  public func all() -> Bool { all(alongAxes: Array(0..<rank)).item != 0 }

  /// 1 where any element along `axes` is not 0, else 0.
  public func any(alongAxes axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    (self .!= 0).sum(alongAxes: axes, keepingDimensions: keepingDimensions) .!= 0
  }

  /// 1 where no element along `axes` is 0, else 0.
  public func all(alongAxes axes: [Int], keepingDimensions: Bool = false) -> Tensor {
    (self .== 0).sum(alongAxes: axes, keepingDimensions: keepingDimensions) .== 0
  }
}
