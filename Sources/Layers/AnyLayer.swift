import Tensors

/// A layer of any type, where a type has to be named: `Fit` of an `any Layer` trains one.
///
/// Its parts have the names that they have in the layer itself.
public final class AnyLayer: Layer {
  /// The layer.
  public let base: any Layer

  /// The layer `base`.
  public init(_ base: any Layer) { self.base = base }

  public var parts: [(name: String, part: Any)] { base.parts }
  public func callAsFunction(_ x: Tensor) -> Tensor { base(x) }
}
