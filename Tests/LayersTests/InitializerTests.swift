import Testing

@testable import Layers

struct InitializerTests {
  /// Mean, standard deviation and largest magnitude.
  private func statistics(_ initializer: Initializer, _ shape: Shape) -> (Double, Double, Double) {
    var g = generator(5)
    let x = initializer(shape, using: &g).scalars.map { Double($0) }
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
    return (mean, variance.squareRoot(), x.reduce(0) { max($0, abs($1)) })
  }

  @Test(
    arguments: [
      (.heNormal(), [100, 200], (2.0 / 200).squareRoot(), 1),
      (.heNormal(fan: .out), [3, 3, 20, 50], (2.0 / 450).squareRoot(), 1),
      (.heUniform(), [3, 3, 20, 50], (2.0 / 180).squareRoot(), 3.0.squareRoot()),
      (.glorotNormal(), [100, 200], (2.0 / 300).squareRoot(), 1),
      (.glorotUniform(), [3, 3, 20, 50], (2.0 / 630).squareRoot(), 3.0.squareRoot()),
      (.standard, [100, 300], 1 / 30, 3.0.squareRoot()), (.normal(std: 0.5), [100, 100], 0.5, 1),
    ] as [(Initializer, Shape, Double, Double)])
  func weightsHaveTheDeviationOfTheirName(
    initializer: Initializer, shape: Shape, std: Double, boundInStds: Double
  ) {
    let (mean, found, largest) = statistics(initializer, shape)
    #expect(abs(mean) < 4 * std / Double(shape.count).squareRoot())
    #expect(abs(found / std - 1) < 0.03)
    if boundInStds > 1 {
      #expect((0.98...1.0001).contains(largest / (std * boundInStds)))
    } else {
      #expect(largest > 3 * std)
    }
  }

  @Test(arguments: [[6, 4], [4, 6], [3, 3, 2, 5], [1, 1, 2, 5]])
  func orthogonalWeightsAreOrthogonal(dimensions: [Int]) {
    var g = generator()
    let shape = Shape(dimensions)
    let w = Initializer.orthogonal(gain: 2)(shape, using: &g).scalars
    let rows = shape.rank == 2 ? shape[0] : shape[3]
    let columns = shape.count / rows
    func element(_ row: Int, _ column: Int) -> Scalar {
      shape.rank == 2 ? w[row * columns + column] : w[column * rows + row]
    }
    for i in 0..<min(rows, columns) {
      for j in 0..<min(rows, columns) {
        let dot = (0..<max(rows, columns)).reduce(Scalar(0)) {
          $0 + (rows <= columns ? element(i, $1) * element(j, $1) : element($1, i) * element($1, j))
        }
        #expect(abs(dot - (i == j ? 4 : 0)) < 1e-5)
      }
    }
  }

  @Test func theSameSeedGivesTheSameWeights() {
    var (a, b, c) = (generator(1), generator(1), generator(2))
    let first = Conv2d(2, 3, kernelSize: 3, using: &a).everything.mapValues(\.scalars)
    #expect(first == Conv2d(2, 3, kernelSize: 3, using: &b).everything.mapValues(\.scalars))
    #expect(first != Conv2d(2, 3, kernelSize: 3, using: &c).everything.mapValues(\.scalars))
  }
}
