import EncodeNet

/// A network for images in colour, in 10 classes.
enum Model: String, Encodable, CaseIterable {
  case vgg16
  case resnet20
  /// An autoencoder of VGG16's feature layers and their mirror.
  case gcae
  case mobilenetv2
  case resnet18
  case resnet50
}

extension Case {
  /// Training steps, epochs and inference, on small images and on large ones.
  static let models: [Case] =
    [.vgg16, .resnet20, .gcae].flatMap { (model: Model) -> [Case] in
      [.training(model: model, batch: 128)]
        + (model == .gcae
          ? []
          : [
            .epoch(model: model, batch: 128), .inference(model: model, batch: 128), .inference(model: model, batch: 1),
          ])
    } + [.training(model: .resnet20, batch: 4)]
    + [
      (.vgg16, 64, 32), (.resnet20, 64, 32), (.mobilenetv2, 96, 32), (.vgg16, 224, 8), (.resnet20, 224, 32),
      (.resnet18, 224, 32), (.resnet50, 224, 16),
    ].flatMap { (model: Model, side: Int, batch: Int) in
      [.training(model: model, batch: batch, side: side)]
        + [1, 32].map { .inference(model: model, batch: $0, side: side) }
    }
}

extension Model {
  static let epochSteps = 10

  /// Its name, and the side of its images unless that is 32.
  func title(_ side: Int) -> String { rawValue + (side == 32 ? "" : "@\(side)") }

  private func classifier(side: Int = 32, _ generator: inout SplittableGenerator) -> any SplitClassifier {
    let shape: Shape = [side, side, 3]
    return switch self {
    case .vgg16, .gcae: VGG16(classes: 10, inputShape: shape, using: &generator)
    case .resnet20: ResNet(depth: 20, classes: 10, inputShape: shape, using: &generator)
    case .mobilenetv2: MobileNetV2(classes: 10, inputShape: shape, using: &generator)
    case .resnet18: ImageNetResNet(depth: .eighteen, classes: 10, inputShape: shape, using: &generator)
    case .resnet50: ImageNetResNet(depth: .fifty, classes: 10, inputShape: shape, using: &generator)
    }
  }

  /// Forward, loss, backward, and the optimizer's step: SGD with momentum, for the autoencoder Adam.
  func training(batch: Int, side: Int) -> () -> Void {
    var generator = SplittableGenerator(seed: 1)
    let images = Tensor.uniform([batch, side, side, 3], using: &generator)
    let labels = (0..<batch).map { $0 % 10 }
    let model = classifier(side: side, &generator)
    guard self == .gcae else {
      let step = trainingStep(model)
      return { step(images, labels) }
    }
    let gcae = GeneralizedConvertingAutoencoder(of: model, imageShape: [side, side, 3], using: &generator)
    let optimizer = Adam(gcae, learningRate: 1e-3)
    return {
      let (_, gradients) = valueWithGradient(of: gcae) { meanSquaredError($0(images), images) }
      optimizer.update(with: gradients)
    }
  }

  /// Some steps on images that are cropped and flipped on the way.
  func epoch(batch: Int) -> () -> Void {
    var generator = SplittableGenerator(seed: 1)
    let model = classifier(&generator)
    let count = batch * Self.epochSteps
    let images = try! LabeledImages(
      name: "noise", pixels: (0..<count * 32 * 32 * 3).map { _ in UInt8.random(in: 0...255, using: &generator) },
      labels: (0..<count).map { $0 % 10 }, imageShape: [32, 32, 3], classNames: (0..<10).map(String.init))
    let batches = Batches(
      of: images, size: batch, shuffledBy: generator, augmentation: .randomCrop(padding: 4) + .horizontalFlip,
      normalization: .computed(from: images))
    let step = trainingStep(model)
    var epoch = 0
    return {
      for batch in batches.epoch(epoch) { step(batch.images, batch.labels) }
      epoch += 1
    }
  }

  func inference(batch: Int, side: Int) -> () -> Void {
    var generator = SplittableGenerator(seed: 1)
    let images = Tensor.uniform([batch, side, side, 3], using: &generator)
    let model = try! classifier(side: side, &generator).optimizedForInference()
    return { _ = model(images) }
  }
}

/// A step of SGD with momentum on some images and their classes.
func trainingStep(_ model: some SplitClassifier) -> (Tensor, [Int]) -> Void {
  let optimizer = SGD(model, learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4)
  return { images, labels in
    let (_, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy($0(images), labels: labels) }
    optimizer.update(with: gradients)
  }
}
