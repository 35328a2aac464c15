import Synchronization

/// Tells tensors apart that a tape follows.
package struct TensorID: Hashable, Sendable {
  let rawValue: UInt64
  package static let untracked = TensorID(rawValue: 0)
  private static let counter = Atomic<UInt64>(1)
  package static func fresh() -> TensorID { TensorID(rawValue: counter.wrappingAdd(1, ordering: .relaxed).oldValue) }
}

/// Records operations in the order they run, and walks them backwards to find gradients.
///
/// The order of recording is a topological order, so the backward pass pops entries from the end, without recursion, and
/// releases what each entry had kept as it goes. A tape is active inside a scope of its task alone.
package final class GradientTape: Sendable {
  /// From the gradient of an operation's output, whose memory it may take for its own, to those of the operation's inputs.
  ///
  /// `gathered` gives up what is already summed for an input; whoever asks for it returns it as part of the gradient.
  package typealias Pullback =
    @Sendable (_ upstream: inout Tensor, _ gathered: (TensorID) -> Tensor?) -> [(TensorID, Tensor)]

  package struct Entry: Sendable {
    let operation: String
    let output: TensorID
    let shape: Shape
    /// Storage that lives on because of this entry.
    let kept: [Storage]
    let pullback: Pullback
  }
  private struct State: Sendable {
    var entries: [Entry] = []
    var tracked: Set<TensorID>
    var anomaly: String?
  }
  private let state: Mutex<State>

  @TaskLocal package static var active: [GradientTape] = []

  package init(tracking ids: some Sequence<TensorID>) { state = Mutex(State(tracked: Set(ids))) }

  package func record<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    try Self.$active.withValue(Self.active + [self]) { () -> Result<R, E> in
      do throws(E) { return .success(try body()) } catch { return .failure(error) }
    }.get()
  }

  package func isTracking(_ id: TensorID) -> Bool {
    id != .untracked && state.withLock { $0.tracked.contains(id) }
  }
  package var tracked: Set<TensorID> { state.withLock { $0.tracked } }
  package var entries: [Entry] { state.withLock { $0.entries } }

  /// What first was not finite while this tape recorded or went back, nil where nothing was, or nobody looked.
  package var anomaly: String? { state.withLock { $0.anomaly } }

  private func inspect(_ value: Tensor, _ place: () -> String) {
    guard Computation.detectsAnomalies, !value.isFinite, anomaly == nil else { return }
    let place = place()
    state.withLock { $0.anomaly = place }
  }

  package func append(_ entry: Entry, of value: Tensor) {
    inspect(value) { "operation '\(entry.operation)' of shape \(entry.shape)" }
    state.withLock {
      $0.tracked.insert(entry.output)
      $0.entries.append(entry)
    }
  }

  /// The gradients of `seed · output` with respect to `leaves`. Consumes the tape.
  package func gradients(of output: Tensor, seed: Tensor, keeping leaves: Set<TensorID>) -> [TensorID: Tensor] {
    let entries = state.withLock { state in
      defer { state.entries = [] }
      return state.entries
    }
    return Self.propagate(seed, from: output.id, through: entries, keeping: leaves) { [self] entry, gradient in
      inspect(gradient) { "the derivative of operation '\(entry.operation)' of shape \(entry.shape)" }
    }
  }

  static func propagate(
    _ seed: Tensor, from output: TensorID, through entries: consuming [Entry], keeping leaves: Set<TensorID>,
    inspecting: (Entry, Tensor) -> Void = { _, _ in }
  ) -> [TensorID: Tensor] {
    var gradients: [TensorID: Tensor] = [output: seed]
    while let entry = entries.popLast() {
      guard
        var upstream = leaves.contains(entry.output)
          ? gradients[entry.output] : gradients.removeValue(forKey: entry.output)
      else { continue }
      for (id, gradient) in entry.pullback(&upstream, { gradients.removeValue(forKey: $0) }) {
        inspecting(entry, gradient)
        if var sum = gradients.removeValue(forKey: id) {
          sum += gradient
          gradients[id] = sum
        } else {
          gradients[id] = gradient
        }
      }
    }
    return gradients.filter { leaves.contains($0.key) }
  }
}

extension Tensor {
  /// Records `self` as the output of `operation`, with one pullback for each input.
  ///
  /// A pullback maps the gradient of the output to that of its input; what an untracked input's pullback captures is not
  /// kept. Broadcasting is undone here: a pullback may return a gradient of the output's shape.
  /// - Parameter kept: The tensors that the pullbacks capture, for the printed tape.
  package func recorded(
    _ operation: String, keeping kept: [Tensor] = [],
    _ inputs: (Tensor, @Sendable (Tensor) -> Tensor)...
  ) -> Tensor {
    var output = self
    for tape in GradientTape.active {
      let tracked = inputs.filter { tape.isTracking($0.0.id) }.map { (id: $0.0.id, shape: $0.0.shape, pullback: $0.1) }
      guard !tracked.isEmpty else { continue }
      if output.id == .untracked { output.id = .fresh() }
      tape.append(
        .init(operation: operation, output: output.id, shape: shape, kept: kept.map(\.storage)) { upstream, _ in
          tracked.map { ($0.id, $0.pullback(upstream).summed(to: $0.shape)) }
        }, of: self)
    }
    return output
  }

  /// Records `self` as the output of `operation` on `input` whose derivative is best told by the output.
  ///
  /// - Parameter pullback: Gets the output's gradient, and the output itself, which is kept in the input's stead.
  package func recorded(
    _ operation: String, from input: Tensor, byOutput pullback: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    var output = self
    for tape in GradientTape.active where tape.isTracking(input.id) {
      if output.id == .untracked { output.id = .fresh() }
      let (y, id) = (output, input.id)
      tape.append(
        .init(operation: operation, output: y.id, shape: shape, kept: [storage]) { upstream, _ in
          [(id, pullback(upstream, y))]
        }, of: self)
    }
    return output
  }

  /// Records `self` as the output of `operation` whose gradients are computed together.
  ///
  /// - Parameter pullback: Gets the output's gradient and which inputs need one; returns a gradient for each of those.
  package func recorded(
    _ operation: String, keeping kept: [Tensor] = [], from inputs: [Tensor],
    jointly pullback: @escaping @Sendable (_ upstream: Tensor, _ needed: [Bool]) -> [Tensor?]
  ) -> Tensor {
    recorded(operation, keeping: kept, from: inputs, owning: { upstream, needed, _ in pullback(upstream, needed) })
  }

  /// Records `self` as the output of `operation` whose gradients are computed together, the first with what is gathered of it.
  ///
  /// - Parameter pullback: Gets the output's gradient, whose memory it may take where nobody else holds it, which inputs need
  ///   one, and what is already gathered of the first input's gradient, which it may take and add; returns a gradient for each
  ///   of those inputs.
  package func recorded(
    _ operation: String, keeping kept: [Tensor] = [], from inputs: [Tensor],
    owning pullback:
      @escaping @Sendable (_ upstream: inout Tensor, _ needed: [Bool], _ gathered: inout Tensor?) -> [Tensor?]
  ) -> Tensor {
    var output = self
    for tape in GradientTape.active {
      let needed = inputs.map { tape.isTracking($0.id) }
      guard needed.contains(true) else { continue }
      if output.id == .untracked { output.id = .fresh() }
      let targets = inputs.map { (id: $0.id, shape: $0.shape) }
      tape.append(
        .init(operation: operation, output: output.id, shape: shape, kept: kept.map(\.storage)) { upstream, gathered in
          var sum = needed[0] ? gathered(targets[0].id) : nil
          let gradients = pullback(&upstream, needed, &sum)
          let own = zip(zip(targets, needed), gradients).compactMap { target, gradient -> (TensorID, Tensor)? in
            guard target.1, let gradient else { return nil }
            return (target.0.id, gradient.summed(to: target.0.shape))
          }
          return own + (sum.map { [(targets[0].id, $0)] } ?? [])
        }, of: self)
    }
    return output
  }

  /// The same numbers, a constant to every tape.
  public var detached: Tensor {
    var copy = self
    copy.id = .untracked
    return copy
  }

  /// The same numbers under an identity of their own, which outer tapes can still follow.
  package func renamed() -> Tensor {
    var copy = self
    copy.id = .fresh()
    for tape in GradientTape.active where tape.isTracking(id) {
      let id = id
      tape.append(
        .init(operation: "identity", output: copy.id, shape: shape, kept: []) { upstream, _ in [(id, upstream)] },
        of: self)
    }
    return copy
  }
}
