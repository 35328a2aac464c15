import Foundation

/// Student's t distribution.
enum StudentT {
  /// The probability of a value of at least `|t|` either way.
  static func twoSided(_ t: Double, degrees: Double) -> Double {
    t.isInfinite ? 0 : regularizedIncompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The value that a share `p` of the distribution is below, for `p` in 0.5..<1.
  static func quantile(_ p: Double, degrees: Double) -> Double {
    let tail = 2 * (1 - p)
    var high = 1.0
    while twoSided(high, degrees: degrees) > tail, high < 1e12 { high *= 2 }
    return bisection(0, high) { twoSided($0, degrees: degrees) > tail }
  }
}

/// The normal distribution.
enum Normal {
  static func cdf(_ z: Double) -> Double { 0.5 * erfc(-z / 2.0.squareRoot()) }

  /// The value that a share `p` of the distribution is below.
  static func quantile(_ p: Double) -> Double {
    guard p > 0 else { return -.infinity }
    guard p < 1 else { return .infinity }
    return bisection(-40, 40) { cdf($0) < p }
  }
}

/// The place between `low` and `high` up to which `isBelow` holds.
private func bisection(_ low: Double, _ high: Double, _ isBelow: (Double) -> Bool) -> Double {
  var (low, high) = (low, high)
  for _ in 0..<200 {
    let middle = (low + high) / 2
    if isBelow(middle) { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// I_x(a, b), by the continued fraction of DiDonato and Morris (DLMF 8.17.22) where it converges fast.
func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  guard x <= (a + 1) / (a + b + 2) else { return 1 - regularizedIncompleteBeta(1 - x, b, a) }
  let front = exp(a * log(x) + b * log1p(-x) - lgamma(a) - lgamma(b) + lgamma(a + b)) / a
  // Lentz's method; `tiny` keeps the denominators from vanishing.
  let tiny = 1e-300
  var (c, d) = (1.0, 1 - (a + b) * x / (a + 1))
  d = 1 / (abs(d) < tiny ? tiny : d)
  var fraction = d
  for m in 1...500 {
    let m = Double(m)
    for coefficient in [
      m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
      -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
    ] {
      d = 1 + coefficient * d
      d = 1 / (abs(d) < tiny ? tiny : d)
      c = 1 + coefficient / c
      if abs(c) < tiny { c = tiny }
      fraction *= c * d
    }
    if abs(c * d - 1) < 1e-15 { break }
  }
  return front * fraction
}
