import Layers

/// Classes of one's own that are made of the library's layers.
extension ONNXGraph {
  /// Adds the layers and operations that `layer` runs between its input and its output.
  mutating func traced(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> Value {
    let flow = Dataflow.of(layer, on: x.shape, filledWith: 0)
    // What is computed from the input past the tape, such as a detached mean, would be written as a constant.
    guard flow.isSame(as: Dataflow.of(layer, on: x.shape, filledWith: 1)) else {
      throw CheckpointError(
        "a layer of type \(type(of: layer)) cannot be written as ONNX: it decides by its input, or detaches what it computes from it"
      )
    }
    var reader = DataflowReader(flow, of: layer, x)
    return try reader.add(reader.flow.output.id, to: &self)
  }
}

/// Adds the nodes of a dataflow to a graph, each once, from the input on.
private struct DataflowReader {
  let flow: Dataflow
  private let layer: any Layer
  private var values: [TensorID: ONNXGraph.Value]
  private let operations: [TensorID: GradientTape.Operation]
  private let uses: [TensorID: Int]

  init(_ flow: Dataflow, of layer: any Layer, _ x: ONNXGraph.Value) {
    (self.flow, self.layer, values) = (flow, layer, [flow.input.id: x])
    operations = Dictionary(flow.operations.map { ($0.output, $0) }, uniquingKeysWith: { $1 })
    uses = flow.operations.reduce(into: [flow.output.id: 1]) { uses, operation in
      for input in operation.inputs { uses[input.id, default: 0] += 1 }
    }
  }

  private func failure(_ reason: String) -> CheckpointError {
    CheckpointError("a layer of type \(type(of: layer)) cannot be written as ONNX: \(reason)")
  }

  /// Adds all that the tensor `id` depends on.
  mutating func add(_ id: TensorID, to graph: inout ONNXGraph) throws(CheckpointError) -> ONNXGraph.Value {
    if let value = values[id] { return value }
    let value = try made(id, &graph)
    values[id] = value
    return value
  }

  private mutating func made(_ id: TensorID, _ graph: inout ONNXGraph) throws(CheckpointError) -> ONNXGraph.Value {
    guard id != .untracked else { throw failure("it uses a tensor that does not depend on its input") }
    // The outermost layer that gives this output; in evaluation mode some pass their input on.
    if let run = flow.layers.last(where: { $0.output == id && $0.input != id && $0.layer !== layer }) {
      if let norm = run.layer as? BatchNorm2d, let (conv, input) = convolution(before: run) {
        return graph.folded(conv, norm, try add(input, to: &graph))
      }
      return try graph.add(run.layer, try add(run.input, to: &graph))
    }
    guard let operation = operations[id] else { throw failure("it uses a tensor that does not depend on its input") }
    guard operation.shape.rank > 0, operation.shape[0] == 2 else {
      throw failure("the operation '\(operation.name)' does not keep the batch as its first axis")
    }
    guard let name = try node(operation, &graph) else {
      throw failure(
        "it uses the operation '\(operation.name)' outside of a layer; a layer of the library for it can be written")
    }
    return ONNXGraph.Value(name: name, shape: Shape(Array(operation.shape.dimensions.dropFirst())))
  }

  /// The convolution that gives the input of a batch norm, and nothing else.
  private func convolution(before norm: Dataflow.LayerRun) -> (Conv2d, TensorID)? {
    guard let run = flow.layers.last(where: { $0.output == norm.input && $0.input != norm.input }),
      let conv = run.layer as? Conv2d, uses[norm.input] == 1
    else { return nil }
    return (conv, run.input)
  }

  // MARK: Operations

  private static let unary = [
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "abs": "Abs",
    "negate": "Neg", "erf": "Erf", "softplus": "Softplus", "sin": "Sin", "cos": "Cos",
  ]
  private static let binary = ["+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "maximum": "Max", "minimum": "Min"]

  /// The node of an operation, nil where there is none for it.
  private mutating func node(
    _ operation: GradientTape.Operation, _ graph: inout ONNXGraph
  ) throws(CheckpointError) -> String? {
    let (shape, inputs) = (operation.shape, operation.inputs)
    if let type = Self.unary[operation.name] { return graph.node(type, [try add(inputs[0].id, to: &graph).name]) }
    if let type = Self.binary[operation.name] {
      return graph.node(
        type, [try operand(inputs[0], beside: inputs[1], &graph), try operand(inputs[1], beside: inputs[0], &graph)])
    }
    switch operation.name {
    case "relu6": return graph.clipped(try add(inputs[0].id, to: &graph).name)
    case "square":
      let x = try add(inputs[0].id, to: &graph).name
      return graph.node("Mul", [x, x])
    case "reshaped":
      let x = graph.channelsLast(try add(inputs[0].id, to: &graph))
      let y = graph.node("Reshape", [x, graph.constant([-1] + shape.dimensions.dropFirst())])
      return graph.channelsFirst(y, shape.rank == 4)
    case "concatenated":
      let changed = (0..<shape.rank).filter { shape[$0] != inputs[0].shape[$0] }
      guard changed.count == 1 else { return nil }
      var names: [String] = []
      for input in inputs { names.append(try add(input.id, to: &graph).name) }
      return graph.node("Concat", names, [("axis", .integer(Self.axis(changed[0], rank: shape.rank)))])
    case "sum": return try sum(operation, &graph)
    default: return nil
    }
  }

  private static func axis(_ axis: Int, rank: Int) -> Int { rank == 4 ? [0, 2, 3, 1][axis] : axis }

  /// The name of a factor or summand: of a computed one, or of a constant that broadcasts to `other`.
  private mutating func operand(
    _ x: Tensor, beside other: Tensor, _ graph: inout ONNXGraph
  ) throws(CheckpointError) -> String {
    if flow.computes(x) {
      guard x.rank == other.rank || !flow.computes(other), x.rank >= other.rank else {
        throw failure("it combines tensors of shapes \(x.shape) and \(other.shape), of different ranks")
      }
      return try add(x.id, to: &graph).name
    }
    let constant = x.detached
    guard constant.rank > 0 else { return graph.constant(constant) }
    guard constant.rank < other.rank || constant.shape[0] == 1 else {
      throw failure("it combines a constant of shape \(constant.shape) with each image of a batch")
    }
    let missing = [Int](repeating: 1, count: other.rank - constant.rank)
    let full = constant.reshaped(to: Shape(missing + constant.shape.dimensions))
    return graph.constant(other.rank == 4 ? full.permuted([0, 3, 1, 2]) : full)
  }

  /// A sum whose axes follow from the shapes, and nil where others might be meant.
  private mutating func sum(
    _ operation: GradientTape.Operation, _ graph: inout ONNXGraph
  ) throws(CheckpointError) -> String? {
    let (from, to) = (operation.inputs[0].shape, operation.shape)
    let choices = (0..<1 << from.rank).compactMap { bits -> [Int]? in
      let axes = (0..<from.rank).filter { bits >> $0 & 1 == 1 }
      let kept = (0..<from.rank).compactMap { axes.contains($0) ? (from.rank == to.rank ? 1 : nil) : from[$0] }
      // An axis of extent 1 that stays is summed over as well.
      let isIdle = from.rank == to.rank && axes.contains { from[$0] == 1 }
      return kept == to.dimensions && !isIdle && !axes.isEmpty ? axes : nil
    }
    guard choices.count == 1 else { return nil }
    let axes = choices[0].map { Self.axis($0, rank: from.rank) }
    let x = try add(operation.inputs[0].id, to: &graph)
    let keeps = from.rank == to.rank
    let y = graph.node("ReduceSum", [x.name, graph.constant(axes)], [("keepdims", .integer(keeps ? 1 : 0))])
    // What is left of a map has its channels first.
    guard !keeps, from.rank == 4, to.rank == 3, !choices[0].contains(3) else { return y }
    return graph.node("Transpose", [y], [("perm", .integers([0, 2, 1]))])
  }
}
