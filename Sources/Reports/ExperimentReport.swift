/// The report of an experiment as one document; `Docs/report.schema.json` is its schema.
public struct ExperimentReport: Sendable, Codable, Equatable {
  /// A description of the run.
  public struct Run: Sendable, Codable, Equatable {
    /// The version of this library.
    public var library: String
    /// The data's name.
    public var data: String
    /// The data's fingerprint.
    public var dataFingerprint: String
    /// The fingerprint of the images trained on, the validation images and the audit images.
    public var splitFingerprint: String
    /// Images trained on.
    public var training: Int
    /// Validation images.
    public var validation: Int
    /// Whether the set has them itself; nil where they were drawn from its training images.
    public var hasOwnValidation: Bool?
    /// Images that conversion is judged with, and nothing is trained or chosen by.
    public var audit: Int
    /// Images tested on.
    public var test: Int
    /// Images trained on that are also test images, byte for byte.
    public var leaked: Int
    /// Threads of each seed.
    public var threads: [Int]
    /// The budget of each arm, in full-backprop-equivalent epochs.
    public var budget: Double
    /// The file of a baseline that was given and not trained here, nil where it was trained.
    public var givenBaseline: String?
  }
  /// The learning curve of one seed.
  public struct Curve: Sendable, Codable, Equatable {
    public var seed: UInt64
    /// The mean training loss of each epoch.
    public var loss: [Double]
    /// The validation accuracy of each epoch, nil where there was none.
    public var validation: [Double?]
  }
  /// One way of spending the budget, over all seeds.
  public struct Arm: Sendable, Codable, Equatable {
    /// Its name in reports.
    public var id: String
    /// A description in a few words.
    public var name: String
    /// The share of right answers on the test images, for each seed.
    public var accuracies: [Double]
    /// Their mean.
    public var mean: Double
    /// Their standard deviation, 0 for one seed.
    public var std: Double
    /// The share of images whose class is among the five likeliest; this and those below are means over seeds.
    public var top5: Double
    /// The cross-entropy, in nats.
    public var loss: Double
    /// The expected calibration error.
    public var calibrationError: Double
    /// The mean entropy of the answers, in nats.
    public var entropy: Double
    /// The accuracy on corrupted test images; see ``Corruption``.
    public var robustness: [String: Double]
    /// The accuracy on the quartiles of the test images by the first arm's entropy, least first.
    public var quartiles: [Double]
    /// The confusion matrix: the number of test images of class `row` that were taken for class `column`, over all seeds.
    public var confusion: ConfusionMatrix
    /// Accuracy by confidence, over all seeds.
    public var reliability: [ReliabilityBin]
    /// The budget spent on it.
    public var budget: TrainingBudget
    /// Whether that differs by more than 2 % from what each arm may cost.
    public var isUnequal: Bool
    /// The time of its epochs and of those of everything it was made from, the mean over seeds.
    public var seconds: Double
    /// At inference.
    public var inference: Inference
    /// One for each seed.
    public var curves: [Curve]

    /// The names in JSON: those of version 3.
    private enum CodingKeys: String, CodingKey {
      case id, name, accuracies, mean, top5, loss, calibrationError, entropy, robustness, confusion, reliability, budget
      case isUnequal, seconds, inference, curves
      case std = "deviation"
      case quartiles = "quarters"
    }
  }
  /// The diagnostics of one seed.
  public struct Seed: Sendable, Codable, Equatable {
    public var seed: UInt64
    /// nil where no arm converts.
    public var diagnostics: SeedDiagnostics?
  }

  /// The version of documents that this library writes.
  static let version = 4
  /// The version of this document.
  public var version = ExperimentReport.version
  public var run: Run
  /// The settings.
  public var configuration: ExperimentConfiguration
  /// The classes' names.
  public var classNames: [String]
  /// The arms, in the order of the settings.
  public var arms: [Arm]
  /// The primary one first.
  public var comparisons: [Comparison]
  /// The seeds, in the order of the settings.
  public var seeds: [Seed]
  /// The findings in words.
  public var diagnosis: [String]

  func arm(_ id: String) -> Arm? { arms.first { $0.id == id } }
  /// The id of the arm that is trained as those settings say.
  func id(of settings: ArmSettings) -> String? { configuration.arms.first { $0.isSameMethod(as: settings) }?.id }
  var baseline: Arm? { configuration.arms.first(where: \.isBaseline).flatMap { arm($0.id) } }

  /// The comparison that the experiment is for.
  public var primary: Comparison? { comparisons.first { $0.family == .primary } }

  /// The sentence that says what was found, and no more.
  public var verdict: String {
    guard let primary, let first = arm(primary.first), let second = arm(primary.second) else {
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
}
