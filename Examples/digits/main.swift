// Trains a small convolutional network on the embedded handwritten digits, and insists on its accuracy.

import Reports

// 1,297 images to learn from, 500 to be judged by, of 8 by 8 pixels.
let data = DatasetSplit.digits
let normalization = Normalization.computed(from: data.training)
let training = Batches(
  of: data.training, size: 64, shuffledBy: SplittableGenerator(seed: 1), normalization: normalization)
let test = Batches(of: data.test, size: 250, normalization: normalization)

var generator = SplittableGenerator(seed: 1)
let model = Sequential {
  Conv2d(1, 16, kernelSize: 3, padding: 1, using: &generator)
  BatchNorm2d(16)
  ReLU()
  MaxPool2d(2)
  Conv2d(16, 32, kernelSize: 3, padding: 1, using: &generator)
  BatchNorm2d(32)
  ReLU()
  GlobalAveragePool()
  Linear(32, 10, using: &generator)
}
print(ModelSummary(of: model, input: data.imageShape))

let epochs = 12
let optimizer = SGD(model, learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4)
let fit = Fit(
  model, to: training, loss: { softmaxCrossEntropy($0, labels: $1.labels) }, optimizer: optimizer,
  schedule: .cosine(from: 0.1, over: epochs * training.batchCount), epochs: epochs)
for epoch in fit {
  try epoch.check()
  print(epoch)
}

let result = try evaluate(model, on: test)
print("\(result.correct) of \(result.count) test images right")
precondition(result.top1 > 0.95, "the digits should be learned better than \(result.top1)")
