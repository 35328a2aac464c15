/// What the stages of one seed did, beside how well its arms classify: to understand a verdict, not to reach one.
///
/// Everything is measured on training images: those trained on, those kept for validation, and those for audit.
public struct SeedDiagnostics: Sendable, Codable, Equatable {
  /// How sure the baseline is of the images it was trained on.
  public struct Baseline: Sendable, Codable, Equatable {
    /// In nats.
    public var meanEntropy: Double
    /// In nats.
    public var medianEntropy: Double
    /// The share of images whose likeliest class has a probability above 0.9999.
    public var saturation: Double
  }
  /// The clusters of a class.
  public struct ClassClusters: Sendable, Codable, Equatable {
    public var label: Int
    /// Images in each cluster.
    public var sizes: [Int]
    public var silhouette: Double
    public var inertia: Double
    /// The adjusted Rand index of two divisions that begin at other points: 1 for the same, about 0 for unrelated ones.
    public var stability: Double
  }
  /// The image that stands for a cluster.
  public struct Representative: Sendable, Codable, Equatable {
    public var label: Int
    public var cluster: Int
    /// Into the training set.
    public var index: Int
    /// In nats, to the baseline.
    public var entropy: Double
    /// Whether the baseline knows it.
    public var isCorrect: Bool
  }
  /// What became of images when they were converted, to one classifier; shares of all of them.
  public struct Converted: Sendable, Codable, Equatable {
    public var count: Int
    /// In nats.
    public var entropyBefore: Double
    public var entropyAfter: Double
    /// Images whose entropy fell and which are then taken for their class.
    public var loweredAndRight: Double
    /// Images whose entropy fell and which are then taken for another class.
    public var loweredAndWrong: Double
    /// Images that are taken for their class as they are.
    public var accuracyBefore: Double
    /// And as they are converted.
    public var accuracyAfter: Double
  }
  /// Images as one classifier sees them: all, those below the median entropy to the baseline, and the rest.
  public struct Halves: Sendable, Codable, Equatable {
    public var all: Converted
    public var easy: Converted
    public var hard: Converted
  }
  /// Which images were looked at.
  public enum Images: String, Sendable, Codable, CaseIterable {
    /// Those trained on.
    case training
    /// Those that settings are chosen by.
    case validation
    /// Those that nothing trains on or chooses by.
    case audit
  }
  /// The converted images of one set.
  public struct Outcome: Sendable, Codable, Equatable {
    public var images: Images
    /// The share whose nearest representative is of their class.
    public var nearestIsOfClass: Double
    public var byBaseline: Halves
    /// To a network that no loss has seen; nil where there is none.
    public var byJudge: Halves?
  }
  /// An autoencoder.
  public struct Conversion: Sendable, Codable, Equatable {
    /// The arms that it was trained for.
    public var arms: [String]
    /// Of its training.
    public var epochs: Int
    /// A value of 0...1, over the images trained on.
    public var squaredError: Double
    /// 1 for exact, 0 for no better than the mean of all targets, over the images trained on.
    public var r2: Double
    /// The share of the images trained on whose nearest representative is their own.
    public var nearestIsOwn: Double
    /// Each set of images that there is.
    public var outcomes: [Outcome]

    /// The converted images of that set.
    public func outcome(on images: Images) -> Outcome? { outcomes.first { $0.images == images } }
    /// The set that says most of images not seen in training: for audit, else for validation, else those trained on.
    public var unseen: Outcome? { outcome(on: .audit) ?? outcome(on: .validation) ?? outcome(on: .training) }
  }
  /// The network that judges converted images beside the baseline, and takes part in nothing else.
  public struct Judge: Sendable, Codable, Equatable {
    /// What it is.
    public var network: String
    /// On the images kept for validation, nil where none are.
    public var validationAccuracy: Double?
  }
  /// How well simple classifiers do on what a network sees, on the images kept for validation.
  public struct Features: Sendable, Codable, Equatable {
    /// Of whose features.
    public var network: String
    /// A linear classifier by least squares.
    public var linearProbe: Double
    /// The vote of the 5 nearest images trained on.
    public var nearestNeighbours: Double
  }
  /// Images by entropy, in equal parts of 0...``top`` nats.
  public struct Histogram: Sendable, Codable, Equatable {
    public var top: Double
    public var before: [Int]
    public var after: [Int]
  }

  public var baseline: Baseline
  public var clusters: [ClassClusters]
  public var representatives: [Representative]
  /// The least distance between representatives of two classes, as the root mean square over values of 0...1; nil for one class.
  public var leastDistance: Double?
  /// How many directions the representatives span: the exponential of the entropy of their normalised spectrum.
  public var effectiveRank: Double
  /// That of the arm shown in pictures first.
  public var conversions: [Conversion]
  /// nil where there is none.
  public var judge: Judge?
  /// Empty where no images are kept for validation.
  public var features: [Features]
  public var entropies: Histogram
}

extension SeedDiagnostics {
  /// Whether it speaks of so many classes.
  package func fits(classes: Int) -> Bool {
    (clusters.map(\.label) + representatives.map(\.label)).allSatisfy((0..<classes).contains) && entropies.top >= 0
      && !conversions.isEmpty && conversions.allSatisfy { !$0.outcomes.isEmpty && !$0.arms.isEmpty }
      && entropies.before.count == entropies.after.count
      && (entropies.before + entropies.after).allSatisfy((0...largestPlausibleCount).contains)
  }
}
