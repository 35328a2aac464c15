/// What an experiment found, as one document; `Docs/report.schema.json` is its schema.
public struct ExperimentReport: Sendable, Codable, Equatable {
  /// What was run.
  public struct Run: Sendable, Codable, Equatable {
    /// The version of this library.
    public var library: String
    /// The data's name.
    public var data: String
    /// The data's fingerprint.
    public var dataFingerprint: String
    /// That of the images trained on, kept for validation, and kept for audit.
    public var splitFingerprint: String
    /// Images trained on.
    public var training: Int
    /// Images kept for validation.
    public var validation: Int
    /// Images that conversion is judged with, and nothing is trained or chosen by.
    public var audit: Int
    /// Images tested on.
    public var test: Int
    /// Images trained on that are also test images, byte for byte.
    public var leaked: Int
    /// Threads of each seed.
    public var threads: [Int]
    /// What each arm may cost, in full-backprop-equivalent epochs.
    public var budget: Double
    /// The file of a baseline that was given and not trained here, nil where it was trained.
    public var givenBaseline: String?
  }
  /// How training went for one seed.
  public struct Curve: Sendable, Codable, Equatable {
    public var seed: UInt64
    /// The mean training loss of each epoch.
    public var loss: [Double]
    /// The validation accuracy of each epoch, nil where there was none.
    public var validation: [Double?]
  }
  /// One way of spending the budget, over all seeds.
  public struct Arm: Sendable, Codable, Equatable {
    /// What reports call it.
    public var id: String
    /// What it is.
    public var name: String
    /// The share of right answers on the test images, for each seed.
    public var accuracies: [Double]
    /// Their mean.
    public var mean: Double
    /// Their standard deviation, 0 for one seed.
    public var deviation: Double
    /// The share of images whose class is among the five likeliest; this and those below are means over seeds.
    public var top5: Double
    /// The cross-entropy, in nats.
    public var loss: Double
    /// The expected calibration error.
    public var calibrationError: Double
    /// The mean entropy of the answers, in nats.
    public var entropy: Double
    /// The accuracy on damaged test images; see ``Damage``.
    public var robustness: [String: Double]
    /// The accuracy on the quarters of the test images by the first arm's entropy, least first.
    public var quarters: [Double]
    /// How many test images of class `row` were taken for class `column`, over all seeds.
    public var confusion: [[Int]]
    /// Accuracy by confidence, over all seeds.
    public var reliability: [ReliabilityBin]
    /// What it cost.
    public var budget: TrainingBudget
    /// Whether that differs by more than 2 % from what each arm may cost.
    public var isUnequal: Bool
    /// What its epochs took with those of everything it was made from, the mean over seeds.
    public var seconds: Double
    /// At inference.
    public var inference: Inference
    /// One for each seed.
    public var curves: [Curve]
  }
  /// What a network costs when it is used.
  public struct Inference: Sendable, Codable, Hashable {
    /// Scalars in all parameters.
    public var parameters: Int
    /// Multiply-adds for one image.
    public var multiplyAdds: Int
    /// Milliseconds for a batch of 1, the median of several.
    public var latency1: Double
    /// Milliseconds for a batch of 128, the median of several.
    public var latency128: Double
    /// Bytes of all parameters in single precision.
    public var bytes: Int { parameters * 4 }
  }
  /// What the stages of one seed did.
  public struct Seed: Sendable, Codable, Equatable {
    public var seed: UInt64
    /// nil where no arm converts.
    public var diagnostics: SeedDiagnostics?
  }

  /// Of this document.
  public var version = 3
  public var run: Run
  /// The settings.
  public var configuration: ExperimentConfiguration
  /// The classes' names.
  public var classNames: [String]
  /// In the order of the settings.
  public var arms: [Arm]
  /// The primary one first.
  public var comparisons: [Comparison]
  /// In the order of the settings.
  public var seeds: [Seed]
  /// What the figures mean, in words.
  public var diagnosis: [String]

  /// The arm of that id.
  func arm(_ id: String) -> Arm? { arms.first { $0.id == id } }

  /// The comparison that the experiment is for.
  public var primary: Comparison? { comparisons.first { $0.family == .primary } }

  /// The sentence that says what was found, and no more.
  public var verdict: String {
    guard let primary, let (first, second) = both(primary) else {
      return "Nothing was compared: there is one arm."
    }
    let d = primary.differences
    let outcome =
      switch primary.verdict {
      case .improves: "improves on"
      case .worse: "is worse than"
      case .inconclusive: "cannot be told from"
      }
    var text =
      "\(first.name.first!.uppercased() + first.name.dropFirst()) (\(first.id)) \(outcome) \(second.name) (\(second.id))"
    text += " at equal budget" + (first.isUnequal || second.isUnequal ? ", which is not equal here" : "")
    text += ": \(signed(100 * d.mean)) points"
    if let interval = d.tInterval {
      text +=
        " over \(d.values.count) seeds, 95 % interval \(signed(100 * interval[0])) to \(signed(100 * interval[1]))"
    }
    return text + ". Verdict: \(primary.verdict.rawValue)" + (d.values.count == 1 ? ", as always with one seed." : ".")
  }

  private func both(_ comparison: Comparison) -> (Arm, Arm)? {
    guard let first = arm(comparison.first), let second = arm(comparison.second) else { return nil }
    return (first, second)
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

/// A p value: 0.0004 as "<0.001".
func probability(_ p: Double) -> String { p < 0.001 ? "<0.001" : fixed(p, 3) }

/// `value` with so many decimals, whatever the locale.
func fixed(_ value: Double, _ decimals: Int) -> String {
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  guard abs(value) * scale < 9e15 else { return "\(value)" }
  let all = Int((abs(value) * scale).rounded())
  let text = String(all)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - text.count)) + text
  let sign = value < 0 && all > 0 ? "-" : ""
  return sign + padded.dropLast(decimals) + (decimals > 0 ? "." + padded.suffix(decimals) : "")
}

/// `value` with two decimals and its sign.
func signed(_ value: Double) -> String {
  let text = fixed(value, 2)
  return text.hasPrefix("-") ? "−" + text.dropFirst() : "+" + text
}
