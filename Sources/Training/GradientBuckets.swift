import Dispatch
import Layers
import Synchronization

/// Sums gradients over ranks in buckets, which take one message in place of many.
///
/// Buckets are filled in the order of the backward pass, the same on all ranks. Where there are several, a thread sums those that are
/// full while the backward pass goes on: a sum that nobody waits for makes no progress in MPI unless a thread of its own does.
final class GradientBuckets {
  /// The number of scalars of a bucket, 16 MiB in single precision: smaller ones wait for more messages, larger ones leave less to overlap.
  package static let usualSize = 4 << 20

  private let communicator: any Communicator
  private let size: Int
  private let queue = DispatchQueue(label: "EncodeNet.GradientBuckets", qos: .userInitiated)
  /// The same ranks, for the thread that sums.
  private var background: (any Communicator)?
  private let workspace = Workspace()

  /// A step under way.
  private struct Step {
    var buckets: [[Parameter]]
    /// The bucket of each parameter.
    var places: [TensorID: Int]
    /// The gradients so far; a parameter without one has nil.
    var known: [TensorID: Tensor?] = [:]
    /// The parameters of each bucket whose gradient is not known.
    var missing: [Int]
    /// The number of buckets that are with the thread.
    var sent = 0
  }
  private var step: Step?

  init(_ communicator: any Communicator, size: Int) { (self.communicator, self.size) = (communicator, size) }

  /// The parameters in the order of the backward pass, in buckets of at most ``size`` scalars, or one parameter.
  private func buckets(_ parameters: [Parameter]) -> [[Parameter]] {
    var (result, count) = ([[Parameter]](), 0)
    for parameter in parameters.reversed() {
      let more = parameter.wrappedValue.count
      if result.isEmpty || count + more > size { (result, count) = (result + [[]], 0) }
      result[result.count - 1].append(parameter)
      count += more
    }
    return result
  }

  /// Begins a step in which buckets are summed as they are full, where that may gain something; all ranks call it.
  ///
  /// - Parameter isReady: Whether this rank has its part of the batch, or knows that there is none for it.
  func begin(_ parameters: [Parameter], isReady: Bool) {
    let buckets = buckets(parameters)
    // An end or an error is found before anything is sent.
    guard buckets.count > 1, communicator.allowsThreads, !communicator.isAny(!isReady) else { return }
    background = background ?? communicator.split(0)
    var places: [TensorID: Int] = [:]
    for (place, bucket) in buckets.enumerated() { for parameter in bucket { places[parameter.id] = place } }
    step = Step(buckets: buckets, places: places, missing: buckets.map(\.count))
  }

  /// Whether a step is under way in which gradients are taken as they are known.
  var isOpen: Bool { step != nil }

  /// Takes the gradient of a parameter, which is final.
  func take(_ id: TensorID, _ gradient: Tensor?) {
    guard let place = step?.places[id], step?.known.updateValue(gradient, forKey: id) == nil else { return }
    step!.missing[place] -= 1
    while let step, step.sent < step.buckets.count, step.missing[step.sent] == 0 { send() }
  }

  /// Hands the next bucket to the thread.
  private func send() {
    let bucket = step!.buckets[step!.sent]
    let gradients = bucket.map { parameter -> Tensor in
      let gradient = (step!.known[parameter.id] ?? nil) ?? .zeros(parameter.wrappedValue.shape)
      // Computed on this thread, where it is lazy.
      gradient.withUnsafeScalars { _ in }
      return gradient.detached
    }
    step!.sent += 1
    let (workspace, background, ids) = (workspace, background!, bucket.map(\.id))
    queue.async { workspace.sum(gradients, ids, by: background) }
  }

  /// The sums of the gradients of `parameters`, which are the same on all ranks, by their identities; a rank without one adds zeros.
  func sums(_ gradients: Gradients, of parameters: [Parameter]) -> [TensorID: Tensor] {
    if let open = step {
      // Those that the loss does not use, or all where this rank has failed or has no image.
      for bucket in open.buckets { for parameter in bucket { take(parameter.id, gradients[parameter]) } }
      queue.sync {}
      step = nil
    } else {
      for bucket in buckets(parameters) {
        workspace.sum(
          bucket.map { gradients[$0] ?? .zeros($0.wrappedValue.shape) }, bucket.map(\.id), by: communicator)
      }
    }
    return workspace.takeSums()
  }

  /// The memory of a bucket, and the sums so far.
  private final class Workspace: Sendable {
    private struct State {
      var bucket: [Scalar] = []
      var sums: [TensorID: Tensor] = [:]
    }
    private let state = Mutex(State())

    func takeSums() -> [TensorID: Tensor] {
      state.withLock { state in
        defer { state.sums = [:] }
        return state.sums
      }
    }

    func sum(_ gradients: [Tensor], _ ids: [TensorID], by communicator: any Communicator) {
      state.withLock { state in
        let count = gradients.reduce(0) { $0 + $1.count }
        if state.bucket.count < count { state.bucket = [Scalar](repeating: 0, count: count) }
        let sums = state.bucket.withUnsafeMutableBufferPointer { all -> [Tensor] in
          let bucket = UnsafeMutableBufferPointer(rebasing: all[..<count])
          var place = 0
          for gradient in gradients {
            gradient.withUnsafeScalars { scalars in
              if let base = scalars.baseAddress {
                (bucket.baseAddress! + place).update(from: base, count: scalars.count)
              }
            }
            place += gradient.count
          }
          if count > 0 { communicator.sum(bucket) }
          place = 0
          return gradients.map { gradient in
            defer { place += gradient.count }
            return Tensor(shape: gradient.shape) { out in
              if let base = out.baseAddress { base.update(from: bucket.baseAddress! + place, count: out.count) }
            }
          }
        }
        for (id, sum) in zip(ids, sums) { state.sums[id] = sum }
      }
    }
  }
}
