import Tensors
import TestSupport
import Testing

@Suite("Operations on images") struct ImageOperationTests {
  /// As PyTorch's, which multiplies the neighbour of an outer pixel by 0.
  @Test func aPixelThatIsNaNReachesOutputsBetweenItAndItsNeighboursAlone() {
    var x = Tensor.ones([1, 3, 4, 16])
    x.withUnsafeMutableScalars { $0[(1 * 4 + 2) * 16] = .nan }
    let y = resized2d(x, height: 6, width: 8, interpolation: .bilinear)
    #expect(places(of: y) == (0..<5).flatMap { row in (3..<7).map { row * 8 + $0 } })
    #expect(places(of: upsampleBilinear2d(x, scale: 2)) == places(of: y))
    #expect(places(of: resized2d(x, height: 6, width: 8, interpolation: .nearest)) == [20, 21, 28, 29])
    #expect(places(of: adaptiveAveragePool2d(x, height: 3, width: 2)) == [3])
    #expect(places(of: resized2d(x, height: 3, width: 2)) == [3])
  }

  /// The pixels whose first channel is NaN, of an image whose other channels are not.
  private func places(of image: Tensor) -> [Int] {
    let scalars = image.scalars
    return scalars.indices.filter { scalars[$0].isNaN }.map { $0 / image.shape[3] }
  }

  @Test func theFirstOfEqualMaximaGetsTheGradient() {
    let dx = gradient(at: Tensor.ones([1, 5, 4, 1])) { adaptiveMaxPool2d($0, height: 2, width: 2).sum() }
    // The parts of five rows share the third.
    #expect(dx.scalars == [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test(arguments: [[0, 0, 2, 0], [1, 0, 0, 2], [0, 2, 1, 1], [2, 2, 2, 2]])
  func mirrorsStandAtEveryAxis(margins: [Int]) {
    let x = normal([3, 4, 3, 5])
    var y = x
    for (axis, margin) in margins.enumerated() {
      let n = x.shape[axis]
      y = y.gather((-margin..<n + margin).map { $0 < 0 ? -$0 : $0 < n ? $0 : 2 * (n - 1) - $0 }, axis: axis)
    }
    #expect(x.reflected(margins.map { ($0, $0) }).scalars == y.scalars)
  }

  @Test func partsOfChannelsAreSlices() {
    let x = normal([2, 5, 4, 20])
    let weight = normal([3, 3, 12, 16], seed: 2)
    func convolved(_ part: Tensor) -> Tensor { conv2d(part, weight, padding: 1) }
    let whole = gradient(at: x) { convolved($0.sliced(8..<20, axis: 3)).sum() }
    let parts = gradient(at: x) { convolved($0.split([8, 12], axis: -1)[1]).sum() }
    #expect(parts.scalars == whole.scalars)
    var changed = x
    let part = changed.split([8, 12], axis: 3)[0]
    changed.withUnsafeMutableScalars { $0[0] = 100 }
    #expect(part.scalars == x.sliced(0..<8, axis: 3).scalars)
    #expect(x.split([0, 20], axis: 3).map(\.count) == [0, x.count])
  }

  /// A batch norm is computed where it is read, in rows of channels; so is what is reshaped to others.
  @Test func aNormOfOtherChannelsIsConvolvedByItsNewShape() {
    let x = normal([2, 6, 6, 16])
    let norm = batchNorm2d(x, gamma: .ones([16]), beta: .zeros([16])).y
    let copy = Tensor(batchNorm2d(x, gamma: .ones([16]), beta: .zeros([16])).y.scalars, shape: [2, 6, 3, 32])
    let weight = normal([3, 3, 32, 16], seed: 2)
    expectClose(
      conv2d(norm.reshaped(to: [2, 6, 3, 32] as Shape), weight, padding: 1), conv2d(copy, weight, padding: 1), 1e-5)
  }

  @Test func groupsAreNormalisedAccuratelyBesideAnOutlierAndFarFromZero() {
    for (offset, outlier) in [(0, 10_000), (1_000, 0)] as [(Scalar, Scalar)] {
      var x = normal([2, 9, 7, 12]) + offset
      x.withUnsafeMutableScalars { $0[0] += outlier }
      let grouped = x.reshaped(to: [2, 63, 3, 4] as Shape)
      let centred = grouped - grouped.mean(alongAxes: [1, 3], keepingDimensions: true)
      let variance = square(centred).mean(alongAxes: [1, 3], keepingDimensions: true)
      let wanted = (centred * rsqrt(variance + 1e-5)).reshaped(to: x.shape)
      expectClose(groupNorm(x, groups: 3, gamma: .ones([12])), wanted, isDouble ? 1e-9 : 1e-4)
    }
  }

  @Test func resultsAreThoseOfAnyNumberOfThreads() {
    let (x, gamma) = (normal([3, 33, 29, 18]), normal([18], seed: 2))
    func results(threads: Int) -> [[Scalar]] {
      Parallel.withThreads(threads) {
        let (norm, pullback) = valueWithPullback(at: [x, gamma]) { groupNorm($0[0], groups: 6, gamma: $0[1]) }
        let (large, spread) = valueWithPullback(at: [x]) { resized2d($0[0], height: 50, width: 20) }
        return ([norm, large] + pullback(norm) + spread(large)).map(\.scalars)
      }
    }
    #expect(results(threads: 1) == results(threads: 3))
  }
}
