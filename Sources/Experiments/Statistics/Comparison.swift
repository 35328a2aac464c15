import Foundation

/// The conclusion about a difference.
public enum Verdict: String, Sendable, Codable, Hashable, CaseIterable {
  /// The first arm is better, whichever seed and whichever test images of this kind.
  case improves
  /// The first arm is worse.
  case worse
  /// Neither can be said; with one seed nothing else can.
  case inconclusive
}

/// One arm against another over the same seeds and test images.
public struct Comparison: Sendable, Codable, Equatable {
  /// Why the two are compared. Each family has its own adjustment for the number of its comparisons.
  public enum Family: String, Sendable, Codable, Hashable, CaseIterable {
    /// The one question of the experiment, settled before it: EncodeNet against continued training.
    case primary
    /// EncodeNet against the other arms.
    case alternatives
    /// The value of a part of the method.
    case attribution
  }

  public var family: Family
  /// The part of the method whose value the difference is, in attribution.
  public var part: String?
  /// The arm compared.
  public var first: String
  /// The arm it is compared with.
  public var second: String
  /// The accuracy of the first less that of the second, for each seed.
  public var differences: PairedDifferences
  /// Holm's p of the paired t test, within the family.
  public var adjustedP: Double
  /// The two-sided p over test images, each counted by its mean over the seeds: whether other images would say the same.
  public var imageP: Double
  /// McNemar's test for each seed.
  public var mcNemar: [PairedComparison]
  /// The difference for each class, the mean over seeds.
  public var classDifferences: [Double]
  public var verdict: Verdict

  /// Compares two arms; ``adjustedP`` and ``verdict`` are those of a comparison alone, until ``adjust(_:)``.
  ///
  /// - Parameters:
  ///   - rightFirst: For each seed, whether the first arm has each test image right.
  ///   - rightSecond: The same of the second arm.
  ///   - confusions: Of both arms, for each seed.
  package init(
    _ family: Family, part: String? = nil, _ first: String, _ second: String, rightFirst: [[Bool]],
    rightSecond: [[Bool]], confusions: (first: [ConfusionMatrix], second: [ConfusionMatrix])
  ) {
    (self.family, self.part, self.first, self.second) = (family, part, first, second)
    mcNemar = zip(rightFirst, rightSecond).map { PairedComparison($0, $1) }
    differences = PairedDifferences(mcNemar.map(\.difference))
    adjustedP = differences.tP
    imageP = Self.imageP(rightFirst, rightSecond)
    let classes = confusions.first[0].count
    func accuracy(_ seeds: [ConfusionMatrix], _ label: Int) -> Double { seeds.mean { $0.accuracy(of: label) } }
    classDifferences = (0..<classes).map { accuracy(confusions.first, $0) - accuracy(confusions.second, $0) }
    verdict = .inconclusive
    judge()
  }

  private static func imageP(_ first: [[Bool]], _ second: [[Bool]]) -> Double {
    let (seeds, images) = (first.count, first[0].count)
    let means = (0..<images).map { image in
      (0..<seeds).reduce(0.0) { $0 + (first[$1][image] ? 1 : 0) - (second[$1][image] ? 1 : 0) } / Double(seeds)
    }
    let mean = means.reduce(0, +) / Double(images)
    let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(images - 1, 1))
    guard variance > 0 else { return mean == 0 ? 1 : 0 }
    return erfc(abs(mean) / (variance / Double(images)).squareRoot() / 2.0.squareRoot())
  }

  /// A difference must hold over seeds, by both intervals, and over images.
  private mutating func judge() {
    verdict = .inconclusive
    guard let bootstrap = differences.bootstrapInterval, adjustedP < 0.05, imageP < 0.05 else { return }
    if bootstrap[0] > 0 { verdict = .improves }
    if bootstrap[1] < 0 { verdict = .worse }
  }

  /// Adjusts each family for the number of its comparisons, and judges again.
  package static func adjust(_ comparisons: [Comparison]) -> [Comparison] {
    var result = comparisons
    for family in Family.allCases {
      let members = result.indices.filter { result[$0].family == family }
      for (index, p) in zip(members, holmAdjusted(members.map { result[$0].differences.tP })) {
        result[index].adjustedP = p
        result[index].judge()
      }
    }
    return result
  }
}
