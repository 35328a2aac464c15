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
  let all = try valueWithGradient(of: model, at: []) { (model, _) throws(E) in try loss(model) }
  return (all.value, all.gradients)
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
  try valueWithGradient(of: model, at: xs, whenFinal: nil, loss)
}

/// The same, with what is done with a gradient as soon as it is known, while those of earlier layers are computed.
///
/// - Parameter whenFinal: Called with the identity of each parameter that the loss uses, and its gradient; not called for parameters that
///   `with(_:_:)` has replaced.
package func valueWithGradient<M: Module, E: Error>(
  of model: M, at xs: [Tensor] = [], whenFinal: ((TensorID, Tensor?) -> Void)?,
  _ loss: (M, [Tensor]) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients, inputGradients: [Tensor]) {
  let xs = xs.map { $0.freshLeaf() }
  // The identity of a parameter's value is another than its own inside `with(_:_:)`.
  let parameters = model.parameters.filter(\.isTrainable).map { (parameter: $0.id, value: $0.wrappedValue.id) }
  let leaves = Set(parameters.map(\.value) + xs.map(\.id))
  let tape = GradientTape(tracking: leaves, announcing: whenFinal != nil, naming: model.parameterNames)
  let value = try tape.record { () throws(E) in try loss(model, xs) }
  require(value.count == 1, "gradient: the loss must be a single scalar, it has shape \(value.shape)")
  var all = tape.gradients(
    of: value, seed: .ones(value.shape), withRespectTo: leaves, whenFinal: whenFinal ?? { _, _ in })
  let inputGradients = xs.map { all.removeValue(forKey: $0.id) ?? .zeros($0.shape) }
  for (parameter, value) in parameters where parameter != value {
    all[parameter] = all.removeValue(forKey: value)
  }
  return (value, Gradients(byID: all, anomaly: tape.anomaly), inputGradients)
}

extension Module {
  /// The name of a parameter by its identity, for the messages of a tape.
  fileprivate var parameterNames: @Sendable (TensorID) -> String? {
    // A tape asks on the thread that records.
    nonisolated(unsafe) let model = self as any Module
    return { id in model.namedParameters.first { $0.parameter.id == id }?.name }
  }
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
