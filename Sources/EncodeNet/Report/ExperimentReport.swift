/// What an experiment found, as one document.
public struct ExperimentReport: Sendable, Codable, Equatable {
  /// One way of training, measured once on the test images.
  public struct Arm: Sendable, Codable, Equatable {
    /// "A0" to "A4".
    public var id: String
    /// What it is.
    public var name: String
    /// Right answers on the test images.
    public var correct: Int
    /// Test images.
    public var total: Int
    /// Scalars in all parameters at inference.
    public var parameters: Int
    /// Multiply-adds for one image.
    public var multiplyAdds: Int
    /// Milliseconds for a batch of 1, the median of several.
    public var latency1: Double
    /// Milliseconds for a batch of 128, the median of several.
    public var latency128: Double
    /// What it cost.
    public var budget: TrainingBudget
    /// Whether that differs by more than 2 % from what A3 cost.
    public var isUnequal: Bool
    /// The class given to each test image.
    public var predictions: [Int]
    /// How many test images of class `row` were taken for class `column`.
    public var confusion: [[Int]]

    /// The share of right answers.
    public var accuracy: Double { Double(correct) / Double(max(total, 1)) }
  }
  /// EncodeNet against another arm.
  public struct Comparison: Sendable, Codable, Equatable {
    /// The arm compared.
    public var first: String
    /// The arm it is compared with.
    public var second: String
    /// The paired counts.
    public var counts: PairedComparison
    /// The accuracy of the first less that of the second.
    public var difference: Double
    /// About 95 %, over test sets.
    public var interval: [Double]
    /// McNemar's exact p.
    public var p: Double
    /// Always "inconclusive" here: one seed shows nothing of how the difference varies over seeds.
    public var verdict: String
  }

  /// Of this document.
  public var version = 1
  /// The data's name.
  public var data: String
  /// The data's fingerprint.
  public var dataFingerprint: String
  /// Images trained on, kept for validation, and tested on.
  public var counts: [Int]
  /// The settings.
  public var configuration: ExperimentConfiguration
  /// The classes' names.
  public var classNames: [String]
  /// The arms, A0 first.
  public var arms: [Arm]
  /// A3 and A4 against A0, A1 and A2.
  public var comparisons: [Comparison]
  /// The clusters, as indices into the training set.
  public var clusters: Clusters
  /// The representatives, as indices into the training set.
  public var representatives: Representatives
  /// Mean entropy of the training images before and after conversion, in nats.
  public var meanEntropies: [Double]
  /// The entropy of each training image, before conversion.
  public var entropiesBefore: [Double]
  /// The entropy of each converted training image, to the baseline.
  public var entropiesAfter: [Double]
  /// How each stage's training went.
  public var curves: [String: LearningCurves]
  /// What the figures mean, in words.
  public var diagnosis: [String]

  /// The sentence that says what was found, and no more.
  public var verdict: String {
    guard let main = comparisons.first(where: { $0.first == "A3" && $0.second == "A2" }) else { return "" }
    let points = { (x: Double) in fixed(100 * x, 2) }
    return "EncodeNet (A3) against continued training (A2): \(main.verdict) with one seed; "
      + "difference \(points(main.difference)) points, 95 % interval \(points(main.interval[0])) to "
      + "\(points(main.interval[1])), McNemar p = \(fixed(main.p, 3))."
  }
}

/// 269434 as "269,434".
func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { text, i in
    if i > 0 && (digits.count - i) % 3 == 0 { text += "," }
    text.append(digits[i])
  }
}

/// `value` with so many decimals, whatever the locale.
func fixed(_ value: Double, _ decimals: Int) -> String {
  guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let all = Int((abs(value) * scale).rounded())
  let text = String(all)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - text.count)) + text
  let sign = value < 0 && all > 0 ? "-" : ""
  return sign + padded.dropLast(decimals) + (decimals > 0 ? "." + padded.suffix(decimals) : "")
}
