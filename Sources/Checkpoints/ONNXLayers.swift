import Layers

/// The layers that can be written as ONNX.
extension ONNXGraph {
  /// Adds `layer` after `x`.
  mutating func add(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> Value {
    switch layer {
    case let chain as Sequential: return try add(chain.layers, x)
    case let decoder as Decoder: return try add([decoder.expand, decoder.blocks, decoder.image], x)
    case let block as BasicBlock:
      let body: [any Layer] = [block.conv1, block.bn1, ReLU(), block.conv2, block.bn2]
      return try add(body, block.attention, shortcut: block.shortcut, x)
    case let block as BottleneckBlock:
      let body: [any Layer] = [
        block.conv1, block.bn1, ReLU(), block.conv2, block.bn2, ReLU(), block.conv3, block.bn3,
      ]
      return try add(body, block.attention, shortcut: block.downsample, x)
    case let block as InvertedResidual:
      var y = try add(block.conv, x)
      if block.addsInput { y.name = node("Add", [y.name, x.name]) }
      return y
    case let sum as Residual:
      var y = try add(sum.body, x)
      y.name = node("Add", [y.name, try add(sum.shortcut, x).name])
      return y
    default:
      var name = try leaf(layer, x)
      if name == nil { name = try wide(layer, x) }
      guard let name else { return try traced(layer, x) }
      return Value(name: name, shape: Shape(Array(output(layer, x).dimensions.dropFirst())))
    }
  }

  /// Adds a residual block: the ReLU of the sum of a body, perhaps with attention, and a shortcut.
  private mutating func add(
    _ body: [any Layer], _ attention: (any Layer)?, shortcut: any Layer, _ x: Value
  ) throws(CheckpointError) -> Value {
    var y = try add(body, x)
    if let attention { y = try add(attention, y) }
    y.name = node("Add", [y.name, try add(shortcut, x).name])
    y.name = node("Relu", [y.name])
    return y
  }

  func output(_ layer: any Layer, _ x: Value) -> Shape { LayerTrace.run(layer, on: x.shape).output }

  /// Adds `layers` one after the other, each batch norm folded into the convolution before it.
  private mutating func add(_ layers: [any Layer], _ x: Value) throws(CheckpointError) -> Value {
    var (y, rest) = (x, layers[...])
    while let layer = rest.popFirst() {
      guard let conv = layer as? Conv2d, let norm = rest.first as? BatchNorm2d else {
        y = try add(layer, y)
        continue
      }
      rest.removeFirst()
      y = folded(conv, norm, y)
    }
    return y
  }

  /// A convolution with the batch norm after it.
  mutating func folded(_ conv: Conv2d, _ norm: BatchNorm2d, _ x: Value) -> Value {
    let (weight, bias) = norm.folded(into: conv.weight, bias: conv.bias?.wrappedValue)
    let name = convolution(conv, weight, bias, x)
    return Value(name: name, shape: Shape(Array(output(conv, x).dimensions.dropFirst())))
  }

  private mutating func convolution(_ conv: Conv2d, _ weight: Tensor, _ bias: Tensor?, _ x: Value) -> String {
    let (rows, columns) = conv.padding.margins(kernel: (weight.shape[0], weight.shape[1]), dilation: conv.dilation)
    var (name, pads) = (x.name, [rows.0, columns.0, rows.1, columns.1])
    if case .reflect = conv.padding {
      name = node(
        "Pad", [name, constant([0, 0, rows.0, columns.0, 0, 0, rows.1, columns.1])], [("mode", .text("reflect"))])
      pads = [0, 0, 0, 0]
    }
    return node(
      "Conv", [name, constant(weight.inPyTorchLayout)] + (bias.map { [constant($0)] } ?? []),
      [
        ("kernel_shape", .integers([weight.shape[0], weight.shape[1]])),
        ("strides", .integers([conv.stride, conv.stride])),
        ("pads", .integers(pads)),
        ("dilations", .integers([conv.dilation, conv.dilation])), ("group", .integer(conv.groups)),
      ])
  }

  /// - Parameter more: Pixels of padding below and to the right, above those at every side.
  private func window(
    _ size: Int, _ stride: Int, _ padding: Int, more: (Int, Int) = (0, 0)
  ) -> [(String, Attribute)] {
    [
      ("kernel_shape", .integers([size, size])), ("strides", .integers([stride, stride])),
      ("pads", .integers([padding, padding, padding + more.0, padding + more.1])),
    ]
  }

  /// Adds a layer that has no layers inside but those of an attention.
  ///
  /// - Returns: Nil for a layer that is none of these.
  private mutating func leaf(_ layer: any Layer, _ x: Value) throws(CheckpointError) -> String? {
    let isMap = x.shape.rank == 3
    switch layer {
    case is Identity, is Dropout: return x.name
    case is ReLU: return node("Relu", [x.name])
    case is ReLU6: return clipped(x.name)
    case is Sigmoid: return node("Sigmoid", [x.name])
    case is Tanh: return node("Tanh", [x.name])
    case let relu as LeakyReLU: return node("LeakyRelu", [x.name], [("alpha", .float(Float(relu.slope)))])
    case is SiLU: return node("Mul", [x.name, node("Sigmoid", [x.name])])
    case is GELU: return gelu(x)
    case let conv as Conv2d: return convolution(conv, conv.weight.detached, conv.bias?.wrappedValue.detached, x)
    case let conv as ConvTranspose2d: return transposedConvolution(conv, x)
    case let norm as BatchNorm2d: return batchNorm(norm, x)
    case let linear as Linear where x.shape.rank == 1:
      return node(
        "Gemm",
        [x.name, constant(linear.weight.detached)] + (linear.bias.map { [constant($0.wrappedValue.detached)] } ?? []),
        [("transB", .integer(1))])
    case let pool as MaxPool2d:
      let more = cutOff(output(pool, x), x, pool.size, pool.stride, pool.padding)
      return node("MaxPool", [x.name], window(pool.size, pool.stride, pool.padding, more: more))
    case let pool as AveragePool2d: return averaged(pool, x)
    case is GlobalAveragePool: return isMap ? pooled(x, "GlobalAveragePool") : x.name
    case is Flatten: return isMap ? node("Flatten", [x.name], [("axis", .integer(1))]) : x.name
    case let unflatten as Unflatten:
      let shape = unflatten.imageShape
      return node("Reshape", [x.name, constant([0, shape[2], shape[0], shape[1]])])
    case let upsample as Upsample: return resized(x, upsample)
    case let crop as Crop: return cropped(x, crop)
    case let shortcut as SubsampledIdentity: return subsampled(x, shortcut)
    case let attention as SqueezeExcitation:
      let logits = try perceptron(attention.reduce, attention.expand, pooled(x, "GlobalAveragePool"), x)
      return scaled(x, logits)
    case let attention as EfficientChannelAttention: return attended(x, attention)
    case let attention as ConvolutionalBlockAttention: return try attended(x, attention)
    default: return nil
    }
  }

  // MARK: Pooling

  /// The rows and columns by which the last windows of a pool reach beyond the padded image.
  private func cutOff(_ y: Shape, _ x: Value, _ size: Int, _ stride: Int, _ padding: Int) -> (Int, Int) {
    func more(_ outputs: Int, _ side: Int) -> Int { max(0, (outputs - 1) * stride + size - side - 2 * padding) }
    return (more(y[1], x.shape[0]), more(y[2], x.shape[1]))
  }

  private mutating func averaged(_ pool: AveragePool2d, _ x: Value) -> String {
    let y = output(pool, x)
    let more = cutOff(y, x, pool.size, pool.stride, pool.padding)
    let name = node(
      "AveragePool", [x.name],
      window(pool.size, pool.stride, pool.padding, more: more) + [("count_include_pad", .integer(1))])
    guard more != (0, 0) else { return name }
    // The mean over what is left of a window that is cut off.
    func shares(_ outputs: Int, _ side: Int) -> Tensor {
      let shares = (0..<outputs).map { i in
        Scalar(pool.size) / Scalar(min(i * pool.stride + pool.size, side + 2 * pool.padding) - i * pool.stride)
      }
      return Tensor(shares, shape: [outputs])
    }
    return node(
      "Mul", [name, constant(shares(y[1], x.shape[0]).reshaped(to: [y[1], 1]) * shares(y[2], x.shape[1]))])
  }

  /// min(max(x, 0), 6)
  mutating func clipped(_ name: String) -> String { node("Clip", [name, constant(Tensor(0)), constant(Tensor(6))]) }

  /// x (1 + erf(x / √2)) / 2
  private mutating func gelu(_ x: Value) -> String {
    let erf = node("Erf", [node("Mul", [x.name, constant(Tensor(0.707_106_781_186_547_5))])])
    return node("Mul", [node("Mul", [x.name, constant(Tensor(0.5))]), node("Add", [erf, constant(Tensor(1))])])
  }

  private mutating func transposedConvolution(_ conv: ConvTranspose2d, _ x: Value) -> String {
    node(
      "ConvTranspose",
      [x.name, constant(conv.weight.detached.inPyTorchLayout)]
        + (conv.bias.map { [constant($0.wrappedValue.detached)] } ?? []),
      [
        ("kernel_shape", .integers([conv.weight.shape[0], conv.weight.shape[1]])),
        ("strides", .integers([conv.stride, conv.stride])),
        ("pads", .integers([Int](repeating: conv.padding, count: 4))),
        ("output_padding", .integers([conv.outputPadding, conv.outputPadding])),
        ("dilations", .integers([conv.dilation, conv.dilation])), ("group", .integer(conv.groups)),
      ])
  }

  private mutating func batchNorm(_ norm: BatchNorm2d, _ x: Value) -> String {
    let parts = [norm.weight.detached, norm.bias.detached, norm.runningMean, norm.runningVar]
    return node(
      "BatchNormalization", [x.name] + parts.map { constant($0) }, [("epsilon", .float(Float(norm.epsilon)))])
  }

  // MARK: Sizes

  private mutating func resized(_ x: Value, _ upsample: Upsample) -> String {
    let scale = Scalar(upsample.scale)
    let isNearest = upsample.mode == .nearest
    return node(
      "Resize", [x.name, "", constant(Tensor([1, 1, scale, scale], shape: [4]))],
      [
        ("mode", .text(isNearest ? "nearest" : "linear")),
        ("coordinate_transformation_mode", .text(isNearest ? "asymmetric" : "half_pixel")),
        ("nearest_mode", .text("floor")),
      ])
  }

  private mutating func cropped(_ x: Value, _ crop: Crop) -> String {
    let (h, w) = (min(crop.height, x.shape[0]), min(crop.width, x.shape[1]))
    guard h < x.shape[0] || w < x.shape[1] else { return x.name }
    let (top, left) = ((x.shape[0] - h) / 2, (x.shape[1] - w) / 2)
    return node("Slice", [x.name, constant([top, left]), constant([top + h, left + w]), constant([2, 3])])
  }

  private mutating func subsampled(_ x: Value, _ shortcut: SubsampledIdentity) -> String {
    let channels = output(shortcut, x)[-1]
    let before = (channels - x.shape[2]) / 2
    let picked = shortcut.stride == 1 ? x.name : node("MaxPool", [x.name], window(1, shortcut.stride, 0))
    return node("Pad", [picked, constant([0, before, 0, 0, 0, channels - x.shape[2] - before, 0, 0])])
  }

  // MARK: Attention

  private mutating func attended(_ x: Value, _ attention: EfficientChannelAttention) -> String {
    // A convolution along the channels: [batch, 1, channels].
    let mean = node("Reshape", [node("GlobalAveragePool", [x.name]), constant([0, 1, -1])])
    let size = attention.weight.count
    let neighbours = node(
      "Conv", [mean, constant(attention.weight.detached.reshaped(to: [1, 1, size]))],
      [("kernel_shape", .integers([size])), ("pads", .integers([size / 2, size / 2]))])
    return scaled(x, node("Reshape", [neighbours, constant([0, -1])]))
  }

  private mutating func attended(
    _ x: Value, _ attention: ConvolutionalBlockAttention
  ) throws(CheckpointError) -> String {
    let (meanPool, maximumPool) = (pooled(x, "GlobalAveragePool"), pooled(x, "GlobalMaxPool"))
    let mean = try perceptron(attention.reduce, attention.expand, meanPool, x)
    let maximum = try perceptron(attention.reduce, attention.expand, maximumPool, x)
    let y = Value(name: scaled(x, node("Add", [mean, maximum])), shape: x.shape)
    let summary = node(
      "Concat",
      [
        reduced("ReduceMax", y.name, axes: [1]), reduced("ReduceMean", y.name, axes: [1]),
      ], [("axis", .integer(1))])
    let seen = Value(name: summary, shape: [x.shape[0], x.shape[1], 2])
    let map = try add([attention.spatial, attention.norm], seen)
    return node("Mul", [y.name, node("Sigmoid", [map.name])])
  }

  /// `x` pooled over all pixels by the operator `pool`, as `[batch, channels]`.
  private mutating func pooled(_ x: Value, _ pool: String) -> String {
    node("Flatten", [node(pool, [x.name])], [("axis", .integer(1))])
  }
  /// The logits that the two linear layers of an attention give for the channels of `x`, pooled in `summary`.
  private mutating func perceptron(
    _ reduce: Linear, _ expand: Linear, _ summary: String, _ x: Value
  ) throws(CheckpointError) -> String {
    try add([reduce, ReLU(), expand], Value(name: summary, shape: [x.shape[2]])).name
  }
  /// `x` with each channel scaled by the sigmoid of `[batch, channels]`.
  private mutating func scaled(_ x: Value, _ logits: String) -> String {
    node("Mul", [x.name, node("Reshape", [node("Sigmoid", [logits]), constant([0, -1, 1, 1])])])
  }
}
