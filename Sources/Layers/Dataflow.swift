/// The layers and operations between the input and the output of one forward pass in evaluation mode, as a graph.
package final class Dataflow: @unchecked Sendable {
  /// One run of a layer with a single input.
  package struct LayerRun {
    package let layer: any Layer
    package let input: TensorID
    package let output: TensorID
  }
  /// A batch of two.
  package let input: Tensor
  package fileprivate(set) var output = Tensor(0)
  /// In the order in which they end: a layer comes after those inside of it.
  package private(set) var layers: [LayerRun] = []
  /// The operations that depend on the input, in order.
  package fileprivate(set) var operations: [GradientTape.Operation] = []

  fileprivate init(input: Tensor) { self.input = input }

  func append(_ layer: any Layer, from input: Tensor, to output: Tensor) {
    layers.append(LayerRun(layer: layer, input: input.id, output: output.id))
  }

  /// Runs `layer` once on an input that is `element` everywhere.
  ///
  /// - Parameter shape: Of one input, without the batch axis.
  package static func of(_ layer: any Layer, on shape: Shape, filledWith element: Scalar) -> Dataflow {
    let flow = Dataflow(input: Tensor(repeating: element, shape: Shape([2] + shape.dimensions)).freshLeaf())
    let tape = GradientTape(tracking: [flow.input.id], keepingInputs: true)
    layer.evaluating {
      GradientTape.$active.withValue([]) {
        LayerTrace.recording(flow) { flow.output = tape.record { layer(flow.input) } }
      }
    }
    flow.operations = tape.operations
    return flow
  }

  /// Whether both are the same operations, with the same constants: another input has changed nothing but what is computed.
  package func isSame(as other: Dataflow) -> Bool {
    func constants(_ flow: Dataflow, _ operation: GradientTape.Operation) -> [Tensor?] {
      operation.inputs.map { flow.computes($0) ? nil : $0 }
    }
    return zip(operations, other.operations).allSatisfy { a, b in
      a.name == b.name && a.shape == b.shape
        && zip(constants(self, a), constants(other, b)).allSatisfy { $0?.scalars == $1?.scalars }
    } && operations.count == other.operations.count && layers.count == other.layers.count
  }

  /// Whether `x` is the input, or depends on it.
  package func computes(_ x: Tensor) -> Bool { x.id == input.id || outputs.contains(x.id) }
  private lazy var outputs = Set(operations.map(\.output))
}
