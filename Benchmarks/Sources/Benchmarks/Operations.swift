extension Operation {
  /// The cases of the report: small, within a cache and beyond it; odd sizes; the last axis short and long.
  static let cases: [Case] = elementwise + pairs + reductions + movement + products + images + rows + made

  /// The names that cases have, each once.
  static var names: [String] {
    Set(cases.compactMap { if case .operation(let operation) = $0 { operation.name } else { nil } }).sorted()
  }

  /// Each of the operations `names` on inputs of each of `shapes`.
  private static func each(_ names: [String], _ shapes: [[Int]]..., isPositive: Bool = false) -> [Operation] {
    names.flatMap { name in shapes.map { Operation(name, $0, isPositive: isPositive) } }
  }
  private static func forward(_ operations: [Operation]...) -> [Case] { operations.joined().map(\.forward) }
  private static func bothWays(_ operations: [Operation]...) -> [Case] { operations.joined().flatMap(\.bothWays) }

  private static let elementwise: [Case] = {
    let curves = [
      "exp", "tanh", "sigmoid", "erf", "gelu", "gelu-tanh", "silu", "softplus", "sin", "cos", "expm1", "elu",
    ]
    let simple = ["abs", "square", "relu", "relu6", "leakyReLU", "clamped", "negate", "add-number", "multiply-number"]
    let positive = ["log", "pow", "log1p", "sqrt", "rsqrt", "divide-number", "tan"]
    let steps = ["ceil", "floor", "round", "sign", "isNaN", "greater-number"]
    return bothWays(
      each(curves + simple, [[4_000_000]], [[10_000]]), each(positive, [[4_000_000]], [[10_000]], isPositive: true),
      each(["relu", "exp", "add-number"], [[100]]))
      + forward(each(steps, [[4_000_000]], [[10_000]]))
  }()

  private static let pairs: [Case] = {
    let arithmetic = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "where"]
    let comparisons = ["equal", "not-equal", "less", "less-equal", "greater", "greater-equal"]
    let (large, small) = ([[4_000_000], [4_000_000]], [[10_000], [10_000]])
    return bothWays(
      each(arithmetic, large, small), each(["pow-pair"], [[1_000_000], [1_000_000]], isPositive: true),
      each(
        ["add", "multiply"], [[4096, 1000], [1000]], [[4096, 1000], [4096, 1]], [[64, 100, 128], [64, 1, 128]],
        [[32, 56, 56, 64], [64]], [[1001, 13], [13]], [[500, 1], [1, 700]]),
      each(["add"], [[100], [100]]))
      + forward(each(comparisons, large, small), each(["isApproximatelyEqual"], [[1_000_000]]))
  }()

  private static let reductions: [Case] = {
    let rows = [
      "sum-rows", "mean-rows", "max-rows", "min-rows", "product-rows", "variance-rows", "norm-rows", "logSumExp-rows",
      "cumulativeSum-rows",
    ]
    let columns = ["sum-columns", "max-columns", "variance-columns", "cumulativeSum-columns"]
    let choices = ["any-rows", "all-rows", "argmax-rows", "argmin-rows"]
    return bothWays(
      each(rows, [[4096, 1000]], [[100_001, 10]]), each(columns, [[4096, 1000]], [[100, 131]]),
      each(["sum-all", "mean-all", "max-all", "norm-all"], [[4_000_000]], [[10_000]]),
      each(["sum-pixels", "mean-pixels", "sum-but-channels"], [[32, 56, 56, 64]]), each(["sort-rows"], [[1000, 1000]]),
      each(["topK-rows"], [[4096, 1000]]))
      + forward(
        each(choices, [[4096, 1000]], [[100_001, 10]]), each(["any", "all"], [[4_000_000]]),
        each(["argmax-columns"], [[4096, 1000]]))
  }()

  private static let movement: [Case] = {
    let (large, small) = ([32, 56, 56, 64], [128, 32, 32, 3])
    return bothWays(
      each(["transposed"], [[2048, 2048]], [[129, 65]], [[100_001, 3]]),
      each(["nchw-to-nhwc"], [[32, 64, 56, 56]], [[128, 3, 32, 32]]), each(["nhwc-to-nchw"], [large], [small]),
      each(["swap-middle"], [[8, 197, 8, 64]]),
      each(["concatenated-channels"], [large, large], [[32, 14, 14, 5], [32, 14, 14, 3]]),
      each(["concatenated-rows", "stacked"], [[2000, 1000], [2000, 1000]]),
      each(["split-channels", "sliced-box", "reflected", "subsampled2d"], [large]),
      each(["sliced-rows", "sliced-columns", "range"], [[1000, 1000]]), each(["index"], [[8, 500, 1000]]),
      each(["padded", "flipped"], [large], [small]), each(["broadcast"], [[1000]], [[4096, 1]]),
      each(["gather-rows"], [[50_000, 64]], [[1000, 3]]), each(["gather-columns"], [[4096, 1000]]),
      each(["scatterAdded"], [[4096, 64]]))
  }()

  private static let products: [Case] = {
    let square = [[512, 512], [512, 512]]
    let tokens = [8, 8, 197, 64]
    return bothWays(
      each(
        ["matmul"], square, [[128, 4096], [4096, 10]], [[64, 64], [64, 64]], [[256, 32, 32], [256, 32, 32]],
        [[64, 197, 64], [64, 64, 197]], [[1000, 7, 5], [1000, 5, 3]], [[1, 4096], [4096, 1000]]),
      each(["matmul-transposeA", "matmul-transposeB"], square),
      each(["matmul-transposeB"], [[64, 197, 64], [64, 197, 64]]),
      each(["einsum"], [[8, 197, 8, 64], [8, 197, 8, 64]]),
      each(["attention"], [tokens, tokens, tokens], [[1, 8, 17, 32], [1, 8, 17, 32], [1, 8, 17, 32]]),
      each(["attention-causal"], [[4, 8, 256, 64], [4, 8, 256, 64], [4, 8, 256, 64]]))
      + forward(
        each(["cholesky", "qr"], [[256, 256]]), each(["solve"], [[256, 256], [256, 16]]),
        each(["svd", "symmetricEigen"], [[128, 128]]))
  }()

  private static let images: [Case] = {
    let large = [32, 56, 56, 64]
    let pools = [
      "maxPool2d", "maxPool2d-3-stride2", "averagePool2d", "globalAveragePool2d", "adaptiveAveragePool2d",
      "adaptiveMaxPool2d",
    ]
    return bothWays(
      each(
        ["conv2d"], [[32, 28, 28, 64], [5, 5, 64, 64]], [[32, 28, 28, 32], [7, 7, 32, 32]],
        [[32, 7, 7, 512], [1, 1, 512, 512]], [[32, 14, 14, 256], [1, 1, 256, 256]],
        [[32, 14, 14, 64], [1, 1, 64, 384]]),
      each(["conv2d-stride2"], [large, [1, 1, 64, 128]], [[8, 224, 224, 3], [7, 7, 3, 64]]),
      each(["conv2d-dilation2"], [[32, 28, 28, 64], [3, 3, 64, 64]]),
      // Depthwise layers of MobileNetV2, and of ResNeXt those with 32 groups.
      each(
        ["conv2d-groups"], [[32, 56, 56, 128], [3, 3, 1, 128]], [[32, 7, 7, 960], [3, 3, 1, 960]],
        [[1, 14, 14, 576], [3, 3, 1, 576]], [[32, 56, 56, 128], [5, 5, 1, 128]], [[32, 28, 28, 256], [3, 3, 8, 256]],
        [[32, 56, 56, 128], [3, 3, 4, 128]]),
      each(
        ["conv2d-groups-stride2"], [[32, 56, 56, 128], [3, 3, 1, 128]], [[32, 28, 28, 256], [3, 3, 8, 256]]),
      each(["convTranspose2d"], [[32, 16, 16, 64], [4, 4, 32, 64]], [[32, 16, 16, 64], [2, 2, 32, 64]]),
      each(pools, [large]), each(["batchNorm2d", "groupNorm"], [large, [64], [64]]),
      each(["resized-bilinear", "resized-nearest"], [[64, 32, 32, 16]]),
      each(["upsampleNearest2d", "upsampleBilinear2d"], [[32, 28, 28, 64]]))
      + forward(each(["batchNorm2d-inference"], [large, [64], [64]]))
  }()

  private static let rows: [Case] = {
    let names = ["softmax", "logSoftmax", "softmaxCrossEntropy", "softmaxCrossEntropy-targets", "klDivergence"]
    return bothWays(
      each(names, [[512, 1000]], [[51_200, 10]], [[128, 10]], [[33, 257]]), each(["softmax-columns"], [[64, 100, 64]]),
      each(
        ["meanSquaredError", "meanAbsoluteError", "huber"], [[4_000_000], [4_000_000]], [[10_000], [10_000]]),
      each(["binaryCrossEntropyWithLogits"], [[1_000_000]]),
      each(["layerNorm"], [[4096, 768], [768], [768]], [[8192, 64], [64], [64]]),
      each(["dropout"], [[4_000_000]], [[10_000]]))
  }()

  private static let made: [Case] = forward(
    each(["zeros", "repeating", "arange", "normal", "uniform", "bernoulli"], [[4_000_000]], [[10_000]]),
    each(["eye"], [[1000, 1000]]), each(["oneHot"], [[4096, 1000]]))
}
