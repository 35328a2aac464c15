import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct PairedComparisonTests {
  @Test func mcNemarIsExact() {
    // 1 against 9 of 10: 2 (1 + 10) / 1024.
    let first = [true] + [Bool](repeating: false, count: 9) + [true]
    let second = [false] + [Bool](repeating: true, count: 9) + [true]
    let comparison = PairedComparison(first, second)
    #expect(abs(comparison.p - 22.0 / 1024) < 1e-12)
    #expect(abs(comparison.difference + 8.0 / 11) < 1e-12)
    #expect(comparison.interval.contains(comparison.difference) && comparison.interval.upperBound < 0)
    #expect(PairedComparison(first, first).p == 1)
  }

  @Test func numbersAreWrittenWithTheirDecimals() {
    #expect(
      fixed(-0.004, 2) == "0.00" && fixed(-1.005, 1) == "-1.0" && fixed(12.345, 2) == "12.35" && fixed(7, 0) == "7")
  }
}
