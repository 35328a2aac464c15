import Foundation

/// Statistics of the differences between two arms over the same seeds.
public struct PairedDifferences: Sendable, Codable, Hashable {
  /// The difference of each seed.
  public let values: [Double]
  /// Their mean.
  public let mean: Double
  /// Their standard deviation (n - 1), 0 for one seed.
  public let std: Double
  /// 95 % of the mean by Student's t; nil for one seed.
  public let tInterval: [Double]?
  /// 95 % of the mean by the bootstrap, bias-corrected and accelerated; nil for one seed.
  public let bootstrapInterval: [Double]?
  /// The two-sided p of the paired t test; 1 for one seed.
  public let tP: Double
  /// The two-sided p of all ways to flip the signs, or 100,000 drawn ones from 17 seeds on; with n seeds at least `2 / 2ⁿ`.
  public let signFlipP: Double

  /// The names in JSON: those of version 3 of reports.
  private enum CodingKeys: String, CodingKey {
    case values, mean, tInterval, bootstrapInterval, tP, signFlipP
    case std = "deviation"
  }

  /// - Precondition: There is at least one value.
  public init(_ values: [Double]) {
    require(!values.isEmpty, "PairedDifferences: there are no differences")
    self.values = values
    let n = Double(values.count)
    mean = values.reduce(0, +) / n
    guard values.count > 1 else {
      (std, tInterval, bootstrapInterval, tP, signFlipP) = (0, nil, nil, 1, 1)
      return
    }
    let mean = mean
    std = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot()
    let error = std / n.squareRoot()
    let half = StudentT.quantile(0.975, degrees: n - 1) * error
    tInterval = [mean - half, mean + half]
    tP = error > 0 ? StudentT.twoSided(mean / error, degrees: n - 1) : mean == 0 ? 1 : 0
    signFlipP = Self.signFlipP(values)
    bootstrapInterval = bootstrapBCa(values)
  }

  /// Fisher's randomization test for paired differences: the share of sign changes whose mean is as far from 0.
  private static func signFlipP(_ values: [Double]) -> Double {
    let observed = abs(values.reduce(0, +)) * (1 - 1e-12)
    guard values.count > 16 else {
      let ways = 1 << values.count
      let far = (0..<ways).count { way in
        abs(values.indices.reduce(0) { $0 + (way >> $1 & 1 == 0 ? values[$1] : -values[$1]) }) >= observed
      }
      return Double(far) / Double(ways)
    }
    var generator = SplittableGenerator(seed: 0x519)
    let draws = 100_000
    let far = (0..<draws).count { _ in
      abs(values.reduce(0) { $0 + (Bool.random(using: &generator) ? $1 : -$1) }) >= observed
    }
    // The observed signs are one of the ways.
    return Double(far + 1) / Double(draws + 1)
  }
}

/// The 95 % interval of the mean of `values` by the bias-corrected and accelerated bootstrap; nil for fewer than two.
///
/// Efron: "Better bootstrap confidence intervals", 1987. Where all values are equal it is a point.
func bootstrapBCa(_ values: [Double], resamples: Int = 9999, seed: UInt64 = 0xb007) -> [Double]? {
  let n = values.count
  guard n > 1 else { return nil }
  let sum = values.reduce(0, +)
  let mean = sum / Double(n)
  var generator = SplittableGenerator(seed: seed)
  let means = (0..<resamples).map { _ in
    (0..<n).reduce(0) { total, _ in total + values[Int.random(in: 0..<n, using: &generator)] } / Double(n)
  }.sorted()
  guard means[0] < means[resamples - 1] else { return [mean, mean] }
  // Equal means count half, as SciPy has it.
  let below = Double(means.count { $0 < mean }) + Double(means.count { $0 == mean }) / 2
  let bias = Normal.quantile(below / Double(resamples))
  let jackknife = values.map { (sum - $0) / Double(n - 1) }
  let centre = jackknife.reduce(0, +) / Double(n)
  let (cubes, squares) = jackknife.reduce((0.0, 0.0)) {
    let d = centre - $1
    return ($0.0 + d * d * d, $0.1 + d * d)
  }
  let acceleration = cubes / (6 * pow(squares, 1.5))
  return [0.025, 0.975].map { p in
    let z = bias + Normal.quantile(p)
    let share = Normal.cdf(bias + z / (1 - acceleration * z))
    // Between the two nearest, as NumPy's percentile has it.
    let place = min(max(share, 0), 1) * Double(resamples - 1)
    let low = Int(place)
    let high = min(low + 1, resamples - 1)
    return means[low] + (means[high] - means[low]) * (place - Double(low))
  }
}

/// Holm's p values for several tests at once, in the order of `ps`: each is the chance of any false finding up to it.
///
/// Holm: "A simple sequentially rejective multiple test procedure", 1979.
func holmAdjusted(_ ps: [Double]) -> [Double] {
  var (adjusted, least) = (ps, 0.0)
  for (rank, index) in ps.indices.sorted(by: { (ps[$0], $0) < (ps[$1], $1) }).enumerated() {
    least = max(least, min(1, ps[index] * Double(ps.count - rank)))
    adjusted[index] = least
  }
  return adjusted
}
