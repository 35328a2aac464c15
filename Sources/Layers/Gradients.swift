/// The gradients of a loss with respect to the trainable parameters of a model.
public struct Gradients: Sendable {
  package var byID: [TensorID: Tensor]

  package init(byID: [TensorID: Tensor]) { self.byID = byID }

  /// The gradient for `parameter`, nil where it is frozen or had no part in the loss.
  public subscript(_ parameter: Parameter) -> Tensor? {
    get { byID[parameter.id] }
    set { byID[parameter.id] = newValue }
  }

  /// The sum of two sets of gradients, for accumulation over several small batches.
  public static func + (a: Gradients, b: Gradients) -> Gradients {
    Gradients(byID: a.byID.merging(b.byID, uniquingKeysWith: +))
  }
}

/// The value of `loss` and its gradients with respect to the trainable parameters of `model`.
///
/// - Precondition: `loss` returns a single scalar.
public func valueWithGradient<M: Module, E: Error>(
  of model: M, _ loss: (M) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients) {
  let ids = Set(model.parameters.filter(\.isTrainable).map(\.id))
  let tape = GradientTape(tracking: ids)
  let value = try tape.record { () throws(E) in try loss(model) }
  require(value.count == 1, "gradient: the loss must be a single scalar, it has shape \(value.shape)")
  return (value, Gradients(byID: tape.gradients(of: value, seed: .ones(value.shape), keeping: ids)))
}
