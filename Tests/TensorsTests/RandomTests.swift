import Tensors
import Testing

@Suite("Random tensors") struct RandomTests {
  private func moments(_ x: Tensor) -> (mean: Scalar, variance: Scalar) { (x.mean().item, x.variance().item) }

  @Test func uniformNumbersFillTheirRangeEvenly() {
    var g = SplittableGenerator(seed: 1)
    let x = Tensor.uniform([100_000], in: -3..<5, using: &g)
    let (mean, variance) = moments(x)
    #expect(Swift.abs(mean - 1) < 0.03 && Swift.abs(variance - 64.0 / 12) < 0.06)
    #expect(x.min().item >= -3 && x.max().item < 5)
    let tenths = (0..<10).map {
      ((x .>= Scalar(-3 + 0.8 * Double($0))) * (x .< Scalar(-2.2 + 0.8 * Double($0)))).sum().item
    }
    #expect(tenths.allSatisfy { (9_500...10_500).contains($0) })
  }

  @Test func normalNumbersHaveNormalMoments() {
    var g = SplittableGenerator(seed: 2)
    let x = Tensor.normal([100_001], mean: 2, std: 3, using: &g)
    let (mean, variance) = moments(x)
    #expect(Swift.abs(mean - 2) < 0.04 && Swift.abs(variance - 9) < 0.15)
    let z = (x - 2) / 3
    #expect(Swift.abs(pow(z, 3).mean().item) < 0.05)
    #expect(Swift.abs(pow(z, 4).mean().item - 3) < 0.1)
    // Within one deviation lie 68.27 %.
    #expect(Swift.abs((abs(z) .< 1).mean().item - 0.6827) < 0.006)
    // Neighbours, which Box and Muller make in pairs, know nothing of each other.
    let pairs = z[0..<100_000].reshaped(to: [-1, 2])
    #expect(Swift.abs((pairs.sliced(0..<1, axis: 1) * pairs.sliced(1..<2, axis: 1)).mean().item) < 0.02)
  }

  @Test func bernoulliGivesOnesAsOftenAsAsked() {
    var g = SplittableGenerator(seed: 3)
    let x = Tensor.bernoulli([50_000], probability: 0.3, using: &g)
    #expect(Swift.abs(x.mean().item - 0.3) < 0.01)
    #expect((x * (1 - x)).sum().item == 0)
    #expect(Tensor.bernoulli([100], probability: 1, using: &g).sum().item == 100)
    #expect(Tensor.bernoulli([100], probability: 0, using: &g).sum().item == 0)
  }

  @Test func aSeedGivesTheSameNumbersWhateverTheShape() {
    func draw(_ shape: Shape, _ seed: UInt64) -> [Scalar] {
      var g = SplittableGenerator(seed: seed)
      return Tensor.normal(shape, using: &g).scalars
    }
    // Large enough to be drawn by several threads.
    let many = draw([1 << 17], 4)
    #expect(draw([1 << 9, 1 << 8], 4) == many)
    #expect(Array(many.prefix(1001)) == draw([1001], 4))
    #expect(draw([1001], 5) != draw([1001], 4))
    var g = SplittableGenerator(seed: 4)
    #expect(Tensor.uniform([8], using: &g).scalars != Tensor.uniform([8], using: &g).scalars)
  }

  @Test func permutationsHoldEveryNumberOnce() {
    var g = SplittableGenerator(seed: 6)
    let order = randomPermutation(of: 1000, using: &g)
    #expect(order.sorted() == Array(0..<1000) && order != Array(0..<1000))
    #expect(randomPermutation(of: 1000, using: &g) != order)
    #expect(randomPermutation(of: 0, using: &g).isEmpty)
  }

  @Test func dropoutKeepsTheMeanAndMasksTheGradientAlike() {
    var g = SplittableGenerator(seed: 7)
    let x = Tensor.ones([20_000])
    let (value, pullback) = valueWithPullback(at: [x]) { dropout($0[0], rate: 0.25, using: &g) }
    #expect(Swift.abs(value.mean().item - 1) < 0.02)
    #expect(Swift.abs((value .== 0).mean().item - 0.25) < 0.02)
    #expect(pullback(x)[0].scalars == value.scalars)
  }

  @Test func splitGeneratorsAreIndependentAndSaved() throws {
    var g = SplittableGenerator(seed: 8)
    var child = g.split()
    let (a, b) = (Tensor.normal([10_000], using: &g), Tensor.normal([10_000], using: &child))
    #expect(Swift.abs((a * b).mean().item) < 0.04)
    var copy = g
    #expect(copy.next() == g.next())
  }
}

@Suite struct RandomStreamTests {
  private func first(_ seed: UInt64, _ stream: String) -> [UInt64] {
    var generator = SplittableGenerator(seed: seed, stream: stream)
    return (0..<4).map { _ in generator.next() }
  }

  @Test func aStreamIsGivenByItsSeedAndItsNameAlone() {
    #expect(first(7, "order") == first(7, "order"))
    var all: Set<[UInt64]> = []
    for seed: UInt64 in 0..<8 {
      for name in ["", "order", "later order", "weights", "decoder", "epoch 1", "epoch 11"] {
        all.insert(first(seed, name))
      }
    }
    #expect(all.count == 8 * 7)
  }

  @Test func neighbouringStreamsAreNotAlike() {
    // Bits that two streams have in common: half of them, by a binomial of 64 · 4 · 64 trials.
    var same = 0
    for seed: UInt64 in 0..<64 {
      same += zip(first(seed, "a"), first(seed + 1, "a")).reduce(0) { $0 + (~($1.0 ^ $1.1)).nonzeroBitCount }
    }
    #expect(abs(Double(same) / (64 * 256) - 0.5) < 0.02)
  }

  /// Results that were published go by these numbers: a change to them is a change to every result.
  @Test func theNumbersOfAStreamStayAsTheyWere() {
    #expect(SplittableGenerator.seed(0, stream: "order") == 0xce3d_bffe_8670_93e0)
  }
}
