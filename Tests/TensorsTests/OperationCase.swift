import Tensors
import TestSupport
import Testing

/// What PyTorch made of an operation; see Scripts/fixtures_tensors.py.
struct OperationCase: Decodable, CustomTestStringConvertible {
  let operation: String
  let axes: [Int]?
  let options: [String: Int]
  let smooth: Bool
  let inputs: [Numbers]
  let upstream: Numbers
  let output: Numbers
  let gradients: [Numbers]

  static let families = [
    "elementwise", "binary", "reductions", "movement", "products", "images", "resizing",
    "norms", "contractions", "windows", "rows", "groups", "columns",
  ]

  var testDescription: String {
    "\(operation) of \(inputs.map(\.shape))\(axes.map { " along \($0)" } ?? "") \(options)"
  }

  subscript(option: String) -> Int { options[option]! }
  private var keeping: Bool { self["keeping"] == 1 }

  /// The operation as a function of its inputs.
  func function() throws -> @Sendable ([Tensor]) -> Tensor {
    if operation.hasPrefix("einsum ") {
      let equation = String(operation.dropFirst("einsum ".count))
      return { xs in
        switch xs.count {
        case 1: einsum(equation, xs[0])
        case 2: einsum(equation, xs[0], xs[1])
        default: einsum(equation, xs[0], xs[1], xs[2])
        }
      }
    }
    let apply = try #require(Self.operations[operation], "no operation '\(operation)'")
    return { apply(self, $0) }
  }

  private typealias Operation = @Sendable (OperationCase, [Tensor]) -> Tensor

  private static let operations = unary.merging(binary) { $1 }.merging(reductions) { $1 }.merging(movement) { $1 }
    .merging(products) { $1 }.merging(images) { $1 }.merging(norms) { $1 }.merging(windows) { $1 }

  private static let unary: [String: Operation] = [
    "negate": { -$1[0] }, "exp": { exp($1[0]) }, "expm1": { expm1($1[0]) }, "abs": { abs($1[0]) },
    "sign": { sign($1[0]) }, "square": { square($1[0]) }, "sin": { sin($1[0]) }, "cos": { cos($1[0]) },
    "tan": { tan($1[0] / 2) }, "tanh": { tanh($1[0]) }, "erf": { erf($1[0]) }, "sigmoid": { sigmoid($1[0]) },
    "softplus": { softplus($1[0]) }, "floor": { floor($1[0]) }, "ceil": { ceil($1[0]) }, "round": { round($1[0]) },
    "relu": { relu($1[0]) }, "relu6": { relu6($1[0]) }, "leakyReLU": { leakyReLU($1[0], slope: 0.125) },
    "elu": { elu($1[0]) },
    "gelu": { gelu($1[0]) }, "gelu by tanh": { gelu($1[0], .tanh) }, "silu": { silu($1[0]) },
    "clamped": { $1[0].clamped(to: -0.75...1) },
    "cube": { pow($1[0], 3) }, "power 0": { pow($1[0], 0) }, "power -1.5": { pow($1[0], -1.5) },
    "log": { log($1[0]) }, "log1p": { log1p($1[0]) }, "sqrt": { sqrt($1[0]) }, "rsqrt": { rsqrt($1[0]) },
  ]

  private static let binary: [String: Operation] = [
    "add": { $1[0] + $1[1] }, "subtract": { $1[0] - $1[1] }, "multiply": { $1[0] * $1[1] },
    "divide": { $1[0] / $1[1] }, "power": { pow($1[0], $1[1]) }, "maximum": { maximum($1[0], $1[1]) },
    "minimum": { minimum($1[0], $1[1]) }, "less": { $1[0] .< $1[1] }, "lessOrEqual": { $1[0] .<= $1[1] },
    "greater": { $1[0] .> $1[1] }, "greaterOrEqual": { $1[0] .>= $1[1] }, "equal": { $1[0] .== $1[1] },
    "notEqual": { $1[0] .!= $1[1] }, "replacing": { .where($1[0] .> 0, $1[1], $1[0]) },
  ]

  private static let reductions: [String: Operation] = [
    "sum": { $1[0].sum(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "mean": { $1[0].mean(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "max": { $1[0].max(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "min": { $1[0].min(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "product": { $1[0].product(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "variance": {
      $1[0].variance(alongAxes: $0.axes, keepingDimensions: $0.keeping, correction: $0["correction"])
    },
    "logSumExp": { $1[0].logSumExp(alongAxes: $0.axes, keepingDimensions: $0.keeping) },
    "cumulativeSum": { $1[0].cumulativeSum(axis: $0["axis"]) }, "softmax": { softmax($1[0], axis: $0["axis"]) },
    "logSoftmax": { logSoftmax($1[0], axis: $0["axis"]) },
    "argmax": { numbers($1[0].argmax(axis: $0["axis"])) }, "argmin": { numbers($1[0].argmin(axis: $0["axis"])) },
    "topK": { $1[0].topK(2).values }, "topK indices": { numbers($1[0].topK(2).indices.flatMap(\.self)) },
  ]
  private static func numbers(_ indices: [Int]) -> Tensor {
    Tensor(indices.map { Scalar($0) }, shape: [indices.count])
  }

  private static let movement: [String: Operation] = [
    "reshaped": { $1[0].reshaped(to: [4, -1]) }, "permuted": { $1[0].permuted([2, 0, 1]) },
    "permuted rank 4": { $1[0].permuted([0, 3, 1, 2]) }, "transposed": { $1[0].transposed() },
    "sliced": { $1[0].sliced([1..<2, 0..<2, 1..<4]) },
    "padded": { $1[0].padded([(1, 1), (0, 2), (1, 0)], with: 0.5) }, "flipped": { $1[0].flipped(alongAxes: [0, -1]) },
    "unsqueezed": { $1[0].unsqueezed(at: 1) }, "squeezed": { $1[0].squeezed(at: 1) }, "subscript": { $1[0][1] },
    "broadcast": { $1[0].broadcast(to: [2, 3, 4]) },
    "concatenated": { .concatenated([$1[0], $1[1], $1[0]], axis: $0["axis"]) },
    "stacked": { .stacked($1, axis: $0["axis"]) }, "split": { $1[0].split([1, 2], axis: 1)[1] },
    "gathering": { $1[0].gather([1, 0, 1, 1]) }, "gathering axis 1": { $1[0].gather([2, 0, 2], axis: 1) },
    "scatterAdded": { $1[0].scatterAdded(to: [2, 0, 2, 2], count: 3) },
  ]

  private static let products: [String: Operation] = [
    "matmul": { matmul($1[0], $1[1], transposeA: $0["transposeA"] == 1, transposeB: $0["transposeB"] == 1) },
    "solve": { (try? $1[0].solve($1[1])) ?? .zeros([]) },
  ]

  private static let images: [String: Operation] = [
    "conv2d": {
      conv2d(
        $1[0], $1[1], bias: $1[2], stride: $0["stride"], padding: $0["padding"], dilation: $0["dilation"],
        groups: $0["groups"])
    },
    "convTranspose2d": {
      convTranspose2d(
        $1[0], $1[1], bias: $1[2], stride: $0["stride"], padding: $0["padding"],
        outputPadding: $0["output_padding"], groups: $0["groups"], dilation: $0["dilation"])
    },
    "maxPool2d": { maxPool2d($1[0], size: $0["size"], stride: $0["stride"], padding: $0["padding"]) },
    "averagePool2d": { averagePool2d($1[0], size: $0["size"], stride: $0["stride"], padding: $0["padding"]) },
    "subsampled2d": {
      subsampled2d($1[0], stride: $0["stride"], channelMargins: ($0["before"], $0["after"]))
    },
    "globalAveragePool2d": { globalAveragePool2d($1[0]) },
    "upsampleNearest2d": { upsampleNearest2d($1[0], scale: $0["scale"]) },
    "upsampleBilinear2d": { upsampleBilinear2d($1[0], scale: $0["scale"]) },
    "resized2d": { resized2d($1[0], height: $0["height"], width: $0["width"]) },
    "batchNorm2d": { batchNorm2d($1[0], gamma: $1[1], beta: $1[2]).y },
    "batchNorm2d inference": {
      let channels = (0..<$1[1].count).map { Scalar($0) }
      let channel = Tensor(channels, shape: [channels.count])
      return batchNorm2d($1[0], gamma: $1[1], beta: $1[2], mean: channel * 0.25, variance: channel + 0.5)
    },
  ]

  private static let norms: [String: Operation] = [
    "norm": {
      let p = $0["p"]
      let order = Swift.abs(p) == 100 ? Scalar(p.signum()) * .infinity : Scalar(p)
      return $1[0].norm(order, alongAxes: $0.axes, keepingDimensions: $0.keeping)
    },
    "sort": { $1[0].sort(axis: $0["axis"], descending: $0["descending"] == 1).values },
    "sort indices": {
      numbers($1[0].sort(axis: $0["axis"], descending: $0["descending"] == 1).indices.flatMap(\.self))
    },
    "layerNorm": { layerNorm($1[0], gamma: $1[1], beta: $1[2]) },
    "groupNorm": { groupNorm($1[0], groups: $0["groups"], gamma: $1[1], beta: $1[2]) },
    "attention": { scaledDotProductAttention($1[0], $1[1], $1[2], isCausal: $0["causal"] == 1) },
    "attention with a mask": { scaledDotProductAttention($1[0], $1[1], $1[2], mask: $1[3]) },
  ]

  private static let windows: [String: Operation] = [
    "conv2d margins": {
      conv2d(
        $1[0], $1[1], bias: $1[2], stride: $0["stride"], padding: .zeros(height: $0["height"], width: $0["width"]),
        dilation: $0["dilation"], groups: $0["groups"])
    },
    "conv2d same": { conv2d($1[0], $1[1], bias: $1[2], padding: .same, dilation: $0["dilation"]) },
    "conv2d reflect": {
      conv2d($1[0], $1[1], bias: $1[2], stride: $0["stride"], padding: .reflect($0["padding"]))
    },
    "reflected": { $1[0].reflected([(0, 0), (0, 3), (2, 1), (0, 0)]) },
    "maxPool2d ceil": {
      maxPool2d($1[0], size: $0["size"], stride: $0["stride"], padding: $0["padding"], ceilMode: true)
    },
    "averagePool2d ceil": {
      averagePool2d($1[0], size: $0["size"], stride: $0["stride"], padding: $0["padding"], ceilMode: true)
    },
    "adaptiveAveragePool2d": { adaptiveAveragePool2d($1[0], height: $0["height"], width: $0["width"]) },
    "adaptiveMaxPool2d": { adaptiveMaxPool2d($1[0], height: $0["height"], width: $0["width"]) },
    "resized2d nearest": {
      resized2d($1[0], height: $0["height"], width: $0["width"], interpolation: .nearest)
    },
    "resized2d bilinear": {
      resized2d($1[0], height: $0["height"], width: $0["width"], interpolation: .bilinear)
    },
  ]
}
