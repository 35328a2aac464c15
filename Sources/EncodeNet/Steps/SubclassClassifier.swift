/// An encoder that learns to which cluster an image belongs, with no decoder: a control of the conversion.
final class SubclassClassifier: Layer {
  let encoder: any Layer
  let head: Linear

  init(encoder: any Layer, features: Int, classes: Int, using generator: inout SplittableGenerator) {
    (self.encoder, head) = (encoder, Linear(features, classes, using: &generator))
  }

  func callAsFunction(_ x: Tensor) -> Tensor { head(encoder(x).averagedOverSpace) }

  /// Trains encoder and head as an autoencoder's encoder and decoder are trained.
  func train(
    on batches: Batches, _ stage: ConversionTraining, name: String, key: String, _ trainer: StepTrainer
  ) throws -> [EpochReport] {
    // An encoder of scale 0 keeps its batch norms' statistics too.
    if stage.encoderLearningRateScale == 0 { encoder.freeze() }
    defer { encoder.unfreeze() }
    return try trainer(
      name, key: key,
      Fit(
        self, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
        optimizer: stage.optimizer(encoder, head),
        schedule: .cosine(from: Scalar(stage.learningRate), over: stage.epochs * batches.batchCount),
        epochs: stage.epochs))
  }
}
