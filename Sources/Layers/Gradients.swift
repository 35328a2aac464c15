/// The gradients of a loss with respect to the trainable parameters of a model.
public struct Gradients: Sendable {
  package var byID: [TensorID: Tensor]
  /// The first non-finite operation or derivative, where ``Computation/detectsAnomalies`` is on.
  package var anomaly: String?

  package init(byID: [TensorID: Tensor], anomaly: String? = nil) { (self.byID, self.anomaly) = (byID, anomaly) }

  /// The gradient for `parameter`, nil where it is frozen or the loss does not depend on it.
  public subscript(_ parameter: Parameter) -> Tensor? {
    get { byID[parameter.id] }
    set { byID[parameter.id] = newValue }
  }

  /// The sum of two sets of gradients, for accumulation over several small batches.
  public static func + (a: Gradients, b: Gradients) -> Gradients {
    Gradients(byID: a.byID.merging(b.byID, uniquingKeysWith: +), anomaly: a.anomaly ?? b.anomaly)
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
  let gradients = tape.gradients(of: value, seed: .ones(value.shape), withRespectTo: ids)
  return (value, Gradients(byID: gradients, anomaly: tape.anomaly))
}

/// Records the operations of `body` on a tape that tracks the trainable parameters of `model`; see ``RecordedTape``.
public func recordedTape<M: Module, E: Error>(
  of model: M, _ body: (M) throws(E) -> Tensor
) throws(E) -> RecordedTape {
  let tape = GradientTape(tracking: model.parameters.filter(\.isTrainable).map(\.id))
  _ = try tape.record { () throws(E) in try body(model) }
  return RecordedTape(tape, inputs: model.parameters.map(\.wrappedValue))
}

/// Compares the gradients of `f` with respect to the trainable parameters of `model` with central differences.
///
/// `f` must be deterministic: no dropout. Parameters and results are those of ``checkGradient(of:at:step:tolerance:limit:)``.
@discardableResult
public func checkGradient<M: Module>(
  of model: M, step: Scalar? = nil, tolerance: Scalar? = nil, limit: Int = 100, _ f: (M) throws -> Tensor
) throws -> Scalar {
  let parameters = model.namedParameters.filter(\.parameter.isTrainable)
  let tape = GradientTape(tracking: parameters.map(\.parameter.id))
  let value = try tape.record { try f(model) }
  var comparison = GradientComparison(of: value, step: step, tolerance: tolerance, limit: limit)
  let gradients = tape.gradients(
    of: value, seed: comparison.weights, withRespectTo: Set(parameters.map(\.parameter.id)))
  for (name, parameter) in parameters {
    let point = parameter.wrappedValue
    defer { parameter.wrappedValue = point }
    try comparison.compare(gradients[parameter.id] ?? .zeros(point.shape), at: point, of: name) { moved in
      parameter.wrappedValue = moved
      return try f(model)
    }
  }
  return try comparison.result()
}
