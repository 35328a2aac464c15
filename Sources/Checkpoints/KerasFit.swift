#if HDF5
  import Layers

  /// The layers of a Keras file, given to those of a model in order.
  struct KerasFit {
    private var layers: [KerasLayer.Kind: ArraySlice<KerasLayer>]
    private let reader: KerasReader
    private var state: StateDictionary = [:]
    /// The bias of the last convolution, where it has none in the model and goes into the norm that follows.
    private var pendingBias: Tensor?
    /// The number of channels of the last convolution.
    private var channels: Int?
    private var isFlattened = false

    init(_ layers: [KerasLayer], _ reader: KerasReader) {
      self.layers = Dictionary(grouping: layers, by: \.kind).mapValues { $0[...] }
      self.reader = reader
    }

    /// The weights for `model`, in PyTorch's layout.
    mutating func state(of model: any Module, epsilon: Scalar) throws(CheckpointError) -> StateDictionary {
      var parts: [(name: String, part: Any)] = []
      model.visit { parts.append(($0, $1)) }
      parts.removeAll { !($0.part is Conv2d || $0.part is Linear || $0.part is BatchNorm2d || $0.part is Flatten) }
      // Only then is it certain which norm takes a convolution's bias.
      let areAllNormed = parts.indices.allSatisfy { index in
        guard let conv = parts[index].part as? Conv2d else { return true }
        let next = index + 1 < parts.count ? parts[index + 1].part as? BatchNorm2d : nil
        return next?.weight.count == conv.weight.shape[3]
      }
      for (name, part) in parts {
        switch part {
        case let conv as Conv2d: try take(conv, name, isNormed: areAllNormed)
        case let norm as BatchNorm2d: try take(norm, name, epsilon)
        case let linear as Linear: try take(linear, name)
        default: isFlattened = true
        }
      }
      for (kind, left) in layers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        guard let first = left.first else { continue }
        throw reader.error("has \(left.count) more \(kind.rawValue)s than the model, '\(first.name)' the first of them")
      }
      return state
    }

    private mutating func take(_ conv: Conv2d, _ name: String, isNormed: Bool) throws(CheckpointError) {
      let layer = try next(.convolution, for: name)
      try take(layer, "kernel", conv.weight, "\(name).weight") { $0.inPyTorchLayout }
      if let bias = conv.bias {
        try takeBias(layer, bias.wrappedValue, name)
      } else if let path = layer.arrays["bias"] {
        guard isNormed else {
          throw reader.error("'\(layer.name)' has a bias, '\(name)' has none and no norm after it to take it")
        }
        pendingBias = try reader.array(path, [conv.weight.shape[3]], for: name)
      }
      channels = conv.weight.shape[3]
    }

    private mutating func take(_ norm: BatchNorm2d, _ name: String, _ epsilon: Scalar) throws(CheckpointError) {
      let layer = try next(.norm, for: name)
      try take(layer, "gamma", norm.weight, "\(name).weight", or: .ones(norm.weight.shape))
      try take(layer, "beta", norm.bias, "\(name).bias", or: .zeros(norm.bias.shape))
      let bias = pendingBias
      try take(layer, "moving_mean", norm.runningMean, "\(name).running_mean") { mean in
        bias.map { mean - $0 } ?? mean
      }
      // The same outputs, whatever the model's epsilon: both are only ever used as a sum.
      try take(layer, "moving_variance", norm.runningVar, "\(name).running_var") { $0 + (epsilon - norm.epsilon) }
      pendingBias = nil
    }

    private mutating func take(_ linear: Linear, _ name: String) throws(CheckpointError) {
      let layer = try next(.linear, for: name)
      let (outputs, inputs) = (linear.weight.shape[0], linear.weight.shape[1])
      guard !isFlattened || channels.map({ inputs % $0 == 0 }) == true else {
        throw reader.error("'\(name)' has \(inputs) inputs, of which it is not known how they were flattened")
      }
      let pixels = isFlattened ? inputs / channels! : 1
      try take(layer, "kernel", Tensor.zeros([inputs, outputs]), "\(name).weight") { kernel in
        // Keras flattens channels last, the model channels first.
        kernel.reshaped(to: [pixels, inputs / pixels, outputs]).permuted([2, 1, 0]).reshaped(to: [outputs, inputs])
      }
      if let bias = linear.bias {
        try takeBias(layer, bias.wrappedValue, name)
      } else if layer.arrays["bias"] != nil {
        throw reader.error("'\(layer.name)' has a bias, '\(name)' has none")
      }
      isFlattened = false
    }

    private mutating func next(_ kind: KerasLayer.Kind, for name: String) throws(CheckpointError) -> KerasLayer {
      guard let layer = layers[kind]?.popFirst() else {
        throw reader.error("has no \(kind.rawValue) for '\(name)': all of them went to layers before")
      }
      return layer
    }

    /// Takes a bias; a convolution without one in the file has zeros.
    private mutating func takeBias(_ layer: KerasLayer, _ bias: Tensor, _ name: String) throws(CheckpointError) {
      try take(layer, "bias", bias, "\(name).bias", or: .zeros(bias.shape))
    }

    /// Takes the array `role` of `layer`, which has the shape of `parameter`, as `name`.
    private mutating func take(
      _ layer: KerasLayer, _ role: String, _ parameter: Tensor, _ name: String, or missing: Tensor? = nil,
      _ transform: (Tensor) -> Tensor = { $0 }
    ) throws(CheckpointError) {
      guard let path = layer.arrays[role] else {
        guard let missing else { throw reader.error("'\(layer.name)' has no '\(role)' for '\(name)'") }
        state[name] = missing
        return
      }
      state[name] = transform(try reader.array(path, parameter.shape, for: name)).detached
    }
  }
#endif
