import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct StatisticsTests {
  struct Numbers: Decodable {
    struct Differences: Decodable {
      let values: [Double]
      let p: Double
      let interval: [Double]
      let flipP: Double
      let bca: [Double]?
    }
    let differences: [Differences]
    let beta: [[Double]]
    let quantiles: [[Double]]
    let normal: [[Double]]
    let holm: [[Double]]
    let mcnemar: [[Double]]
  }

  private func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(a - b) <= tolerance * max(1, abs(b))
  }

  @Test func distributionsAreSciPys() throws {
    let numbers: Numbers = try fixture("statistics", in: .module)
    for row in numbers.beta {
      let found = regularizedIncompleteBeta(row[0], row[1], row[2])
      #expect(isClose(found, row[3]), "I(\(row[0]); \(row[1]), \(row[2])) is \(found), not \(row[3])")
    }
    for row in numbers.quantiles {
      let found = StudentT.quantile(row[0], degrees: row[1])
      #expect(isClose(found, row[2]), "t at \(row[0]) of \(row[1]) is \(found), not \(row[2])")
    }
    for row in numbers.normal {
      let found = Normal.quantile(row[0])
      #expect(isClose(found, row[1], 1e-7), "z at \(row[0]) is \(found), not \(row[1])")
    }
  }

  @Test func pairedDifferencesAreSciPys() throws {
    let numbers: Numbers = try fixture("statistics", in: .module)
    #expect(numbers.differences.count == 8)
    for sample in numbers.differences {
      let found = PairedDifferences(sample.values)
      #expect(isClose(found.tP, sample.p), "t p of \(sample.values): \(found.tP), not \(sample.p)")
      #expect(
        isClose(found.signFlipP, sample.flipP),
        "sign-flip p of \(sample.values): \(found.signFlipP), not \(sample.flipP)")
      let interval = try #require(found.tInterval)
      #expect(isClose(interval[0], sample.interval[0]) && isClose(interval[1], sample.interval[1]), "\(interval)")
      // The bootstrap draws: what it finds varies by its own standard error.
      guard let bca = sample.bca, let interval = found.bootstrapInterval else { continue }
      let width = bca[1] - bca[0]
      #expect(
        abs(interval[0] - bca[0]) < 0.04 * width && abs(interval[1] - bca[1]) < 0.04 * width, "\(interval) for \(bca)")
    }
  }

  @Test func holmAndMcNemarAreExact() throws {
    let numbers: Numbers = try fixture("statistics", in: .module)
    for (found, expected) in zip(holmAdjusted(numbers.holm[0]), numbers.holm[1]) { #expect(isClose(found, expected)) }
    for row in numbers.mcnemar {
      let (b, c) = (Int(row[0]), Int(row[1]))
      let first = [Bool](repeating: true, count: b) + [Bool](repeating: false, count: c)
      #expect(isClose(PairedComparison(first, first.map { !$0 }).p, row[2]))
    }
  }

  @Test func oneSeedAndEqualSeedsSayWhatTheyCan() {
    let single = PairedDifferences([0.3])
    #expect(single.tInterval == nil && single.tP == 1 && single.bootstrapInterval == nil)
    let equal = PairedDifferences([0.2, 0.2, 0.2])
    #expect(equal.bootstrapInterval == [equal.mean, equal.mean] && equal.signFlipP == 0.25)
    #expect(PairedDifferences([0, 0, 0]).tP == 1)
  }

  @Test func aBootstrapIntervalHoldsTheMeanAsOftenAsItSays() {
    var generator = SplittableGenerator(seed: 12)
    let runs = 300
    let covered = (0..<runs).count { _ in
      let values = Tensor.normal([12], using: &generator).scalars.map { Double($0) + 1 }
      let interval = bootstrapBCa(values, resamples: 999)!
      return interval[0] <= 1 && 1 <= interval[1]
    }
    // 95 % is nominal; with 12 values the bootstrap is known to hold a little less.
    #expect(Double(covered) / Double(runs) > 0.87, "\(covered) of \(runs)")
  }

  @Test func manySignFlipsAreDrawn() {
    let values = (0..<20).map { 0.5 + Double($0 % 5) * 0.1 }
    #expect(PairedDifferences(values).signFlipP < 1e-4)
    #expect(PairedDifferences(values.enumerated().map { $0 % 2 == 0 ? $1 : -$1 }).signFlipP > 0.3)
  }

  @Test func agreementOfDivisionsIsCorrectedForChance() {
    #expect(adjustedRandIndex([0, 0, 1, 1], [1, 1, 0, 0]) == 1)
    // Scikit-learn's documentation has 0.57 for these.
    #expect(isClose(adjustedRandIndex([0, 0, 1, 2], [0, 0, 1, 1]), 0.571_428_571_4, 1e-9))
    #expect(adjustedRandIndex([0, 0, 0, 0], [0, 0, 0, 0]) == 1)
  }
}
