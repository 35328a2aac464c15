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

/// The value of `loss` and its gradients with respect to the trainable parameters of `model` and to `x`, in one backward pass.
///
/// ```swift
/// let (loss, gradients, atInput) = valueWithGradient(of: model, at: images) { model, images in
///   softmaxCrossEntropy(model(images), labels: labels)
/// }
/// ```
/// - Precondition: `loss` returns a single scalar.
public func valueWithGradient<M: Module, E: Error>(
  of model: M, at x: Tensor, _ loss: (M, Tensor) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients, inputGradient: Tensor) {
  let all = try valueWithGradient(of: model, at: [x]) { (model, xs) throws(E) in try loss(model, xs[0]) }
  return (all.value, all.gradients, all.inputGradients[0])
}

/// The value of `loss` and its gradients with respect to the trainable parameters of `model` and to each of `xs`, in one
/// backward pass.
public func valueWithGradient<M: Module, E: Error>(
  of model: M, at xs: [Tensor], _ loss: (M, [Tensor]) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients, inputGradients: [Tensor]) {
  let xs = xs.map { $0.freshLeaf() }
  let parameters = Set(model.parameters.filter(\.isTrainable).map(\.id))
  let leaves = parameters.union(xs.map(\.id))
  let tape = GradientTape(tracking: leaves)
  let value = try tape.record { () throws(E) in try loss(model, xs) }
  require(value.count == 1, "gradient: the loss must be a single scalar, it has shape \(value.shape)")
  let all = tape.gradients(of: value, seed: .ones(value.shape), withRespectTo: leaves)
  return (
    value, Gradients(byID: all.filter { parameters.contains($0.key) }, anomaly: tape.anomaly),
    xs.map { all[$0.id] ?? .zeros($0.shape) }
  )
}
