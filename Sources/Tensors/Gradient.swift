/// The value of `f` at `x` and its gradient there.
///
/// - Precondition: `f` returns a single scalar.
public func valueWithGradient<E: Error>(
  at x: Tensor, of f: (Tensor) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradient: Tensor) {
  let (value, gradients) = try valueWithGradient(at: [x]) { (xs) throws(E) in try f(xs[0]) }
  return (value, gradients[0])
}

/// The value of `f` at `xs` and its gradients with respect to each of them.
public func valueWithGradient<E: Error>(
  at xs: [Tensor], of f: ([Tensor]) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: [Tensor]) {
  let xs = xs.map { $0.freshLeaf() }
  let tape = GradientTape(tracking: xs.map(\.id))
  let value = try tape.record { () throws(E) in try f(xs) }
  require(value.count == 1, "gradient: the function must return a single scalar, it returned shape \(value.shape)")
  let gradients = tape.gradients(of: value, seed: .ones(value.shape), withRespectTo: Set(xs.map(\.id)))
  return (value, xs.map { gradients[$0.id] ?? .zeros($0.shape) })
}

/// The gradient of `f` at `x`.
public func gradient<E: Error>(at x: Tensor, of f: (Tensor) throws(E) -> Tensor) throws(E) -> Tensor {
  try valueWithGradient(at: x, of: f).gradient
}

/// The gradients of `f` at `xs`.
public func gradient<E: Error>(at xs: [Tensor], of f: ([Tensor]) throws(E) -> Tensor) throws(E) -> [Tensor] {
  try valueWithGradient(at: xs, of: f).gradients
}

/// The value of `f` at `xs` and its vector-Jacobian product, which can be called more than once.
public func valueWithPullback<E: Error>(
  at xs: [Tensor], of f: ([Tensor]) throws(E) -> Tensor
) throws(E) -> (value: Tensor, pullback: @Sendable (Tensor) -> [Tensor]) {
  let xs = xs.map { $0.freshLeaf() }
  let tape = GradientTape(tracking: xs.map(\.id))
  let value = try tape.record { () throws(E) in try f(xs) }
  let entries = tape.entries
  return (
    value,
    { vector in
      require(
        vector.shape == value.shape, "pullback: the vector has shape \(vector.shape), the value \(value.shape)")
      let leaves = Set(xs.map(\.id))
      let gradients = GradientTape.propagate(vector, from: value.id, through: entries, withRespectTo: leaves)
      return xs.map { gradients[$0.id] ?? .zeros($0.shape) }
    }
  )
}

/// An operation with a custom derivative.
///
/// `f` is not recorded; `pullback` maps the output's gradient to the gradients of `inputs`, nil for those without one.
///
/// - Precondition: `pullback` gives as many gradients as there are inputs.
///
/// ```swift
/// // The identity, whose gradient is clamped to -1...1.
/// customGradient([x]) { $0[0] } pullback: { [$0.clamped(to: -1...1)] }
/// ```
/// - Parameter name: The name of the operation on a printed tape.
public func customGradient(
  _ inputs: [Tensor], named name: String = "custom", _ f: ([Tensor]) -> Tensor,
  pullback: @escaping @Sendable (Tensor) -> [Tensor?]
) -> Tensor {
  let output = GradientTape.$active.withValue([]) { f(inputs) }.detached
  let count = inputs.count
  return output.recorded(name, from: inputs) { upstream, _ in
    let gradients = pullback(upstream)
    require(
      gradients.count == count,
      "customGradient: the pullback of '\(name)' gives \(gradients.count) gradients for \(count) inputs")
    return gradients
  }
}

/// Recomputes `body` in the backward pass instead of saving its activations: gradient checkpointing.
///
/// Gradients reach `x` and every tracked tensor that `body` captures. `body` runs twice, so it must be deterministic, without random
/// layers and running statistics.
public func rematerialized(_ x: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
  var output = GradientTape.$active.withValue([]) { body(x) }
  guard !GradientTape.active.isEmpty else { return output }
  output.id = .fresh()
  // The backward pass runs on the task that recorded, so the body does not cross tasks.
  nonisolated(unsafe) let body = body
  for tape in GradientTape.active {
    let leaves = tape.tracked
    tape.append(
      .init(operation: "rematerialized", output: output.id, shape: output.shape, saved: [x.storage]) { upstream, _ in
        let inner = GradientTape(tracking: leaves)
        let y = inner.record { body(x) }
        return inner.gradients(of: y, seed: upstream, withRespectTo: leaves).map { ($0.key, $0.value) }
      }, of: output, from: Array(leaves))
  }
  return output
}
