// Classifies a folder of photographs, with a folder for each class inside: from training to a file for other programs.
//
//     swift run -c release photographs FOLDER OUT
//
// Without a folder it makes up small ones, and learns in seconds.

import Foundation
import Reports

let arguments = CommandLine.arguments.dropFirst().map { URL(fileURLWithPath: $0) }
let isMadeUp = arguments.isEmpty
let folder = try arguments.first ?? madeUpPhotographs()
let out = arguments.dropFirst().first ?? folder.deletingLastPathComponent().appendingPathComponent("classifier")
let (side, epochs, batchSize) = isMadeUp ? (16, 8, 12) : (64, 20, 64)
let learningRate: Scalar = isMadeUp ? 0.03 : 0.1

// MARK: Images. All are scaled to one size; a file that cannot be read is an error with its name.

let data = try ImageFolder.load(folder, ImageOptions(size: ImageSize(side)))
print(
  "\(data.name): \(data.training.count) images of \(data.classNames.joined(separator: ", ")), \(data.test.count) for tests"
)
for line in data.notices + data.cautions { print(line) }
// A tenth of the training images shows meanwhile how good the network is, where the folder has none for validation.
var (training, validation) = try data.training.split(holdingOut: data.training.count / 10, seed: 1)
if let given = data.validation { (training, validation) = (data.training, given) }

let normalization = Normalization.computed(from: training)
let inOrder = { (images: LabeledImages) in Batches(of: images, size: 64, normalization: normalization) }
let batches = Batches(
  of: training, size: batchSize, shuffledBy: SplittableGenerator(seed: 1),
  augmentation: .randomCrop(padding: side / 8) + .horizontalFlip, normalization: normalization,
  // Batch norm cannot train on a single image.
  droppingLast: training.count % batchSize == 1)

// MARK: Training

let choice = ModelChoice("resnet20")
var generator = SplittableGenerator(seed: 1)
let model = try choice.make(classes: data.classNames.count, inputShape: data.imageShape, using: &generator)
let fit = Fit(
  model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
  optimizer: SGD(model, learningRate: learningRate, momentum: 0.9, nesterov: true, weightDecay: 5e-4),
  schedule: .cosine(from: learningRate, over: epochs * batches.batchCount), validating: inOrder(validation),
  epochs: epochs)
for epoch in fit {
  try epoch.check()
  print(epoch)
}
let result = try evaluate(model, on: inOrder(data.test))
print("\(result.correct) of \(result.count) test images right")

// MARK: Files. Both say the classes and how images are prepared; the ONNX file does that itself, for photographs of any size.

try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
let (weights, onnx) = (out.appendingPathComponent("weights.safetensors"), out.appendingPathComponent("network.onnx"))
let classifier = SavedClassifier(
  model: choice, imageShape: data.imageShape, classNames: data.classNames, normalization: normalization,
  preparation: data.preparation)
try classifier.save(model, to: weights)
try classifier.saveONNX(model, takesPixels: true, givesProbabilities: true, to: onnx)
print("written: \(weights.path), \(onnx.path)")

// MARK: Prediction, as another program does it that has the weights alone.

guard let saved = try SavedClassifier.read(from: weights) else { fatalError("the weights should say what they are of") }
let network = try saved.load(weights)
for path in try ImageFiles([folder.path]).paths.shuffled(using: &generator).prefix(5) {
  let image = try DecodedImage(
    contentsOf: URL(fileURLWithPath: path), appliesOrientation: saved.imagePreparation.appliesOrientation)
  let images = try saved.tensor(of: [image])
  let probabilities = softmax(network.evaluating { network(images) })
  let (values, classes) = probabilities.topK(min(3, saved.classNames.count))
  let guesses = zip(classes[0], values.scalars).map { "\(saved.classNames[$0]) \(Int(($1 * 100).rounded())) %" }
  print(path.dropFirst(folder.path.count + 1), guesses.joined(separator: ", "), separator: ": ")
}

if isMadeUp { precondition(result.top1 > 0.8, "made-up photographs should be learned better than \(result.top1)") }
