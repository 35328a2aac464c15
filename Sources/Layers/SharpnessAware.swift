/// The value of `loss` and its sharpness-aware gradients (SAM): those at the weights of about the largest loss within `rho`.
///
/// The weights move by `rho · g / |g|` along the gradient `g` of all parameters together, the gradients are taken there, and the
/// weights move back. It takes two gradients. Batch norms have the running statistics of the first.
///
/// Foret, Kleiner, Mobahi, Neyshabur: "Sharpness-aware minimization for efficiently improving generalization", arXiv
/// 2010.01412, equations 2 and 3 with p = 2.
/// - Parameter rho: The radius ρ of the neighbourhood; 0.05 is usual.
/// - Returns: The loss at the present weights, and the gradients at the moved ones.
public func valueWithSharpnessAwareGradient<M: Module, E: Error>(
  of model: M, rho: Scalar, _ loss: (M) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients) {
  try sharpnessAware(model, rho: rho) { () throws(E) in try valueWithGradient(of: model, loss) }
}

/// The same by a function that takes gradients at the present weights, such as those over several ranks.
package func sharpnessAware<E: Error>(
  _ model: some Module, rho: Scalar, _ valueWithGradient: () throws(E) -> (value: Tensor, gradients: Gradients)
) throws(E) -> (value: Tensor, gradients: Gradients) {
  let (value, gradients) = try valueWithGradient()
  let norm = gradients.norm
  guard norm > 0, norm.isFinite else { return (value, gradients) }
  let moved = model.parameters.compactMap { parameter in
    gradients[parameter].map { (parameter, weight: parameter.wrappedValue, gradient: $0) }
  }
  let statistics = model.namedBuffers.map { ($0.buffer, value: $0.buffer.wrappedValue) }
  defer {
    for (parameter, weight, _) in moved { parameter.wrappedValue = weight }
    for (buffer, value) in statistics { buffer.wrappedValue = value }
  }
  for (parameter, weight, gradient) in moved {
    parameter.wrappedValue = weight.detached + gradient * (rho / norm)
  }
  return (value, try valueWithGradient().gradients)
}
