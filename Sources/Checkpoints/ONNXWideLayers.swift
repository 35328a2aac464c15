import Layers

/// Layers of any rank, and of any size of image.
extension ONNXGraph {
  /// Adds a layer of sequences, or one that maps images to another size.
  ///
  /// - Returns: Nil for a layer that is none of these.
  mutating func wide(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> String? {
    let isMap = x.shape.rank == 3
    switch layer {
    case let linear as Linear:
      return channelsFirst(affine(channelsLast(x), linear.weight, linear.bias?.wrappedValue), isMap)
    case let norm as LayerNorm:
      let parts = [norm.weight.detached] + (norm.bias.map { [$0.wrappedValue.detached] } ?? [])
      let y = node(
        "LayerNormalization", [channelsLast(x)] + parts.map { constant($0) },
        [("axis", .integer(-1)), ("epsilon", .float(Float(norm.epsilon)))])
      return channelsFirst(y, isMap)
    case let norm as GroupNorm: return try grouped(norm, x)
    case let embedding as Embedding:
      guard x.shape.rank < 2 else {
        throw CheckpointError("an embedding of inputs \(x.shape) cannot be written as ONNX, only of [length]")
      }
      let indices = node("Cast", [x.name], [("to", .integer(7))])
      return node("Gather", [constant(embedding.weight.detached), indices])
    case let attention as MultiHeadAttention: return self.attention(attention, x)
    case let pool as AdaptiveAveragePool2d:
      return mapped(x, areaMatrix(from: x.shape[0], to: pool.height), areaMatrix(from: x.shape[1], to: pool.width))
    case let pool as AdaptiveMaxPool2d:
      return maxima(maxima(x.name, axis: 2, x.shape[0], pool.height), axis: 3, x.shape[1], pool.width)
    case let resize as Resize:
      return mapped(
        x, resizingMatrix(from: x.shape[0], to: resize.height, resize.interpolation),
        resizingMatrix(from: x.shape[1], to: resize.width, resize.interpolation))
    default: return nil
    }
  }

  /// The name of `x` with channels as the last axis.
  mutating func channelsLast(_ x: Value) -> String {
    x.shape.rank == 3 ? node("Transpose", [x.name], [("perm", .integers([0, 2, 3, 1]))]) : x.name
  }
  /// `x`, with channels as the last axis, as the graph has it.
  mutating func channelsFirst(_ x: String, _ isMap: Bool) -> String {
    isMap ? node("Transpose", [x], [("perm", .integers([0, 3, 1, 2]))]) : x
  }

  /// `x Wᵀ + b` of the last axis.
  private mutating func affine(_ x: String, _ weight: Tensor, _ bias: Tensor?) -> String {
    let y = node("MatMul", [x, constant(weight.detached.transposed())])
    return bias.map { node("Add", [y, constant($0.detached)]) } ?? y
  }

  private mutating func grouped(_ norm: GroupNorm, _ x: Value) throws(CheckpointError) -> String {
    guard x.shape.rank != 2 else {
      throw CheckpointError("a group norm of inputs \(x.shape) cannot be written as ONNX, only of images and vectors")
    }
    let channels = norm.weight.count
    let groups = node("Reshape", [x.name, constant([0, norm.groups, -1])])
    let standard = node(
      "InstanceNormalization",
      [groups, constant(Tensor.ones([norm.groups])), constant(Tensor.zeros([norm.groups]))],
      [("epsilon", .float(Float(norm.epsilon)))])
    let pixels = x.shape.rank == 3 ? [x.shape[0], x.shape[1]] : []
    let hat = node("Reshape", [standard, constant([0, channels] + pixels)])
    func perChannel(_ t: Tensor) -> Tensor { t.detached.reshaped(to: Shape([channels] + pixels.map { _ in 1 })) }
    let scaled = node("Mul", [hat, constant(perChannel(norm.weight))])
    return node("Add", [scaled, constant(perChannel(norm.bias))])
  }

  private mutating func attention(_ layer: MultiHeadAttention, _ x: Value) -> String {
    let (length, features, heads) = (x.shape[0], x.shape[1], layer.heads)
    let sizes = [features, features, features]
    let (weights, biases) = (
      layer.inProjWeight.detached.split(sizes), layer.inProjBias?.wrappedValue.detached.split(sizes)
    )
    var parts: [String] = []
    for (part, order) in [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]].enumerated() {
      let y = affine(x.name, weights[part], biases?[part])
      let split = node("Reshape", [y, constant([0, length, heads, features / heads])])
      parts.append(node("Transpose", [split], [("perm", .integers(order))]))
    }
    let scale = 1 / Scalar(features / heads).squareRoot()
    var logits = node("Mul", [node("MatMul", [parts[0], parts[1]]), constant(Tensor(scale))])
    if layer.isCausal { logits = node("Add", [logits, constant(causalMask(queries: length, keys: length))]) }
    let weighted = node("MatMul", [node("Softmax", [logits], [("axis", .integer(-1))]), parts[2]])
    let heads4 = node("Transpose", [weighted], [("perm", .integers([0, 2, 1, 3]))])
    let joined = node("Reshape", [heads4, constant([0, length, features])])
    return affine(joined, layer.outProj.weight, layer.outProj.bias?.wrappedValue)
  }

  /// A map multiplied by a matrix for its columns and one for its rows.
  private mutating func mapped(_ x: Value, _ rows: Tensor, _ columns: Tensor) -> String {
    node("MatMul", [node("MatMul", [constant(rows), x.name]), constant(columns.transposed())])
  }

  /// The maximum of each of `parts` parts of an axis.
  private mutating func maxima(_ x: String, axis: Int, _ size: Int, _ parts: Int) -> String {
    guard parts != size else { return x }
    let results = (0..<parts).map { part in
      let range = part * size / parts..<((part + 1) * size + parts - 1) / parts
      let slice = node("Slice", [x, constant([range.lowerBound]), constant([range.upperBound]), constant([axis])])
      return reduced("ReduceMax", slice, axes: [axis])
    }
    return results.count == 1 ? results[0] : node("Concat", results, [("axis", .integer(axis))])
  }
}
