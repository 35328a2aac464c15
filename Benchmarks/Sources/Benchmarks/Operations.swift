import EncodeNet

/// One public operation on inputs of these shapes, forward or forward and backward.
///
/// `Benchmarks/peers.py` has the same names in its table OPERATIONS; what stands in one alone is no case.
struct Operation: Encodable {
  var name: String
  /// Of the inputs that gradients are taken of; images are `[batch, height, width, channels]`.
  var shapes: [[Int]]
  /// Whether the inputs are from 0.1 on, in place of normal.
  var isPositive = false
  var isBackward = false

  fileprivate init(_ name: String, _ shapes: [[Int]], isPositive: Bool = false) {
    (self.name, self.shapes, self.isPositive) = (name, shapes, isPositive)
  }

  var title: String {
    "operations \(name) \(shapes.map { $0.map(String.init).joined(separator: "x") }.joined(separator: " ")) "
      + (isBackward ? "forward-backward" : "forward")
  }

  /// To and from memory as if every input were read and a result of the first one's size written, for each direction.
  var bytes: Double {
    let counts = shapes.map { Double($0.reduce(1, *)) }
    return 4 * (counts.reduce(0, +) + counts[0]) * (isBackward ? 2 : 1)
  }

  fileprivate var bothWays: [Case] {
    var backward = self
    backward.isBackward = true
    return [.operation(self), .operation(backward)]
  }

  /// Sets the inputs up; what is returned does the operation once, and takes its gradients.
  func prepare() -> () -> Void {
    var generator = SplittableGenerator(seed: 1)
    let inputs = shapes.map { dimensions in
      let shape = Shape(dimensions)
      return isPositive
        ? Tensor.uniform(shape, in: 0.1..<4, using: &generator) : Tensor.normal(shape, using: &generator)
    }
    let function = Self.functions[name]!
    guard isBackward else { return { function(inputs).withUnsafeScalars { _ in } } }
    let upstream = Tensor.normal(function(inputs).shape, using: &generator)
    return {
      let (_, pullback) = valueWithPullback(at: inputs, of: function)
      for gradient in pullback(upstream) { gradient.withUnsafeScalars { _ in } }
    }
  }

  /// What each operation is, of the inputs of a case.
  private static let functions: [String: @Sendable ([Tensor]) -> Tensor] = [
    "exp": { exp($0[0]) }, "log": { log($0[0]) }, "tanh": { tanh($0[0]) }, "sigmoid": { sigmoid($0[0]) },
    "erf": { erf($0[0]) }, "gelu": { gelu($0[0]) }, "gelu-tanh": { gelu($0[0], .tanh) }, "silu": { silu($0[0]) },
    "softplus": { softplus($0[0]) }, "pow": { pow($0[0], 1.7) }, "softmax": { softmax($0[0]) },
    "logSoftmax": { logSoftmax($0[0]) },
    "softmaxCrossEntropy": { x in
      softmaxCrossEntropy(x[0], labels: (0..<x[0].shape[0]).map { $0 % x[0].shape[1] })
    },
    "sum-rows": { $0[0].sum(alongAxes: [1]) }, "sum-columns": { $0[0].sum(alongAxes: [0]) },
    "transposed": { $0[0].transposed() }, "nchw-to-nhwc": { $0[0].permuted([0, 2, 3, 1]) },
    "nhwc-to-nchw": { $0[0].permuted([0, 3, 1, 2]) },
    "concatenated-channels": { .concatenated([$0[0], $0[1]], axis: 3) },
    "depthwise-3x3": { conv2d($0[0], $0[1], padding: 1, groups: $0[0].shape[3]) },
    "depthwise-3x3-stride-2": { conv2d($0[0], $0[1], stride: 2, padding: 1, groups: $0[0].shape[3]) },
    "depthwise-5x5": { conv2d($0[0], $0[1], padding: 2, groups: $0[0].shape[3]) },
    "grouped-3x3": { conv2d($0[0], $0[1], padding: 1, groups: $0[0].shape[3] / $0[1].shape[2]) },
    "grouped-3x3-stride-2": { conv2d($0[0], $0[1], stride: 2, padding: 1, groups: $0[0].shape[3] / $0[1].shape[2]) },
    "layerNorm": { layerNorm($0[0], gamma: $0[1], beta: $0[2]) },
    "dropout": { x in
      var generator = SplittableGenerator(seed: 2)
      return dropout(x[0], rate: 0.5, using: &generator)
    },
  ]

  /// The cases of the report.
  static let cases: [Case] = {
    let sizes = [[4_000_000], [10_000]]
    let elementwise = ["exp", "tanh", "sigmoid", "erf", "gelu", "gelu-tanh", "silu", "softplus"].flatMap { name in
      sizes.map { Operation(name, [$0]) }
    }
    let positive = ["log", "pow"].flatMap { name in sizes.map { Operation(name, [$0], isPositive: true) } }
    let rows = ["softmax", "logSoftmax", "softmaxCrossEntropy"].map { Operation($0, [[512, 1000]]) }
    let others = [
      Operation("softmax", [[51_200, 10]]), Operation("softmaxCrossEntropy", [[128, 10]]),
      Operation("sum-rows", [[4096, 1000]]), Operation("sum-columns", [[4096, 1000]]),
      Operation("transposed", [[2048, 2048]]), Operation("transposed", [[129, 65]]),
      Operation("nchw-to-nhwc", [[32, 64, 56, 56]]), Operation("nhwc-to-nchw", [[32, 56, 56, 64]]),
      Operation("concatenated-channels", [[32, 56, 56, 64], [32, 56, 56, 64]]),
      Operation("layerNorm", [[4096, 768], [768], [768]]), Operation("dropout", [[4_000_000]]),
    ]
    // Depthwise layers of MobileNetV2, and of ResNeXt those with 32 groups.
    let groups = [
      Operation("depthwise-3x3", [[32, 56, 56, 128], [3, 3, 1, 128]]),
      Operation("depthwise-3x3", [[32, 7, 7, 960], [3, 3, 1, 960]]),
      Operation("depthwise-3x3", [[1, 14, 14, 576], [3, 3, 1, 576]]),
      Operation("depthwise-3x3-stride-2", [[32, 56, 56, 128], [3, 3, 1, 128]]),
      Operation("depthwise-5x5", [[32, 56, 56, 128], [5, 5, 1, 128]]),
      Operation("grouped-3x3", [[32, 28, 28, 256], [3, 3, 8, 256]]),
      Operation("grouped-3x3", [[32, 56, 56, 128], [3, 3, 4, 128]]),
      Operation("grouped-3x3-stride-2", [[32, 28, 28, 256], [3, 3, 8, 256]]),
    ]
    return (elementwise + positive + rows + others + groups).flatMap(\.bothWays)
  }()
}
