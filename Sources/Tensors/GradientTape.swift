import Synchronization

/// The identity by which a tape tracks a tensor.
package struct TensorID: Hashable, Sendable {
  let rawValue: UInt64
  package static let untracked = TensorID(rawValue: 0)
  private static let counter = Atomic<UInt64>(1)
  package static func fresh() -> TensorID { TensorID(rawValue: counter.wrappingAdd(1, ordering: .relaxed).oldValue) }
}

/// Records operations in the order they run, and propagates gradients backwards through them.
///
/// The order of recording is a topological order, so the backward pass pops entries from the end, without recursion, and
/// releases the saved tensors of each entry as it goes. A tape is active inside a scope of its task, on one thread only.
package final class GradientTape: Sendable {
  /// Maps the gradient of an operation's output, whose storage it may reuse, to those of the operation's inputs.
  ///
  /// `accumulated` takes the accumulated gradient of an input off the tape: the returned gradient then includes it.
  package typealias Pullback =
    @Sendable (_ upstream: inout Tensor, _ accumulated: (TensorID) -> Tensor?) -> [(TensorID, Tensor)]

  package struct Entry: Sendable {
    let operation: String
    let output: TensorID
    let shape: Shape
    /// The storage of the saved tensors.
    let saved: [Storage]
    /// Where the tape keeps them.
    var inputs: [Tensor] = []
    let pullback: Pullback
  }
  /// An operation with its inputs, of a tape that keeps them.
  package struct Operation: Sendable {
    package let name: String
    package let inputs: [Tensor]
    package let output: TensorID
    /// Of the output.
    package let shape: Shape
  }
  private struct State: Sendable {
    var entries: [Entry] = []
    var tracked: Set<TensorID>
    var anomaly: String?
    /// Of a tape that announces gradients: the leaves that no operation has used yet, and those that each entry was the first to use.
    var unused: Set<TensorID>
    var firstUses: [Int: [TensorID]] = [:]
  }
  private let state: Mutex<State>
  /// The name of a tracked parameter, for messages.
  private let names: @Sendable (TensorID) -> String?
  private let thread = Atomic<UInt>(0)

  /// Whether entries keep the inputs of their operations, so that they can be read as a graph.
  private let keepsInputs: Bool

  @TaskLocal package static var active: [GradientTape] = []

  /// - Parameter announces: Whether the tape notes when a leaf's gradient is final, for ``gradients(of:seed:withRespectTo:whenFinal:)``.
  package init(
    tracking ids: some Sequence<TensorID>, keepingInputs: Bool = false, announcing announces: Bool = false,
    naming names: @escaping @Sendable (TensorID) -> String? = { _ in nil }
  ) {
    let ids = Set(ids)
    state = Mutex(State(tracked: ids, unused: announces ? ids : []))
    (self.names, keepsInputs) = (names, keepingInputs)
  }

  package func record<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    thread.store(currentThread, ordering: .relaxed)
    RecordingTapes.add(self)
    defer { RecordingTapes.remove(self) }
    return try Self.$active.withValue(Self.active + [self]) { () -> Result<R, E> in
      do throws(E) { return .success(try body()) } catch { return .failure(error) }
    }.get()
  }

  package func isTracking(_ id: TensorID) -> Bool {
    id != .untracked && state.withLock { $0.tracked.contains(id) }
  }
  package var tracked: Set<TensorID> { state.withLock { $0.tracked } }
  package var entries: [Entry] { state.withLock { $0.entries } }
  /// The operations in order; their inputs are empty but where the tape keeps them.
  package var operations: [Operation] {
    entries.map { Operation(name: $0.operation, inputs: $0.inputs, output: $0.output, shape: $0.shape) }
  }
  fileprivate func kept(_ inputs: @autoclosure () -> [Tensor]) -> [Tensor] { keepsInputs ? inputs() : [] }

  /// The first non-finite operation or derivative of this tape, nil where there is none or anomaly detection is off.
  package var anomaly: String? { state.withLock { $0.anomaly } }

  private func inspect(_ value: Tensor, _ place: () -> String) {
    guard Computation.detectsAnomalies, !value.isFinite, anomaly == nil else { return }
    let place = place()
    state.withLock { $0.anomaly = place }
  }

  /// The name of the parameter `id` among those that active tapes track, nil where none knows it.
  package static func name(of id: TensorID) -> String? { active.lazy.compactMap { $0.names(id) }.first }

  /// Whether this tape records on the thread that asks.
  var isOnThisThread: Bool { thread.load(ordering: .relaxed) == currentThread }

  /// Appends an entry.
  ///
  /// - Parameter inputs: All whose gradients the pullback may return.
  package func append(_ entry: Entry, of value: Tensor, from inputs: @autoclosure () -> [TensorID]) {
    require(isOnThisThread, "'\(entry.operation)' \(RecordingTapes.problem)")
    inspect(value) { "operation '\(entry.operation)' of shape \(entry.shape)" }
    state.withLock {
      $0.tracked.insert(entry.output)
      if !$0.unused.isEmpty {
        for id in inputs() where $0.unused.remove(id) != nil {
          $0.firstUses[$0.entries.count, default: []].append(id)
        }
      }
      $0.entries.append(entry)
    }
  }

  /// The gradients of `seed · output` with respect to `leaves`. Consumes the tape.
  ///
  /// - Parameter whenFinal: Called with the gradient of each leaf that was used, nil for none, once no entry is left that could add to
  ///   it; of a tape that announces.
  package func gradients(
    of output: Tensor, seed: Tensor, withRespectTo leaves: Set<TensorID>,
    whenFinal: (TensorID, Tensor?) -> Void = { _, _ in }
  ) -> [TensorID: Tensor] {
    let (entries, firstUses) = state.withLock { state in
      defer { state.entries = [] }
      return (state.entries, state.firstUses)
    }
    return Self.propagate(
      seed, from: output.id, through: entries, withRespectTo: leaves, firstUses: firstUses, whenFinal: whenFinal
    ) { [self] entry, gradient in
      inspect(gradient) { "the derivative of operation '\(entry.operation)' of shape \(entry.shape)" }
    }
  }

  static func propagate(
    _ seed: Tensor, from output: TensorID, through entries: consuming [Entry], withRespectTo leaves: Set<TensorID>,
    firstUses: [Int: [TensorID]] = [:], whenFinal: (TensorID, Tensor?) -> Void = { _, _ in },
    inspecting: (Entry, Tensor) -> Void = { _, _ in }
  ) -> [TensorID: Tensor] {
    var gradients: [TensorID: Tensor] = [output: seed]
    while let entry = entries.popLast() {
      defer { for id in firstUses[entries.count] ?? [] { whenFinal(id, gradients[id]) } }
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
  /// A pullback maps the gradient of the output to that of its input; the pullback of an untracked input is released at once. A
  /// pullback may return a gradient of the output's shape, which is summed over broadcast axes.
  /// - Parameter saved: The tensors that the pullbacks capture, for the printed tape.
  package func recorded(
    _ operation: String, saving saved: [Tensor] = [],
    _ inputs: (Tensor, @Sendable (Tensor) -> Tensor)...
  ) -> Tensor {
    let tapes = GradientTape.active
    var output = self
    for tape in tapes {
      let tracked = inputs.filter { tape.isTracking($0.0.id) }.map { (id: $0.0.id, shape: $0.0.shape, pullback: $0.1) }
      guard !tracked.isEmpty else { continue }
      if output.id == .untracked { output.id = .fresh() }
      tape.append(
        .init(
          operation: operation, output: output.id, shape: shape, saved: saved.map(\.storage),
          inputs: tape.kept(inputs.map(\.0))
        ) { upstream, _ in
          tracked.map { ($0.id, $0.pullback(upstream).summed(to: $0.shape)) }
        }, of: self, from: tracked.map(\.id))
    }
    if output.id == .untracked { RecordingTapes.check(operation, inputs.lazy.map(\.0.id), active: tapes.count) }
    return output
  }

  /// Records `self` as the output of `operation` on `input` with a derivative in terms of the output.
  ///
  /// - Parameter pullback: Gets the output's gradient, and the output itself, which is saved instead of the input.
  package func recorded(
    _ operation: String, from input: Tensor, byOutput pullback: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    recordedByOutput(operation, from: input) { upstream, y in pullback(upstream, y) }
  }

  /// Records `self` as the output of `operation` on `input` with a derivative in terms of the output.
  ///
  /// - Parameter pullback: Gets the output's gradient, whose storage it may reuse where it is not shared, and the output itself.
  package func recordedByOutput(
    _ operation: String, from input: Tensor,
    consuming pullback: @escaping @Sendable (_ upstream: inout Tensor, _ output: Tensor) -> Tensor
  ) -> Tensor {
    let tapes = GradientTape.active
    var output = self
    for tape in tapes where tape.isTracking(input.id) {
      if output.id == .untracked { output.id = .fresh() }
      let (y, id) = (output, input.id)
      tape.append(
        .init(
          operation: operation, output: y.id, shape: shape, saved: [storage], inputs: tape.kept([input])
        ) { upstream, _ in
          [(id, pullback(&upstream, y))]
        }, of: self, from: [id])
    }
    if output.id == .untracked { RecordingTapes.check(operation, CollectionOfOne(input.id), active: tapes.count) }
    return output
  }

  /// Records `self` as the output of `operation` whose gradients are computed together.
  ///
  /// - Parameter pullback: Gets the output's gradient and which inputs need one; returns a gradient for each of those.
  package func recorded(
    _ operation: String, saving saved: [Tensor] = [], from inputs: [Tensor],
    jointly pullback: @escaping @Sendable (_ upstream: Tensor, _ needed: [Bool]) -> [Tensor?]
  ) -> Tensor {
    recorded(operation, saving: saved, from: inputs, consuming: { upstream, needed, _ in pullback(upstream, needed) })
  }

  /// Records `self` as the output of `operation` whose gradients are computed together, the first on top of its accumulated
  /// gradient.
  ///
  /// - Parameter pullback: Gets the output's gradient, whose storage it may reuse where it is not shared, which inputs need a
  ///   gradient, and the accumulated gradient of the first input, which it may take and add to; returns a gradient for each of
  ///   those inputs.
  package func recorded(
    _ operation: String, saving saved: [Tensor] = [], from inputs: [Tensor],
    consuming pullback:
      @escaping @Sendable (_ upstream: inout Tensor, _ needed: [Bool], _ accumulated: inout Tensor?) -> [Tensor?]
  ) -> Tensor {
    let tapes = GradientTape.active
    var output = self
    for tape in tapes {
      let needed = inputs.map { tape.isTracking($0.id) }
      guard needed.contains(true) else { continue }
      if output.id == .untracked { output.id = .fresh() }
      let targets = inputs.map { (id: $0.id, shape: $0.shape) }
      tape.append(
        .init(
          operation: operation, output: output.id, shape: shape, saved: saved.map(\.storage),
          inputs: tape.kept(inputs)
        ) { upstream, accumulated in
          var sum = needed[0] ? accumulated(targets[0].id) : nil
          let gradients = pullback(&upstream, needed, &sum)
          let results = zip(zip(targets, needed), gradients).compactMap { target, gradient -> (TensorID, Tensor)? in
            guard target.1, let gradient else { return nil }
            return (target.0.id, gradient.summed(to: target.0.shape))
          }
          return results + (sum.map { [(targets[0].id, $0)] } ?? [])
        }, of: self, from: targets.map(\.id))
    }
    if output.id == .untracked { RecordingTapes.check(operation, inputs.lazy.map(\.id), active: tapes.count) }
    return output
  }

  /// The same elements, untracked by every tape.
  public var detached: Tensor {
    var copy = self
    copy.id = .untracked
    return copy
  }

  /// A fresh leaf with the same elements, which active tapes track as a copy.
  package func freshLeaf() -> Tensor {
    var copy = self
    copy.id = .fresh()
    RecordingTapes.check("identity", CollectionOfOne(id), active: GradientTape.active.count)
    for tape in GradientTape.active where tape.isTracking(id) {
      let id = id
      tape.append(
        .init(operation: "identity", output: copy.id, shape: shape, saved: []) { upstream, _ in [(id, upstream)] },
        of: self, from: [id])
    }
    return copy
  }
}
