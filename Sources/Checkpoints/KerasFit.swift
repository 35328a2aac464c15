#if HDF5
  import Layers

  /// The layers of a Keras file, given to those of a model in order.
  struct KerasFit {
    private var layers: [KerasLayer.Kind: ArraySlice<KerasLayer>]
    private let reader: KerasReader
    private var state: StateDictionary = [:]

    init(_ layers: [KerasLayer], _ reader: KerasReader) {
      self.layers = Dictionary(grouping: layers, by: \.kind).mapValues { $0[...] }
      self.reader = reader
    }

    /// The weights for `model`, in PyTorch's layout.
    mutating func state(of model: any Module, epsilon: Scalar) throws(CheckpointError) -> StateDictionary {
      var own: [(name: String, part: Any)] = []
      model.visit { own.append(($0, $1)) }
      own.removeAll { !($0.part is Conv2d || $0.part is Linear || $0.part is BatchNorm2d || $0.part is Flatten) }
      // Only then is it certain which norm takes a convolution's bias.
      let areAllNormed = own.indices.allSatisfy { index in
        guard let conv = own[index].part as? Conv2d else { return true }
        let next = index + 1 < own.count ? own[index + 1].part as? BatchNorm2d : nil
        return next?.weight.count == conv.weight.shape[3]
      }
      var (spareBias, channels, isFlattened): (Tensor?, Int?, Bool) = (nil, nil, false)
      for (name, part) in own {
        switch part {
        case let conv as Conv2d:
          let layer = try next(.convolution, for: name)
          try take(layer, "kernel", conv.weight, "\(name).weight") { $0.inPyTorchLayout }
          if let bias = conv.bias {
            try takeBias(layer, bias.wrappedValue, name)
          } else if let path = layer.arrays["bias"] {
            guard areAllNormed else {
              throw reader.error("'\(layer.name)' has a bias, '\(name)' has none and no norm after it to take it")
            }
            spareBias = try reader.array(path, [conv.weight.shape[3]], for: name)
          }
          channels = conv.weight.shape[3]
        case let norm as BatchNorm2d:
          let layer = try next(.norm, for: name)
          try take(layer, "gamma", norm.weight, "\(name).weight", or: .ones(norm.weight.shape))
          try take(layer, "beta", norm.bias, "\(name).bias", or: .zeros(norm.bias.shape))
          let bias = spareBias
          try take(layer, "moving_mean", norm.runningMean, "\(name).running_mean") { mean in
            bias.map { mean - $0 } ?? mean
          }
          // The same outputs, whatever the model's epsilon: both only ever meet as a sum.
          try take(layer, "moving_variance", norm.runningVar, "\(name).running_var") { $0 + (epsilon - norm.epsilon) }
          spareBias = nil
        case let linear as Linear:
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
        default: isFlattened = true
        }
      }
      for (kind, left) in layers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        guard let first = left.first else { continue }
        throw reader.error("has \(left.count) more \(kind.rawValue)s than the model, '\(first.name)' the first of them")
      }
      return state
    }

    private mutating func next(_ kind: KerasLayer.Kind, for name: String) throws(CheckpointError) -> KerasLayer {
      guard let layer = layers[kind]?.popFirst() else {
        throw reader.error("has no \(kind.rawValue) for '\(name)': all of them went to layers before")
      }
      return layer
    }

    /// A convolution without bias is one whose bias is zero.
    private mutating func takeBias(_ layer: KerasLayer, _ own: Tensor, _ name: String) throws(CheckpointError) {
      try take(layer, "bias", own, "\(name).bias", or: .zeros(own.shape))
    }

    private mutating func take(
      _ layer: KerasLayer, _ role: String, _ own: Tensor, _ name: String, or missing: Tensor? = nil,
      _ changed: (Tensor) -> Tensor = { $0 }
    ) throws(CheckpointError) {
      guard let path = layer.arrays[role] else {
        guard let missing else { throw reader.error("'\(layer.name)' has no '\(role)' for '\(name)'") }
        state[name] = missing
        return
      }
      state[name] = changed(try reader.array(path, own.shape, for: name)).detached
    }
  }
#endif
