// Gradients add, and scale by numbers. A parameter that one of two does not have counts as 0 there.
extension Gradients {
  public static func += (a: inout Gradients, b: Gradients) { a = a + b }
  public static func - (a: Gradients, b: Gradients) -> Gradients { a + (-b) }
  public static func -= (a: inout Gradients, b: Gradients) { a = a - b }
  public static prefix func - (a: Gradients) -> Gradients { a.map { -$0 } }
  public static func * (a: Gradients, b: Scalar) -> Gradients { a.map { $0 * Tensor(b) } }
  public static func * (a: Scalar, b: Gradients) -> Gradients { b * a }
  public static func / (a: Gradients, b: Scalar) -> Gradients { a.map { $0 / Tensor(b) } }
  public static func *= (a: inout Gradients, b: Scalar) { a = a * b }
  public static func /= (a: inout Gradients, b: Scalar) { a = a / b }

  /// These gradients with each tensor changed by `transform`.
  ///
  /// - Precondition: `transform` keeps the shape.
  public func map<E: Error>(_ transform: (Tensor) throws(E) -> Tensor) throws(E) -> Gradients {
    var result = self
    for (id, gradient) in byID {
      let changed = try transform(gradient)
      require(changed.shape == gradient.shape, "Gradients.map: \(gradient.shape) became \(changed.shape)")
      result.byID[id] = changed
    }
    return result
  }
}
