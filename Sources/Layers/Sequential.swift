/// A chain of layers, named "0", "1", … in the state, or by given names.
///
/// ```swift
/// let head = Sequential {
///   Flatten()
///   Linear(400, 120, using: &generator)
///   ReLU()
///   if isDeep { Linear(120, 120, using: &generator) }
///   softplus
/// }
/// ```
/// A function of a tensor, such as `softplus`, is a ``Lambda``.
public final class Sequential: Layer {
  /// The layers in order.
  public let layers: [any Layer]
  let names: [String]
  /// The layers as they run, folded for inference: the same function as `layers`, which can still be asked for one by one.
  let folded: [any Layer]?

  /// Layers named "0", "1", ….
  public init(_ layers: [any Layer]) {
    self.layers = layers
    (names, folded) = (layers.indices.map(String.init), nil)
  }

  /// Layers named "0", "1", …, as arguments.
  public convenience init(_ first: any Layer, _ others: any Layer...) { self.init([first] + others) }

  /// Layers with given names, which may be paths, such as "features.0".
  public init(named layers: [(name: String, layer: any Layer)]) {
    self.layers = layers.map(\.layer)
    (names, folded) = (layers.map(\.name), nil)
  }

  init(_ layers: [any Layer], names: [String], folded: [any Layer]?) {
    (self.layers, self.names, self.folded) = (layers, names, folded)
  }

  /// Layers named "0", "1", …, listed in a block.
  public convenience init(@LayerBuilder _ layers: () -> [any Layer]) { self.init(layers()) }

  public var parts: [(name: String, part: Any)] { Array(zip(names, layers)) }

  /// The layer at `index`.
  public subscript(index: Int) -> any Layer { layers[index] }
  /// The number of layers.
  public var count: Int { layers.count }

  public func callAsFunction(_ x: Tensor) -> Tensor { applied(folded ?? layers, to: x) }
}

/// Applies `layers` one after another; a ReLU after a batch norm is fused into it.
func applied(_ layers: [any Layer], to x: Tensor) -> Tensor {
  var (y, index) = (x, 0)
  while index < layers.count {
    if let norm = layers[index] as? BatchNorm2d, index + 1 < layers.count, let relu = layers[index + 1] as? ReLU {
      y = norm(y, then: relu)
      index += 2
    } else {
      y = layers[index](y)
      index += 1
    }
  }
  return y
}

/// Lists layers, with `if`, `switch` and `for`.
@resultBuilder
public enum LayerBuilder {
  public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  public static func buildExpression(_ function: @escaping @Sendable (Tensor) -> Tensor) -> [any Layer] {
    [Lambda(function)]
  }
  @available(
    *, unavailable,
    message: "list layers, arrays of layers and functions of one tensor; wrap others: Lambda { elu($0) }"
  )
  @_disfavoredOverload
  public static func buildExpression<Other>(_ other: Other) -> [any Layer] { [] }
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  public static func buildEither(first: [any Layer]) -> [any Layer] { first }
  public static func buildEither(second: [any Layer]) -> [any Layer] { second }
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}

/// A function as a layer, without parameters: `Lambda { leakyReLU($0, slope: 0.2) }`.
///
/// The function is `@Sendable`, so it cannot capture a layer, whose parameters would be neither trained nor saved.
public final class Lambda: Layer {
  let function: @Sendable (Tensor) -> Tensor
  /// A layer that applies `function`.
  public init(_ function: @escaping @Sendable (Tensor) -> Tensor) { self.function = function }
  public func callAsFunction(_ x: Tensor) -> Tensor { reported(function(x), of: x) }
}

/// A residual connection: `body(x) + shortcut(x)`.
///
/// He et al.: "Deep residual learning for image recognition", 2015.
public final class Residual: Layer {
  /// The residual branch.
  public let body: any Layer
  /// The shortcut branch.
  public let shortcut: any Layer
  /// A body and a shortcut, by default the identity.
  public init(_ body: any Layer, shortcut: any Layer = Identity()) { (self.body, self.shortcut) = (body, shortcut) }
  public func callAsFunction(_ x: Tensor) -> Tensor { body(x) + shortcut(x) }
}
