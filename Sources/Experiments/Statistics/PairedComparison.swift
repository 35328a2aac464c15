import Foundation

/// Two classifiers on the same test images: what one has right and the other wrong.
public struct PairedComparison: Sendable, Codable, Hashable {
  /// Images that the first alone has right.
  public var onlyFirst: Int
  /// Images that the second alone has right.
  public var onlySecond: Int
  /// All images.
  public var count: Int

  /// - Precondition: Both speak of the same images.
  public init(_ first: [Bool], _ second: [Bool]) {
    require(first.count == second.count, "PairedComparison: \(first.count) and \(second.count) images")
    onlyFirst = zip(first, second).count { $0 && !$1 }
    onlySecond = zip(first, second).count { !$0 && $1 }
    count = first.count
  }

  /// The accuracy of the first less that of the second.
  public var difference: Double { Double(onlyFirst - onlySecond) / Double(max(count, 1)) }

  /// The exact two-sided p of McNemar's test: a fair coin for each image on which the two differ.
  public var p: Double {
    let n = onlyFirst + onlySecond
    let whole = lgamma(Double(n + 1)) - Double(n) * log(2)
    var tail = 0.0
    // Terms fall from the middle outwards.
    for k in (0...min(onlyFirst, onlySecond)).reversed() {
      let term = exp(whole - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1)))
      tail += term
      if term <= tail * 1e-18 { break }
    }
    return min(1, 2 * tail)
  }

  /// About 95 % of the difference over test sets like this one: Agresti and Min's adjusted Wald interval, 2005.
  ///
  /// It says nothing of how the difference varies over seeds.
  public var interval: ClosedRange<Double> {
    let (b, c, n) = (Double(onlyFirst) + 0.5, Double(onlySecond) + 0.5, Double(count) + 2)
    let middle = (b - c) / n
    let half = 1.959964 * (b + c - (b - c) * (b - c) / n).squareRoot() / n
    return max(-1, middle - half)...min(1, middle + half)
  }
}
