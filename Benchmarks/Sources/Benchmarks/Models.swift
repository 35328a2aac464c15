import EncodeNet

extension Report {
  /// Whole training steps and inference on images of 32×32 in colour.
  mutating func models() {
    section("Whole models")
    var generator = SplittableGenerator(seed: 1)
    model("vgg16", VGG16(classes: 10, using: &generator))
    model("resnet20", ResNet(depth: 20, classes: 10, using: &generator))
    autoencoder(VGG16(classes: 10, using: &generator))
  }

  private mutating func model(_ name: String, _ model: some SplitClassifier) {
    var generator = SplittableGenerator(seed: 1)
    let images = Tensor.normal([128, 32, 32, 3], using: &generator)
    let labels = (0..<128).map { $0 % 10 }
    let optimizer = SGD(model, learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4)
    model.train()
    self.images("\(name)-train", count: 128) {
      let (_, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy($0(images), labels: labels) }
      optimizer.update(with: gradients)
    }
    model.evaluate()
    self.images("\(name)-infer-batch128", count: 128) { _ = model(images) }
    let one = images[0..<1]
    self.images("\(name)-infer-batch1", count: 1, seconds: 1) { _ = model(one) }
  }

  /// An encoder and its mirror, taught to give back other images.
  private mutating func autoencoder(_ model: some SplitClassifier) {
    var generator = SplittableGenerator(seed: 1)
    let gcae = GeneralizedConvertingAutoencoder(of: model, imageShape: [32, 32, 3], using: &generator)
    let images = Tensor.uniform([128, 32, 32, 3], using: &generator)
    let optimizer = Adam(gcae, learningRate: 1e-3)
    gcae.train()
    self.images("gcae-train", count: 128) {
      let (_, gradients) = valueWithGradient(of: gcae) { meanSquaredError($0(images), images) }
      optimizer.update(with: gradients)
    }
  }
}
