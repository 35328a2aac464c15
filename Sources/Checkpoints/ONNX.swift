import Foundation
import Layers

/// Writes networks as ONNX, to be run by ONNX Runtime and others: https://github.com/onnx/onnx/blob/main/docs/IR.md.
///
/// Images are `[batch, channels, height, width]` there, of any batch; batch norms are folded into the convolutions before
/// them. Operator set 17.
public enum ONNX {
  /// Writes `model` in evaluation mode, atomically.
  ///
  /// - Parameters:
  ///   - imageShape: `[height, width, channels]` of its input.
  ///   - mean: Taken from each channel first, so that what is run takes images in 0...1; one for all or one for each.
  ///   - deviation: What each channel is divided by then.
  ///   - metadata: Kept in the file.
  /// - Throws: For a layer that has no form in ONNX here, by its name; and where the file cannot be written.
  public static func save(
    _ model: any Layer, imageShape: Shape, mean: [Double] = [], deviation: [Double] = [], output: String = "logits",
    metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let bytes: [UInt8]
    do {
      bytes = try encode(
        model, imageShape: imageShape, mean: mean, deviation: deviation, output: output, metadata: metadata)
    } catch { throw CheckpointError(error.problem, in: url.path) }
    try writeAtomically(bytes, to: url)
  }

  /// The bytes of that file.
  public static func encode(
    _ model: any Layer, imageShape: Shape, mean: [Double] = [], deviation: [Double] = [], output: String = "logits",
    metadata: [String: String] = [:]
  ) throws(CheckpointError) -> [UInt8] {
    var graph = Graph()
    var value = Graph.Value(name: "images", shape: imageShape)
    if !mean.isEmpty || !deviation.isEmpty {
      require(
        mean.count == deviation.count && (mean.count == 1 || mean.count == imageShape[2]),
        "ONNX: \(mean.count) means and \(deviation.count) deviations for \(imageShape[2]) channels")
      func channels(_ values: [Double]) -> Tensor { Tensor(values.map { Scalar($0) }, shape: [values.count, 1, 1]) }
      value.name = graph.node("Sub", [value.name, graph.constant(channels(mean))])
      value.name = graph.node("Div", [value.name, graph.constant(channels(deviation))])
    }
    value = try graph.add(model, value)
    graph.node("Identity", [value.name], named: output)
    return graph.file(input: imageShape, output: output, value.shape, metadata)
  }
}

/// Nodes and constants in the order of the computation.
private struct Graph {
  /// A tensor on the way, and its shape here: `[height, width, channels]` or `[channels]`.
  struct Value {
    var name: String
    var shape: Shape
  }
  enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
  }
  private var nodes: [[UInt8]] = []
  private var constants: [[UInt8]] = []

  // MARK: Parts of the file

  @discardableResult
  mutating func node(
    _ type: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], named output: String? = nil
  ) -> String {
    let output = output ?? "\(type.lowercased())\(nodes.count)"
    nodes.append(
      ProtocolBuffer { node in
        for input in inputs { node.text(1, input) }
        node.text(2, output)
        node.text(3, output)
        node.text(4, type)
        for (name, value) in attributes {
          node.message(5) { attribute in
            attribute.text(1, name)
            switch value {
            case .float(let value):
              attribute.float(2, value)
              attribute.integer(20, 1)
            case .integer(let value):
              attribute.integer(3, value)
              attribute.integer(20, 2)
            case .text(let text):
              attribute.text(4, text)
              attribute.integer(20, 3)
            case .integers(let values):
              for value in values { attribute.integer(8, value) }
              attribute.integer(20, 7)
            }
          }
        }
      }.bytes)
    return output
  }

  /// A constant of single precision, whatever `Scalar` is.
  mutating func constant(_ tensor: Tensor) -> String {
    let values = tensor.withUnsafeScalars { $0.map { Float($0).bitPattern.littleEndian } }
    return constant(tensor.shape.dimensions, type: 1, values.withUnsafeBytes { Array($0) })
  }
  mutating func constant(_ integers: [Int]) -> String {
    let values = integers.map { Int64($0).littleEndian }
    return constant([integers.count], type: 7, values.withUnsafeBytes { Array($0) })
  }
  private mutating func constant(_ shape: [Int], type: Int, _ content: [UInt8]) -> String {
    let name = "constant\(constants.count)"
    constants.append(
      ProtocolBuffer { tensor in
        for extent in shape { tensor.integer(1, extent) }
        tensor.integer(2, type)
        tensor.text(8, name)
        tensor.content(9, content)
      }.bytes)
    return name
  }

  func file(input: Shape, output: String, _ outputShape: Shape, _ metadata: [String: String]) -> [UInt8] {
    func port(_ name: String, _ shape: Shape) -> (inout ProtocolBuffer) -> Void {
      let extents = shape.rank == 3 ? [shape[2], shape[0], shape[1]] : shape.dimensions
      return { value in
        value.text(1, name)
        value.message(2) { type in
          type.message(1) { tensor in
            tensor.integer(1, 1)
            tensor.message(2) { shape in
              shape.message(1) { $0.text(2, "batch") }
              for extent in extents { shape.message(1) { $0.integer(1, extent) } }
            }
          }
        }
      }
    }
    return ProtocolBuffer { model in
      model.integer(1, 8)
      model.text(2, "EncodeNet")
      model.message(7) { graph in
        for node in nodes { graph.content(1, node) }
        graph.text(2, "network")
        for constant in constants { graph.content(5, constant) }
        graph.message(11, port("images", input))
        graph.message(12, port(output, outputShape))
      }
      model.message(8) { $0.integer(2, 17) }
      for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
        model.message(14) {
          $0.text(1, name)
          $0.text(2, value)
        }
      }
    }.bytes
  }

  // MARK: Layers

  /// Adds `layer` after `x`.
  mutating func add(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> Value {
    switch layer {
    case let model as any StagedClassifier: return try add(model.stages.map(\.layer), x)
    case let model as any SplitClassifier: return try add([model.features, model.classifier], x)
    case let chain as Sequential: return try add(chain.layers, x)
    case let decoder as Decoder: return try add([decoder.expand, decoder.blocks, decoder.image], x)
    case let block as BasicBlock:
      var y = try add([block.conv1, block.bn1, ReLU(), block.conv2, block.bn2], x)
      if let attention = block.attention { y = try add(attention, y) }
      y.name = node("Add", [y.name, try add(block.shortcut, x).name])
      y.name = node("Relu", [y.name])
      return y
    case let sum as Residual:
      var y = try add(sum.body, x)
      y.name = node("Add", [y.name, try add(sum.shortcut, x).name])
      return y
    default: return Value(name: try leaf(layer, x), shape: Shape(Array(output(layer, x).dimensions.dropFirst())))
    }
  }

  private func output(_ layer: any Layer, _ x: Value) -> Shape { LayerTrace.run(layer, on: x.shape).output }

  /// Adds `layers` one after the other, each batch norm folded into the convolution before it.
  private mutating func add(_ layers: [any Layer], _ x: Value) throws(CheckpointError) -> Value {
    var (y, rest) = (x, layers[...])
    while let layer = rest.popFirst() {
      guard let conv = layer as? Conv2d, let norm = rest.first as? BatchNorm2d else {
        y = try add(layer, y)
        continue
      }
      rest.removeFirst()
      let (weight, bias) = norm.folded(into: conv.weight, bias: conv.bias?.wrappedValue)
      let name = convolution(conv, weight, bias, y)
      y = Value(name: name, shape: Shape(Array(output(conv, y).dimensions.dropFirst())))
    }
    return y
  }

  private mutating func convolution(_ conv: Conv2d, _ weight: Tensor, _ bias: Tensor?, _ x: Value) -> String {
    node(
      "Conv", [x.name, constant(weight.inPyTorchLayout)] + (bias.map { [constant($0)] } ?? []),
      [
        ("kernel_shape", .integers([weight.shape[0], weight.shape[1]])),
        ("strides", .integers([conv.stride, conv.stride])),
        ("pads", .integers([Int](repeating: conv.padding, count: 4))),
        ("dilations", .integers([conv.dilation, conv.dilation])), ("group", .integer(conv.groups)),
      ])
  }

  private func window(_ size: Int, _ stride: Int, _ padding: Int) -> [(String, Attribute)] {
    [
      ("kernel_shape", .integers([size, size])), ("strides", .integers([stride, stride])),
      ("pads", .integers([Int](repeating: padding, count: 4))),
    ]
  }

  private mutating func leaf(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> String {
    let isMap = x.shape.rank == 3
    switch layer {
    case is Identity, is Dropout: return x.name
    case is ReLU: return node("Relu", [x.name])
    case is Sigmoid: return node("Sigmoid", [x.name])
    case is Tanh: return node("Tanh", [x.name])
    case let relu as LeakyReLU: return node("LeakyRelu", [x.name], [("alpha", .float(Float(relu.slope)))])
    case is SiLU: return node("Mul", [x.name, node("Sigmoid", [x.name])])
    case is GELU:
      // x (1 + erf(x / √2)) / 2
      let erf = node("Erf", [node("Mul", [x.name, constant(Tensor(0.707_106_781_186_547_5))])])
      return node("Mul", [node("Mul", [x.name, constant(Tensor(0.5))]), node("Add", [erf, constant(Tensor(1))])])
    case let conv as Conv2d: return convolution(conv, conv.weight.detached, conv.bias?.wrappedValue.detached, x)
    case let conv as ConvTranspose2d:
      return node(
        "ConvTranspose",
        [x.name, constant(conv.weight.detached.inPyTorchLayout)]
          + (conv.bias.map { [constant($0.wrappedValue.detached)] } ?? []),
        window(conv.weight.shape[0], conv.stride, conv.padding) + [
          ("output_padding", .integers([conv.outputPadding, conv.outputPadding])),
          ("dilations", .integers([conv.dilation, conv.dilation])), ("group", .integer(conv.groups)),
        ])
    case let norm as BatchNorm2d:
      let parts = [norm.weight.detached, norm.bias.detached, norm.runningMean, norm.runningVar]
      return node(
        "BatchNormalization", [x.name] + parts.map { constant($0) }, [("epsilon", .float(Float(norm.epsilon)))])
    case let linear as Linear:
      return node(
        "Gemm",
        [x.name, constant(linear.weight.detached)] + (linear.bias.map { [constant($0.wrappedValue.detached)] } ?? []),
        [("transB", .integer(1))])
    case let pool as MaxPool2d: return node("MaxPool", [x.name], window(pool.size, pool.stride, pool.padding))
    case let pool as AveragePool2d:
      return node(
        "AveragePool", [x.name], window(pool.size, pool.stride, pool.padding) + [("count_include_pad", .integer(1))])
    case is GlobalAveragePool:
      return isMap ? node("Flatten", [node("GlobalAveragePool", [x.name])], [("axis", .integer(1))]) : x.name
    case is Flatten: return isMap ? node("Flatten", [x.name], [("axis", .integer(1))]) : x.name
    case let unflatten as Unflatten:
      let shape = unflatten.imageShape
      return node("Reshape", [x.name, constant([0, shape[2], shape[0], shape[1]])])
    case let upsample as Upsample:
      let scale = Scalar(upsample.scale)
      let isNearest = upsample.mode == .nearest
      return node(
        "Resize", [x.name, "", constant(Tensor([1, 1, scale, scale], shape: [4]))],
        [
          ("mode", .text(isNearest ? "nearest" : "linear")),
          ("coordinate_transformation_mode", .text(isNearest ? "asymmetric" : "half_pixel")),
          ("nearest_mode", .text("floor")),
        ])
    case let crop as Crop:
      let (h, w) = (min(crop.height, x.shape[0]), min(crop.width, x.shape[1]))
      guard h < x.shape[0] || w < x.shape[1] else { return x.name }
      let (top, left) = ((x.shape[0] - h) / 2, (x.shape[1] - w) / 2)
      return node(
        "Slice", [x.name, constant([top, left]), constant([top + h, left + w]), constant([2, 3])])
    case let shortcut as SubsampledIdentity:
      let channels = output(shortcut, x)[-1]
      let before = (channels - x.shape[2]) / 2
      let picked = shortcut.stride == 1 ? x.name : node("MaxPool", [x.name], window(1, shortcut.stride, 0))
      return node("Pad", [picked, constant([0, before, 0, 0, 0, channels - x.shape[2] - before, 0, 0])])
    case let attention as SqueezeExcitation:
      let mean = node("Flatten", [node("GlobalAveragePool", [x.name])], [("axis", .integer(1))])
      return scaled(x, try asked(mean, x, attention.reduce, attention.expand))
    case let attention as EfficientChannelAttention:
      // A convolution along the channels: [batch, 1, channels].
      let mean = node("Reshape", [node("GlobalAveragePool", [x.name]), constant([0, 1, -1])])
      let size = attention.weight.count
      let neighbours = node(
        "Conv", [mean, constant(attention.weight.detached.reshaped(to: [1, 1, size]))],
        [("kernel_shape", .integers([size])), ("pads", .integers([size / 2, size / 2]))])
      return scaled(x, node("Reshape", [neighbours, constant([0, -1])]))
    case let attention as ConvolutionalBlockAttention:
      let pools = ["GlobalAveragePool", "GlobalMaxPool"].map {
        node("Flatten", [node($0, [x.name])], [("axis", .integer(1))])
      }
      let (mean, most) = (
        try asked(pools[0], x, attention.reduce, attention.expand),
        try asked(pools[1], x, attention.reduce, attention.expand)
      )
      let y = Value(name: scaled(x, node("Add", [mean, most])), shape: x.shape)
      let summary = node(
        "Concat",
        [
          node("ReduceMax", [y.name], [("axes", .integers([1])), ("keepdims", .integer(1))]),
          node("ReduceMean", [y.name], [("axes", .integers([1])), ("keepdims", .integer(1))]),
        ], [("axis", .integer(1))])
      let seen = Value(name: summary, shape: [x.shape[0], x.shape[1], 2])
      let map = try add([attention.spatial, attention.norm], seen)
      return node("Mul", [y.name, node("Sigmoid", [map.name])])
    default:
      throw CheckpointError("a layer of type \(type(of: layer)) has no form in ONNX here")
    }
  }

  /// What an attention's two linear layers say of each channel.
  private mutating func asked(
    _ summary: String, _ x: Value, _ reduce: Linear, _ expand: Linear
  ) throws(CheckpointError) -> String {
    try add([reduce, ReLU(), expand], Value(name: summary, shape: [x.shape[2]])).name
  }
  /// `x` with each channel scaled by the sigmoid of `[batch, channels]`.
  private mutating func scaled(_ x: Value, _ logits: String) -> String {
    node("Mul", [x.name, node("Reshape", [node("Sigmoid", [logits]), constant([0, -1, 1, 1])])])
  }
}
