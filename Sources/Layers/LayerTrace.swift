import Synchronization

/// The layers of one forward pass in order, with their output shapes and multiply-adds.
///
/// Every layer of this library reports itself when it runs, so shapes and costs need no rules of their own.
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
    /// The first layer with a non-finite output.
    let nonFinite = Mutex<(layer: ObjectIdentifier, type: String)?>(nil)
    /// The dead channels of ReLUs, which are 0 everywhere, and all of them; counted if `countsDead`.
    let dead = Mutex<(dead: Int, all: Int)>((0, 0))
    let countsDead: Bool
    let flow: Dataflow?
    init(countsDead: Bool = false, flow: Dataflow? = nil) { (self.countsDead, self.flow) = (countsDead, flow) }
  }
  @TaskLocal fileprivate static var recorder: Recorder?

  /// Whether the layers that run are recorded one by one, so that none may be fused with another.
  static var recordsDataflow: Bool { recorder?.flow != nil }

  /// Runs `body`, and adds the layers that it runs to `flow`.
  static func recording(_ flow: Dataflow, _ body: () -> Void) {
    $recorder.withValue(Recorder(flow: flow), operation: body)
  }

  /// The first layer of `model` whose output for `x` is NaN or infinite, in evaluation mode; nil where there is none.
  package static func firstNonFinite(of model: any Layer, on x: Tensor) -> String? {
    let recorder = Recorder()
    model.evaluating {
      GradientTape.$active.withValue([]) { $recorder.withValue(recorder) { _ = model(x) } }
    }
    guard let (layer, type) = recorder.nonFinite.withLock({ $0 }) else { return nil }
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

  /// Runs `layer` once, in evaluation mode and off every tape, on a zero image, and returns the trace.
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
  /// Reports this layer's output to a running ``LayerTrace``, and returns it.
  ///
  /// - Parameters:
  ///   - input: The layer's input, where it has one alone, so that a class of one's own around the layer can be written as ONNX.
  ///   - multiplyAdds: The multiply-adds for the whole batch.
  public func reported(
    _ output: Tensor, of input: Tensor? = nil, multiplyAdds: @autoclosure () -> Int = 0
  ) -> Tensor {
    if let recorder = LayerTrace.recorder {
      let event = LayerTrace.Event(
        layer: ObjectIdentifier(self), type: "\(Self.self)", output: output.shape, multiplyAdds: multiplyAdds())
      recorder.trace.withLock { $0.events.append(event) }
      if let input { recorder.flow?.append(self, from: input, to: output) }
      if recorder.countsDead, self is ReLU {
        let channels = output.shape[-1]
        let maxima = output.reshaped(to: [output.count / max(channels, 1), channels]).max(alongAxes: [0])
        let dead = maxima.scalars.count { $0 <= 0 }
        recorder.dead.withLock { $0 = ($0.dead + dead, $0.all + channels) }
      }
      if !output.isFinite { recorder.nonFinite.withLock { $0 = $0 ?? (event.layer, event.type) } }
    }
    return output
  }
}

extension Module {
  /// Runs `body` with this module in evaluation mode, then restores the mode of every part.
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
