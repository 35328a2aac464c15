import Foundation
import TestSupport
import Testing

@testable import Layers

struct ModelTests {
  struct Fixture: Decodable {
    struct Run: Decodable {
      let option: String
      let input: Numbers
      let labels: [Int]
      let logits: Numbers
      let loss: Double
      let inputGradient: Numbers
      let gradientNorms: [String: Double]
      let runningVar: Numbers
      let evaluation: Numbers
    }
    let names: [String: [String: [Int]]]
    let resnets: [Run]
  }

  @Test func statesHavePyTorchsNamesAndShapes() throws {
    let fixture: Fixture = try fixture("models", in: .module)
    var g = generator()
    let models: [String: any Layer] = [
      "vgg16": VGG16(classes: 10, using: &g), "resnet20": ResNet(classes: 10, using: &g),
      "resnet20b": ResNet(classes: 10, shortcut: .projection, using: &g),
    ]
    for (name, model) in models {
      #expect(model.everything.mapValues(\.shape.dimensions) == fixture.names[name], "\(name)")
    }
  }

  /// Sizes as published: kuangliu's VGG16 14.73 M and 313 M, He's ResNets 0.27 M and 0.85 M, bearpaw's AlexNet 2.47 M,
  /// LeCun's LeNet-5 with full connections 61,706.
  @Test func parametersAndMultiplyAddsAreThePublishedOnes() {
    var g = generator()
    func summary(_ model: any Layer, _ input: Shape = [32, 32, 3]) -> ModelSummary {
      ModelSummary(of: model, input: input)
    }
    let vgg = summary(VGG16(classes: 10, using: &g))
    #expect(vgg.parameters == 14_728_266 && vgg.multiplyAdds == 313_201_664)
    let resnet = summary(ResNet(classes: 10, using: &g))
    #expect(resnet.parameters == 269_722 && resnet.multiplyAdds == 40_551_040)
    #expect(summary(ResNet(classes: 100, shortcut: .projection, using: &g)).parameters == 278_324)
    #expect(ResNet(depth: 56, classes: 10, using: &g).parameterCount == 853_018)
    #expect(ResNet(classes: 100, widthMultiplier: 2, using: &g).parameterCount == 1_085_572)
    #expect(AlexNet(classes: 10, using: &g).parameterCount == 2_472_266)
    let lenet = summary(LeNet5(classes: 10, using: &g), [28, 28, 1])
    #expect(lenet.parameters == 61_706 && lenet.multiplyAdds == 416_520)
    #expect(lenet.rows.reduce(0) { $0 + $1.parameters } == lenet.parameters)
  }

  /// Weights as in the fixtures' script: a sine over PyTorch's order of the elements.
  private func assignWaves(_ model: any Layer) {
    for (index, (_, parameter)) in model.namedParameters.enumerated() {
      let shape = parameter.wrappedValue.shape
      let isConvolution = shape.rank == 4
      let area = isConvolution ? shape[0] * shape[1] : 1
      parameter.wrappedValue = Tensor(shape: shape) { out in
        for i in out.indices {
          var torch = i
          if isConvolution {
            let (o, c, position) = (i % shape[3], i / shape[3] % shape[2], i / (shape[3] * shape[2]))
            torch = (o * shape[2] + c) * area + position
          }
          let wave = Scalar(Foundation.sin(Double(torch) * 0.7 + Double(index)))
          out[i] = shape.rank > 1 ? 0.3 * wave : 1 + 0.2 * wave
        }
      }
    }
  }

  @Test func resNetsComputeWhatPyTorchsDo() throws {
    let fixture: Fixture = try fixture("models", in: .module)
    for run in fixture.resnets {
      var g = generator()
      let model = ResNet(
        depth: 8, classes: 3, inputShape: [9, 8, 3], shortcut: run.option == "A" ? .identity : .projection,
        widthMultiplier: 0.25, using: &g)
      assignWaves(model)
      let x = Parameter(wrappedValue: run.input.tensor)
      var logits = Tensor(0)
      let (loss, gradients) = valueWithGradient(of: WithInput(x, model)) { model in
        logits = model.layer(x.wrappedValue)
        return softmaxCrossEntropy(logits, labels: run.labels)
      }
      expectClose(logits, run.logits.tensor, 1e-4, run.option)
      expectClose(loss, Tensor(Scalar(run.loss)), 1e-4, run.option)
      expectClose(gradients[x], run.inputGradient.tensor, 2e-4, run.option)
      for (name, parameter) in model.namedParameters {
        let norm = try #require(gradients[parameter]).scalars.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let expected = try #require(run.gradientNorms[name])
        #expect(abs(norm - expected) < 1e-3 * max(1, expected), "\(run.option) \(name)")
      }
      expectClose(model.everything["layer3.0.bn2.running_var"], run.runningVar.tensor, 1e-4, run.option)
      model.evaluate()
      expectClose(model(run.input.tensor), run.evaluation.tensor, 1e-4, run.option)
    }
  }

  @Test(arguments: [[8, 8, 1], [28, 28, 1], [32, 32, 3], [19, 37, 3], [64, 48, 3]])
  func everyModelTakesManySizesAndItsDecoderGivesThemBack(size: [Int]) {
    let shape = Shape(size)
    var g = generator()
    let models: [any SplitClassifier] = [
      VGG16(classes: 7, inputShape: shape, widthMultiplier: 0.0625, using: &g),
      ResNet(depth: 8, classes: 7, inputShape: shape, widthMultiplier: 0.25, using: &g),
      LeNet5(classes: 7, inputShape: shape, using: &g),
      AlexNet(classes: 7, inputShape: shape, widthMultiplier: 0.0625, using: &g),
      ImageNetResNet(classes: 7, inputShape: shape, widthMultiplier: 0.0625, using: &g),
      ImageNetResNet(depth: .fifty, classes: 7, inputShape: shape, widthMultiplier: 0.0625, using: &g),
      MobileNetV2(classes: 7, inputShape: shape, widthMultiplier: 0.0625, using: &g),
    ]
    for model in models {
      #expect(ModelSummary(of: model, input: shape).rows.last?.output == [1, 7])
      let last = model.splits[model.splits.count - 1]
      for split in [nil, last] {
        let features = split.map { model.split(at: $0).features } ?? model.features
        let decoder = Decoder(mirroring: model, at: split, imageShape: shape, using: &g)
        decoder.evaluate()
        model.evaluate()
        let image = decoder(features(.ones(Shape([2] + size))))
        #expect(image.shape == Shape([2] + size))
        #expect(image.scalars.allSatisfy { (0...1).contains($0) })
      }
    }
  }

  @Test func decodersMirrorTheirEncoders() {
    var g = generator()
    func channels(_ decoder: Decoder) -> [Int] {
      (decoder.blocks.layers + decoder.image.layers).compactMap {
        ($0 as? ConvTranspose2d)?.weight.shape[2] ?? ($0 as? Conv2d)?.weight.shape[3]
      }
    }
    let resnet = ResNet(classes: 10, using: &g)
    let decoder = Decoder(mirroring: resnet, imageShape: [32, 32, 3], using: &g)
    #expect(channels(decoder) == [32, 16, 3])
    #expect(decoder.expand.parameterCount == 64 * 4096 + 4096)
    let vgg = VGG16(classes: 10, using: &g)
    #expect(channels(Decoder(mirroring: vgg, imageShape: [32, 32, 3], using: &g)) == [256, 128, 64, 32, 16, 3])
    let pooled = Decoder(mirroring: resnet, at: "pool", imageShape: [32, 32, 3], using: &g)
    #expect(channels(pooled) == [32, 16, 3])
    #expect(pooled.expand.parameterCount == 64 * 4096 + 4096)
  }

  @Test func theTwoPartsOfASplitAreTheModelAndShareItsNames() {
    var g = generator()
    let model = ResNet(depth: 8, classes: 5, inputShape: [8, 8, 3], widthMultiplier: 0.25, using: &g)
    model.evaluate()
    let x = Initializer.normal(std: 1)([2, 8, 8, 3], using: &g)
    let whole = model(x).scalars
    for split in model.splits {
      let (features, classifier) = model.split(at: split)
      #expect(classifier(features(x)).scalars == whole, "\(split)")
      #expect(
        features.namedParameters.map(\.name) + classifier.namedParameters.map(\.name)
          == model.namedParameters.map(\.name))
    }
    #expect(model.features(x).shape == [2, 2, 2, 16])
  }

  @Test func theDenseConvertingAutoencoderKeepsTheShape() {
    var g = generator()
    let model = DenseConvertingAutoencoder(imageShape: [8, 8, 1], widths: [32, 8], using: &g)
    let y = model(.ones([3, 8, 8, 1]))
    #expect(y.shape == [3, 8, 8, 1] && y.scalars.allSatisfy { (0...1).contains($0) })
    #expect(model.encoder(.ones([3, 8, 8, 1])).shape == [3, 8])
    #expect(model.namedParameters.last?.name == "decoder.2.bias")
  }

  @Test func aSummaryPrintsATableAndLeavesTheModelAlone() {
    var g = generator()
    let model = Sequential {
      Conv2d(1, 2, kernelSize: 3, padding: 1, using: &g)
      BatchNorm2d(2)
      GlobalAveragePool()
    }
    let before = model.everything.mapValues(\.scalars)
    let summary = ModelSummary(of: model, input: [4, 4, 1])
    #expect(
      summary.description == """
        layer  type               output        parameters  MACs
        0      Conv2d             [1, 4, 4, 2]          20   288
        1      BatchNorm2d        [1, 4, 4, 2]           4     0
        2      GlobalAveragePool  [1, 2]                 0     0
        total                                           24   288
        """)
    #expect(model.everything.mapValues(\.scalars) == before)
    #expect((model[1] as? BatchNorm2d)?.isTraining == true)
  }
}
