import Synchronization

/// What layers did during one forward pass: their output shapes and the multiply-adds they cost, in order.
///
/// Every layer of this library reports itself when it runs, so shapes and costs are known without a second set of rules.
public struct LayerTrace: Sendable {
  /// One layer's run.
  public struct Event: Sendable {
    package let layer: ObjectIdentifier
    /// The layer's type, such as "Conv2d".
    public let type: String
    /// The shape of the output, with the batch axis.
    public let output: Shape
    /// The multiply-adds of convolutions and matrix products, 0 for other layers.
    public let multiplyAdds: Int
  }
  /// The layers' runs in order.
  public fileprivate(set) var events: [Event] = []

  /// The shape of the last output with spatial axes.
  package var lastImageShape: Shape? { events.last { $0.output.rank == 4 }?.output }

  fileprivate final class Recorder: Sendable {
    let trace = Mutex(LayerTrace())
    /// The first layer whose output was not finite.
    let culprit = Mutex<(layer: ObjectIdentifier, type: String)?>(nil)
    /// Channels of ReLUs that are 0 everywhere, and all of them; counted where `countsDead` says so.
    let dead = Mutex<(dead: Int, all: Int)>((0, 0))
    let countsDead: Bool
    init(countsDead: Bool = false) { self.countsDead = countsDead }
  }
  @TaskLocal fileprivate static var recorder: Recorder?

  /// The first layer of `model` whose output for `x` is not finite, in evaluation mode; nil where all are.
  package static func firstNonFinite(of model: any Layer, on x: Tensor) -> String? {
    let recorder = Recorder()
    model.evaluating {
      GradientTape.$active.withValue([]) { $recorder.withValue(recorder) { _ = model(x) } }
    }
    guard let (layer, type) = recorder.culprit.withLock({ $0 }) else { return nil }
    var name: String?
    model.visit { path, part in
      if let module = part as? any Module, ObjectIdentifier(module) == layer { name = name ?? path }
    }
    return name.map { "'\($0)' (\(type))" } ?? type
  }

  /// The share of the channels of all ReLUs of `model` that are 0 everywhere for the images `x`, in evaluation mode; nil
  /// where there are no ReLUs.
  package static func deadShare(of model: any Layer, on x: Tensor) -> Double? {
    let recorder = Recorder(countsDead: true)
    model.evaluating {
      GradientTape.$active.withValue([]) { $recorder.withValue(recorder) { _ = model(x) } }
    }
    let (dead, all) = recorder.dead.withLock { $0 }
    return all == 0 ? nil : Double(dead) / Double(all)
  }

  /// Runs `layer` once, in evaluation mode and off every tape, on a zero image, and tells what happened.
  ///
  /// - Parameter input: The shape of one input, without the batch axis.
  public static func run(_ layer: any Layer, on input: Shape) -> (trace: LayerTrace, output: Shape) {
    let recorder = Recorder()
    let output = layer.evaluating {
      GradientTape.$active.withValue([]) {
        $recorder.withValue(recorder) { layer(.zeros(Shape([1] + input.dimensions))).shape }
      }
    }
    return (recorder.trace.withLock { $0 }, output)
  }
}

extension Layer {
  /// Tells a running ``LayerTrace`` of this layer's output, and gives it back.
  ///
  /// - Parameter multiplyAdds: What it cost, for the whole batch.
  public func reported(_ output: Tensor, multiplyAdds: @autoclosure () -> Int = 0) -> Tensor {
    if let recorder = LayerTrace.recorder {
      let event = LayerTrace.Event(
        layer: ObjectIdentifier(self), type: "\(Self.self)", output: output.shape, multiplyAdds: multiplyAdds())
      recorder.trace.withLock { $0.events.append(event) }
      if recorder.countsDead, self is ReLU {
        let channels = output.shape[-1]
        let most = output.reshaped(to: [output.count / max(channels, 1), channels]).max(alongAxes: [0])
        let dead = most.scalars.count { $0 <= 0 }
        recorder.dead.withLock { $0 = ($0.dead + dead, $0.all + channels) }
      }
      if !output.isFinite { recorder.culprit.withLock { $0 = $0 ?? (event.layer, event.type) } }
    }
    return output
  }
}

extension Module {
  /// Runs `body` with this module in evaluation mode, then puts every part back into the mode it was in.
  public func evaluating<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    var modes: [(module: any TrainingAware, isTraining: Bool)] = []
    if let itself = self as? any TrainingAware { modes.append((itself, itself.isTraining)) }
    visit { _, part in
      if let module = part as? any TrainingAware { modes.append((module, module.isTraining)) }
    }
    for mode in modes { mode.module.isTraining = false }
    defer { for mode in modes { mode.module.isTraining = mode.isTraining } }
    return try body()
  }
}
