import Testing

@testable import Layers

/// A decoder makes every pixel from the whole image: a corner of a map does not know the class that it has to show.
@Suite struct DecoderTests {
  /// Every network of the library, and one of a user's own.
  static let networks = ["vgg16", "resnet20", "lenet5", "alexnet", "own", "own, flattening"]

  private final class Own: SplitClassifier {
    let features: any Layer
    let classifier: any Layer
    init(side: Int, flattens: Bool, using generator: inout SplittableGenerator) {
      features = Sequential {
        Conv2d(3, 6, kernelSize: 3, stride: 2, padding: 1, using: &generator)
        BatchNorm2d(6)
        ReLU()
      }
      let cells = flattens ? ((side - 1) / 2 + 1) * ((side - 1) / 2 + 1) : 1
      classifier = Sequential {
        if flattens { Flatten() } else { GlobalAveragePool() }
        Linear(6 * cells, 5, using: &generator)
      }
    }
  }

  private func network(_ name: String, side: Int, using generator: inout SplittableGenerator) -> any SplitClassifier {
    let shape: Shape = [side, side, 3]
    return switch name {
    case "vgg16": VGG16(classes: 5, inputShape: shape, widthMultiplier: 0.0625, using: &generator)
    case "resnet20": ResNet(depth: 8, classes: 5, inputShape: shape, widthMultiplier: 0.25, using: &generator)
    case "lenet5": LeNet5(classes: 5, inputShape: shape, using: &generator)
    case "alexnet": AlexNet(classes: 5, inputShape: shape, widthMultiplier: 0.0625, using: &generator)
    default: Own(side: side, flattens: name.hasSuffix("flattening"), using: &generator)
    }
  }

  @Test(arguments: networks, [32, 64, 224])
  func everyPixelDependsOnEveryCellOfTheLastMap(name: String, side: Int) throws {
    var g = SplittableGenerator(seed: 7, stream: name)
    let model = network(name, side: side, using: &g)
    let decoder = Decoder(mirroring: model, imageShape: [side, side, 3], using: &g)
    model.evaluate()
    decoder.evaluate()
    let map = model.features(Initializer.normal(std: 1)([1, side, side, 3], using: &g))
    #expect(map.rank == 4)
    let (height, width) = (map.shape[1], map.shape[2])

    // From the pixel back: a gradient for every cell. All pixels of a small image, a grid of a large one.
    let places = side == 32 ? Array(0..<side) : [0, 1, side / 3, side / 2, side - 2, side - 1]
    var blind = 0
    for row in places {
      for column in places {
        let gradient = gradient(at: map) {
          decoder($0).sliced([0..<1, row..<row + 1, column..<column + 1, 0..<3]).sum()
        }
        let cells = square(gradient).sum(alongAxes: [0, 3]).scalars
        #expect(cells.count == height * width)
        blind += cells.count { $0 == 0 }
      }
    }
    #expect(blind == 0, "\(blind) pairs of a pixel and a cell that it does not depend on")

    // From the cell on: a change of one cell, at a corner, in the middle, reaches every pixel.
    let plain = decoder(map)
    for cell in Set([0, width - 1, height * width / 2, height * width - 1]) {
      var changed = map
      let channels = map.shape[3]
      changed.withUnsafeMutableScalars { for c in 0..<channels { $0[cell * channels + c] += 100 } }
      let moved = abs(decoder(changed) - plain).sum(alongAxes: [0, 3]).scalars.count { $0 > 0 }
      #expect(moved == side * side, "a change of cell \(cell) moves \(moved) of \(side * side) pixels")
    }
  }

  @Test func aDecoderSeesWhatTheHeadSees() {
    var g = SplittableGenerator(seed: 1)
    let resnet = ResNet(depth: 8, classes: 5, inputShape: [32, 32, 3], using: &g)
    #expect(Decoder.View.of(resnet.classifier, after: resnet.features, imageShape: [32, 32, 3]) == .pooled)
    let lenet = LeNet5(classes: 5, using: &g)
    #expect(Decoder.View.of(lenet.classifier, after: lenet.features, imageShape: [28, 28, 1]) == .flattened)
    // Before its last convolutions a network sees every cell.
    let (features, head) = lenet.split(at: "pool1")
    #expect(Decoder.View.of(head, after: features, imageShape: [28, 28, 1]) == .flattened)
    func inputs(_ view: Decoder.View?) -> Int {
      let decoder = Decoder(mirroring: lenet, view: view, imageShape: [28, 28, 1], using: &g)
      return (decoder.expand[1] as! Linear).weight.shape[1]
    }
    #expect(inputs(nil) == 400 && inputs(.flattened) == 400 && inputs(.pooled) == 16)
  }

  @Test func aLargeMapMakesNoEnormousLayer() {
    var g = SplittableGenerator(seed: 1)
    let lenet = LeNet5(classes: 5, inputShape: [224, 224, 3], using: &g)
    let decoder = Decoder(mirroring: lenet, imageShape: [224, 224, 3], using: &g)
    #expect(decoder.expand.parameterCount < 1 << 20)
    let wide = Conv2d(3, 1024, kernelSize: 1, using: &g)
    let flattened = Decoder(encoder: wide, view: .flattened, imageShape: [64, 64, 3], using: &g)
    #expect(flattened.expand.parameterCount <= 1 << 25)
  }

  @Test func theImageMayBeSmallerThanTheInput() {
    var g = SplittableGenerator(seed: 1)
    let model = ResNet(depth: 8, classes: 5, inputShape: [224, 160, 3], widthMultiplier: 0.25, using: &g)
    let decoder = Decoder(mirroring: model, imageShape: [224, 160, 3], targetShape: [64, 45, 3], using: &g)
    model.evaluate()
    decoder.evaluate()
    #expect(decoder(model.features(.ones([2, 224, 160, 3]))).shape == [2, 64, 45, 3])
  }
}
