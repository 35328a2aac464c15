import TestSupport
import Testing

@testable import Training

struct TestTimeAugmentationTests {
  private let image = Tensor((0..<2 * 9 * 8).map { Scalar($0) }, shape: [2, 9, 8, 1])

  @Test func viewsAreTheImageItsMirrorImageAndItsCrops() {
    func pixel(_ view: Tensor, _ n: Int, _ row: Int, _ column: Int) -> Scalar {
      view.scalars[(n * 9 + row) * 8 + column]
    }
    #expect(TestTimeAugmentation.none.views(of: image).map(\.scalars) == [image.scalars])
    let flip = TestTimeAugmentation.flip.views(of: image)
    #expect(flip.count == 2 && flip[0].scalars == image.scalars)
    let crops = TestTimeAugmentation.crops.views(of: image)
    #expect(crops.count == 10 && crops.allSatisfy { $0.shape == image.shape })
    for n in 0..<2 {
      for row in 0..<9 {
        for column in 0..<8 {
          #expect(pixel(flip[1], n, row, column) == pixel(image, n, row, 7 - column))
          // A pixel up and left, a pixel down and right, each with the edge repeated, then the first of them mirrored.
          #expect(pixel(crops[1], n, row, column) == pixel(image, n, max(row - 1, 0), max(column - 1, 0)))
          #expect(pixel(crops[4], n, row, column) == pixel(image, n, min(row + 1, 8), min(column + 1, 7)))
          #expect(pixel(crops[6], n, row, column) == pixel(image, n, max(row - 1, 0), max(6 - column, 0)))
        }
      }
    }
  }

  @Test(arguments: TestTimeAugmentation.allCases)
  func probabilitiesAreTheMeanOverTheViews(augmentation: TestTimeAugmentation) throws {
    var g = SplittableGenerator(seed: 2)
    let model = Sequential {
      Conv2d(1, 4, kernelSize: 3, stride: 2, padding: 1, using: &g)
      BatchNorm2d(4)
      ReLU()
      Flatten()
      Linear(5 * 4 * 4, 3, using: &g)
    }
    let x = image / 20
    let averaged = model.averaged(over: augmentation)
    let (found, expected) = model.evaluating {
      let views = augmentation.views(of: x).map { softmax(model($0)) }
      return (softmax(averaged(x)), views.dropFirst().reduce(views[0], +) / Scalar(views.count))
    }
    expectClose(found, expected, 1e-5)
    // An evaluation takes it as any classifier, and leaves the modes as they were.
    let batch = Batch(images: x, labels: [0, 2], indices: [0, 1])
    let evaluation = try evaluate(averaged, on: [batch])
    expectClose(evaluation.probabilities, expected, 1e-5)
    let loss = -(0..<2).reduce(0.0) { $0 + Double(log(expected).scalars[$1 * 3 + batch.labels[$1]]) } / 2
    #expect(abs(evaluation.loss - loss) < 1e-5)
    #expect((model[1] as? BatchNorm2d)?.isTraining == true)
    #expect(averaged.parameterCount == model.parameterCount)
  }
}
