import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct ComparisonTests {
  /// Images that the first arm has right more often than the second, for each seed.
  private func comparison(_ family: Comparison.Family = .primary, gains: [Int], images: Int = 1000) -> Comparison {
    func right(_ count: Int) -> [Bool] { (0..<images).map { $0 < count } }
    func confusion(_ count: Int) -> ConfusionMatrix { [[count, images - count], [0, 1]] }
    let (first, second) = (gains.map { 800 + $0 }, gains.map { _ in 800 })
    return Comparison(
      family, "a", "b", rightFirst: first.map(right), rightSecond: second.map(right),
      confusions: (first.map(confusion), second.map(confusion)))
  }

  @Test func aSteadyGainImprovesAndASteadyLossIsWorse() {
    #expect(comparison(gains: [40, 45, 38]).verdict == .improves)
    #expect(comparison(gains: [-40, -45, -38]).verdict == .worse)
  }

  @Test func oneSeedIsInconclusiveWhateverItsGain() {
    #expect(comparison(gains: [150]).verdict == .inconclusive)
  }

  @Test func gainsThatVaryWithTheSeedAreInconclusive() {
    #expect(comparison(gains: [40, -10, 25]).verdict == .inconclusive)
  }

  @Test func theSameSmallGainInEverySeedMayBeTheImagesChance() {
    // One image in a thousand, the same every time: no spread over seeds, and yet nothing.
    let single = comparison(gains: [1, 1, 1])
    #expect(single.differences.tP == 0 && single.imageP > 0.05)
    #expect(single.verdict == .inconclusive)
  }

  @Test func manyComparisonsOfAFamilyNeedMore() {
    let gains = [[30, 45, 20], [3, -4, 0], [1, 0, -2], [0, 2, 0], [-1, 4, 2], [5, 0, 1]]
    let alone = comparison(.alternatives, gains: gains[0])
    #expect(alone.verdict == .improves)
    let all = Comparison.adjust(gains.map { comparison(.alternatives, gains: $0) })
    #expect(all[0].adjustedP > alone.adjustedP && all[0].verdict == .inconclusive)
    // Another family is not touched.
    #expect(Comparison.adjust(all + [comparison(gains: gains[0])]).last?.verdict == .improves)
  }
}
