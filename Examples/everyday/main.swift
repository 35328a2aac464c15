// The everyday names of PyTorch, and what they are called here. Each prints a line that can be checked by eye.

import Checkpoints
import Foundation
import Training

var generator = SplittableGenerator(seed: 1)
func show(_ name: String, _ value: Any) { print(name.padding(toLength: 28, withPad: " ", startingAt: 0), value) }
func show(_ name: String, _ x: Tensor) { show(name, x.count <= 8 ? "\(x.shape) \(x.scalars)" : "\(x.shape)" as Any) }

// MARK: Operations

show("arange", Tensor.arange(0, 1, step: 0.25))
show("eye", Tensor.eye(2))
let x = Tensor([3, -4, .nan, 1], shape: [2, 2])
show("isNaN, any, all", [x.isNaN.any(), x.isNaN.all()])
show("any along an axis", x.isNaN.any(alongAxes: [1]))
show("sort", x.sort(descending: true).indices)
show("norm", x[0].norm())
show("norm of order 1", x[0].norm(1))
show("einsum", einsum("ij,kj->ik", Tensor.arange(6).reshaped(to: [2, 3]), .ones([1, 3])))

// MARK: Layers

let sequence = Tensor.normal([2, 5, 8], using: &generator)
let image = Tensor.normal([2, 7, 6, 8], using: &generator)
show("Linear over any rank", Linear(8, 4, using: &generator)(sequence))
show("LayerNorm", LayerNorm(8)(sequence))
show("GroupNorm", GroupNorm(4, 8)(image))
show("Embedding", Embedding(10, 8, using: &generator)(Tensor([1, 2, 3], shape: [1, 3])))
let attention = MultiHeadAttention(8, heads: 2, using: &generator)
show("MultiHeadAttention", attention(sequence))
show("… of a query to keys", attention(sequence.sliced(0..<2, axis: 1), sequence, sequence))
show("… its names", attention.namedParameters.map(\.name))
show("non-square kernel", Conv2d(8, 4, kernelSize: (1, 5), using: &generator)(image))
show("same padding", Conv2d(8, 4, kernelSize: (4, 5), padding: .same, using: &generator)(image))
show("reflect padding", Conv2d(8, 4, kernelSize: 3, padding: .reflect(1), using: &generator)(image))
show("adaptive pooling", AdaptiveAveragePool2d(3, 2)(image))
show("ceil-mode pooling", MaxPool2d(2, ceilMode: true)(image))
show("resize to any size", Resize(height: 5, width: 9, interpolation: .bilinear)(image))

// MARK: Losses

let logits = Tensor([2, 0, 0, 0, 1, 0], shape: [2, 3])
show("class weights", softmaxCrossEntropy(logits, labels: [0, 1], weights: Tensor([1, 3, 1], shape: [3])))
show("ignored label", softmaxCrossEntropy(logits, labels: [0, -1], ignoring: -1))
show("label smoothing", softmaxCrossEntropy(logits, labels: [0, 1], labelSmoothing: 0.1))
show("no reduction", softmaxCrossEntropy(logits, labels: [0, 1], reduction: .none))
show("L1", meanAbsoluteError(logits, .zeros([2, 3])))

// MARK: A class of one's own

/// A regression from the plane to a number, with a residual block.
final class Network: Layer {
  let first: Linear
  let block: Linear
  let last: Linear
  init(using generator: inout SplittableGenerator) {
    first = Linear(2, 16, using: &generator)
    block = Linear(16, 16, using: &generator)
    last = Linear(16, 1, using: &generator)
  }
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = tanh(first(x))
    return last(y + relu(block(y)))
  }
}

struct Points: TrainingBatch {
  var images: Tensor
  var labels: [Int] { [] }
  var heights: Tensor { (images * images).sum(alongAxes: [1], keepingDimensions: true) }
}
let batches = (0..<20).map { _ in Points(images: .uniform([32, 2], in: -1..<1, using: &generator)) }
let loss = { (output: Tensor, batch: Points) in meanSquaredError(output, batch.heights) }
let model = Network(using: &generator)
print(model)

// MARK: Gradients

let points = batches[0].images
let (_, gradients, atInput) = valueWithGradient(of: model, at: points) { model, points in
  meanSquaredError(model(points), batches[0].heights)
}
show("gradients at the input", atInput)
show("arithmetic on gradients", (2 * gradients - gradients / 2).norm / gradients.norm)

// MARK: An optimizer of one's own

/// Steps of the rate against the sign of the gradient.
final class SignDescent: SlottedOptimizer {
  init(_ groups: [ParameterGroup], learningRate: Scalar) {
    super.init(groups, learningRate: learningRate, weightDecay: 0, slots: [])
  }
  override func step(_ s: Step) { for i in 0..<s.count { s.w[i] -= s.rate * (s.g[i] < 0 ? -1 : 1) } }
}
let descent = SignDescent([ParameterGroup(model.last)], learningRate: 1e-3)
descent.update(with: gradients)
descent.groups.append(ParameterGroup(model.first, learningRateScale: 0.1))
descent.update(with: gradients)
show("groups that change", descent.groups.map(\.learningRateScale))
show("its error", OptimizerStateError(description: "the state has no 'mean'"))

// MARK: Training

let optimizer = Adam(model)
let search = try LearningRateSearch(of: model, on: batches, loss: loss, optimizer: optimizer)
show("learning-rate finder", "\(search.suggestion ?? 0)")
optimizer.learningRate = 0.01
var plateau = ReduceOnPlateau(factor: 0.5, patience: 1)
var stopping = EarlyStopping(patience: 3)
var reports: [EpochReport] = []
let fit = Fit(
  model, to: batches, loss: loss, optimizer: optimizer, validating: Array(batches.prefix(4)), epochs: 60,
  classifies: false, metrics: ["l1": { Double(meanAbsoluteError($0, $1.heights).item) }])
for report in fit {
  reports.append(report)
  plateau.update(optimizer, after: report.validation?.loss ?? report.loss)
  if stopping.shouldStop(after: report) { break }
}
show("a regression's report", reports[reports.count - 1])
show("metrics of one's own", reports[reports.count - 1].validation?.metrics?.keys.sorted() ?? [])
show("reduce on plateau", optimizer.learningRate < 0.01)
show("early stopping", stopping.epochsWithoutImprovement == 3)

// MARK: Copy and export

let copy = try model.copy()
copy.last.weight = .zeros([1, 16])
show("a deep copy", [copy.last.weight.any(), model.last.weight.any()])

let file = FileManager.default.temporaryDirectory.appendingPathComponent("everyday-\(UUID().uuidString).onnx")
defer { try? FileManager.default.removeItem(at: file) }
try ONNX.save(model, imageShape: [2], to: file)
show("ONNX of one's own class", try Data(contentsOf: file).count > 1000)

precondition(reports[reports.count - 1].loss < 0.01, "the network should have learnt a paraboloid")
precondition(stopping.best == reports.compactMap { $0.validation?.loss }.min(), "early stopping knows the best epoch")
