/// The value of `loss` and its gradients at the weights where it is about largest within `radius` of the present ones.
///
/// The weights move by `radius · g / |g|` along the gradient `g` of all parameters together, the gradients are taken there,
/// and the weights move back. It costs two gradients. Batch norms keep the running statistics of the first.
///
/// Foret, Kleiner, Mobahi, Neyshabur: "Sharpness-aware minimization for efficiently improving generalization", arXiv
/// 2010.01412, equations 2 and 3 with p = 2.
/// - Parameter radius: ρ; 0.05 is usual.
/// - Returns: The loss at the present weights, and the gradients away from them.
public func valueWithSharpnessAwareGradient<M: Module, E: Error>(
  of model: M, radius: Scalar, _ loss: (M) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients) {
  let (value, gradients) = try valueWithGradient(of: model, loss)
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
    parameter.wrappedValue = weight.detached + gradient * (radius / norm)
  }
  return (value, try valueWithGradient(of: model, loss).gradients)
}
