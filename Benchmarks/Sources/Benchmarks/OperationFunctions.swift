import EncodeNet

extension Operation {
  /// An operation of the inputs of a case.
  typealias Function = @Sendable ([Tensor]) -> Tensor
  /// Makes it for inputs as those given: indices, masks and labels are made once.
  typealias Maker = @Sendable ([Tensor]) -> Function

  /// What each operation is.
  static let functions: [String: Maker] = [elementwise, pairs, reductions, movement, products, images, rows, made]
    .reduce(into: [:]) {
      $0.merge($1) { _, _ in fatalError("two operations of one name") }
    }

  private static func plain(_ function: @escaping Function) -> Maker { { _ in function } }
  private static func one(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Maker { { _ in { function($0[0]) } } }
  private static func two(_ function: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> Maker {
    { _ in { function($0[0], $0[1]) } }
  }
  /// An operation whose result is no tensor.
  private static func other<Result>(_ function: @escaping @Sendable (Tensor) throws -> Result) -> Maker {
    { _ in
      {
        _ = try! function($0[0])
        return $0[0]
      }
    }
  }

  private static let elementwise: [String: Maker] = [
    "abs": one(abs), "ceil": one(ceil), "floor": one(floor), "round": one(round), "sign": one(sign),
    "negate": one { -$0 },
    "exp": one(exp), "expm1": one(expm1), "log": one(log), "log1p": one(log1p), "sqrt": one(sqrt), "rsqrt": one(rsqrt),
    "square": one(square), "sin": one(sin), "cos": one(cos), "tan": one(tan), "tanh": one(tanh),
    "sigmoid": one(sigmoid),
    "erf": one(erf), "relu": one(relu), "relu6": one(relu6), "leakyReLU": one { leakyReLU($0) }, "elu": one { elu($0) },
    "gelu": one { gelu($0) },
    "gelu-tanh": one { gelu($0, .tanh) }, "silu": one(silu), "softplus": one(softplus), "pow": one { pow($0, 1.7) },
    "clamped": one { $0.clamped(to: -1...1) }, "isNaN": one(\.isNaN), "add-number": one { $0 + 1.5 },
    "multiply-number": one { $0 * 1.5 }, "divide-number": one { 1.5 / $0 }, "greater-number": one { $0 .> 0.5 },
  ]

  private static let pairs: [String: Maker] = [
    "add": two { $0 + $1 }, "subtract": two { $0 - $1 }, "multiply": two { $0 * $1 }, "divide": two { $0 / $1 },
    "pow-pair": two { pow($0, $1) }, "maximum": two(maximum), "minimum": two(minimum), "equal": two { $0 .== $1 },
    "not-equal": two { $0 .!= $1 }, "less": two { $0 .< $1 }, "less-equal": two { $0 .<= $1 },
    "greater": two { $0 .> $1 },
    "greater-equal": two { $0 .>= $1 },
    "where": { inputs in
      let mask = inputs[0].detached .> 0
      return { .where(mask, $0[0], $0[1]) }
    },
    "isApproximatelyEqual": plain {
      _ = $0[0].isApproximatelyEqual(to: $0[0])
      return $0[0]
    },
  ]

  private static let reductions: [String: Maker] = [
    "sum-all": one { $0.sum() }, "sum-rows": one { $0.sum(alongAxes: [1]) },
    "sum-columns": one { $0.sum(alongAxes: [0]) },
    "sum-pixels": one { $0.sum(alongAxes: [1, 2]) }, "sum-but-channels": one { $0.sum(alongAxes: [0, 1, 2]) },
    "mean-all": one { $0.mean() }, "mean-rows": one { $0.mean(alongAxes: [1]) },
    "mean-pixels": one { $0.mean(alongAxes: [1, 2]) },
    "max-all": one { $0.max() }, "max-rows": one { $0.max(alongAxes: [1]) },
    "max-columns": one { $0.max(alongAxes: [0]) },
    "min-rows": one { $0.min(alongAxes: [1]) }, "product-rows": one { $0.product(alongAxes: [1]) },
    "variance-rows": one { $0.variance(alongAxes: [1]) }, "variance-columns": one { $0.variance(alongAxes: [0]) },
    "norm-all": one { $0.norm() }, "norm-rows": one { $0.norm(alongAxes: [1]) },
    "logSumExp-rows": one { $0.logSumExp(alongAxes: [1]) },
    "any-rows": one { $0.any(alongAxes: [1]) }, "all-rows": one { $0.all(alongAxes: [1]) },
    "any": other { $0.any() }, "all": other { $0.all() },
    "argmax-rows": other { $0.argmax() }, "argmin-rows": other { $0.argmin() },
    "argmax-columns": other { $0.argmax(axis: 0) },
    "cumulativeSum-rows": one { $0.cumulativeSum() }, "cumulativeSum-columns": one { $0.cumulativeSum(axis: 0) },
    "sort-rows": one { $0.sort().values }, "topK-rows": one { $0.topK(5).values },
  ]

  private static let movement: [String: Maker] = [
    "transposed": one { $0.transposed() }, "nchw-to-nhwc": one { $0.permuted([0, 2, 3, 1]) },
    "nhwc-to-nchw": one { $0.permuted([0, 3, 1, 2]) }, "swap-middle": one { $0.permuted([0, 2, 1, 3]) },
    "concatenated-channels": two { .concatenated([$0, $1], axis: 3) },
    "concatenated-rows": two { .concatenated([$0, $1]) },
    "stacked": two { .stacked([$0, $1], axis: 1) }, "split-channels": one { $0.split([16, 48], axis: 3)[1] },
    "sliced-rows": one { $0.sliced(100..<900, axis: 0) }, "sliced-columns": one { $0.sliced(100..<900, axis: 1) },
    "sliced-box": one { $0.sliced([0..<32, 4..<52, 4..<52, 0..<64]) }, "index": one { $0[3] },
    "range": one { $0[100..<900] },
    "padded": one { $0.padded([(0, 0), (1, 1), (1, 1), (0, 0)]) },
    "reflected": one { $0.reflected([(0, 0), (2, 2), (2, 2), (0, 0)]) },
    "flipped": one { $0.flipped(alongAxes: [2]) }, "broadcast": one { $0.broadcast(to: [4096, 1000]) },
    "gather-rows": { inputs in
      let indices = (0..<4096).map { $0 * 7919 % inputs[0].shape[0] }
      return { $0[0].gather(indices) }
    },
    "gather-columns": { inputs in
      let indices = (0..<256).map { $0 * 7919 % inputs[0].shape[1] }
      return { $0[0].gather(indices, axis: 1) }
    },
    "scatterAdded": { inputs in
      let indices = (0..<inputs[0].shape[0]).map { $0 * 7919 % 50_000 }
      return { $0[0].scatterAdded(to: indices, count: 50_000) }
    },
    "subsampled2d": one { subsampled2d($0, stride: 2) },
  ]

  private static let products: [String: Maker] = [
    "matmul": two { matmul($0, $1) }, "matmul-transposeA": two { matmul($0, $1, transposeA: true) },
    "matmul-transposeB": two { matmul($0, $1, transposeB: true) }, "einsum": two { einsum("bqhd,bkhd->bhqk", $0, $1) },
    "cholesky": { inputs in
      let x = inputs[0].detached
      let matrix = matmul(x, x, transposeB: true) + .eye(x.shape[0])
      return { _ in try! matrix.cholesky() }
    },
    "qr": one { try! $0.qr().r }, "solve": two { try! $0.solve($1) }, "svd": one { try! $0.svd().s },
    "symmetricEigen": { inputs in
      let matrix = inputs[0] + inputs[0].transposed()
      return { _ in try! matrix.symmetricEigen().values }
    },
    "attention": plain { scaledDotProductAttention($0[0], $0[1], $0[2]) },
    "attention-causal": plain { scaledDotProductAttention($0[0], $0[1], $0[2], isCausal: true) },
  ]

  private static let images: [String: Maker] = [
    "conv2d": two { conv2d($0, $1, padding: $1.shape[0] / 2) },
    "conv2d-stride2": two { conv2d($0, $1, stride: 2, padding: $1.shape[0] / 2) },
    "conv2d-dilation2": two { conv2d($0, $1, padding: $1.shape[0] / 2 * 2, dilation: 2) },
    "conv2d-groups": two { conv2d($0, $1, padding: $1.shape[0] / 2, groups: $0.shape[3] / $1.shape[2]) },
    "conv2d-groups-stride2": two {
      conv2d($0, $1, stride: 2, padding: $1.shape[0] / 2, groups: $0.shape[3] / $1.shape[2])
    },
    "convTranspose2d": two { convTranspose2d($0, $1, stride: 2, padding: $1.shape[0] / 2 - 1) },
    "maxPool2d": one { maxPool2d($0, size: 2) },
    "maxPool2d-3-stride2": one { maxPool2d($0, size: 3, stride: 2, padding: 1) },
    "averagePool2d": one { averagePool2d($0, size: 2) }, "globalAveragePool2d": one(globalAveragePool2d),
    "adaptiveAveragePool2d": one { adaptiveAveragePool2d($0, height: 7, width: 7) },
    "adaptiveMaxPool2d": one { adaptiveMaxPool2d($0, height: 7, width: 7) },
    "batchNorm2d": plain { batchNorm2d($0[0], gamma: $0[1], beta: $0[2]).y },
    "batchNorm2d-relu": plain { batchNorm2d($0[0], gamma: $0[1], beta: $0[2], relu: true).y },
    "batchNorm2d-inference": { inputs in
      let (mean, variance) = (Tensor.zeros(inputs[1].shape), Tensor.ones(inputs[1].shape))
      return { batchNorm2d($0[0], gamma: $0[1], beta: $0[2], mean: mean, variance: variance) }
    },
    "groupNorm": plain { groupNorm($0[0], groups: 32, gamma: $0[1], beta: $0[2]) },
    "resized-bilinear": one { resized2d($0, height: 64, width: 64, interpolation: .bilinear) },
    "resized-nearest": one { resized2d($0, height: 64, width: 64, interpolation: .nearest) },
    "upsampleNearest2d": one { upsampleNearest2d($0, scale: 2) },
    "upsampleBilinear2d": one { upsampleBilinear2d($0, scale: 2) },
  ]

  private static let rows: [String: Maker] = [
    "softmax": one { softmax($0) }, "softmax-columns": one { softmax($0, axis: 1) },
    "logSoftmax": one { logSoftmax($0) },
    "softmaxCrossEntropy": { inputs in
      let labels = (0..<inputs[0].shape[0]).map { $0 % inputs[0].shape[1] }
      return { softmaxCrossEntropy($0[0], labels: labels) }
    },
    "softmaxCrossEntropy-targets": { inputs in
      let targets = softmax(inputs[0].detached * 2)
      return { softmaxCrossEntropy($0[0], targets: targets) }
    },
    "meanSquaredError": two { meanSquaredError($0, $1) }, "meanAbsoluteError": two { meanAbsoluteError($0, $1) },
    "huber": two { huber($0, $1) },
    "binaryCrossEntropyWithLogits": { inputs in
      let targets = inputs[0].detached .> 0
      return { binaryCrossEntropyWithLogits($0[0], targets) }
    },
    "klDivergence": { inputs in
      let targets = softmax(inputs[0].detached * 2)
      return { klDivergence($0[0], targets: targets) }
    },
    "layerNorm": plain { layerNorm($0[0], gamma: $0[1], beta: $0[2]) },
    "dropout": one { x in
      var generator = SplittableGenerator(seed: 2)
      return dropout(x, rate: 0.5, using: &generator)
    },
  ]

  /// Those that make a tensor of the first input's shape.
  private static let made: [String: Maker] = [
    "zeros": one { .zeros($0.shape) }, "repeating": one { Tensor(repeating: 1.5, shape: $0.shape) },
    "arange": one { .arange(Scalar($0.count)) }, "eye": one { .eye($0.shape[0]) },
    "normal": one { x in
      var generator = SplittableGenerator(seed: 2)
      return .normal(x.shape, using: &generator)
    },
    "uniform": one { x in
      var generator = SplittableGenerator(seed: 2)
      return .uniform(x.shape, using: &generator)
    },
    "bernoulli": one { x in
      var generator = SplittableGenerator(seed: 2)
      return .bernoulli(x.shape, probability: 0.3, using: &generator)
    },
    "oneHot": { inputs in
      let labels = (0..<inputs[0].shape[0]).map { $0 % inputs[0].shape[1] }
      return { .oneHot(labels, classes: $0[0].shape[1]) }
    },
  ]
}
