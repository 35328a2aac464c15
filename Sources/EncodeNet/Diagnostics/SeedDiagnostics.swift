/// Diagnostics of the stages of one seed: they explain a verdict, and never decide one.
///
/// Everything is measured on training images: those trained on, validation images and audit images.
public struct SeedDiagnostics: Sendable, Codable, Equatable {
  /// The baseline's entropy on the images it was trained on.
  public struct Baseline: Sendable, Codable, Equatable {
    /// The mean entropy, in nats.
    public var meanEntropy: Double
    /// The median entropy, in nats.
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
    /// The baseline's entropy, in nats.
    public var entropy: Double
    /// Whether the baseline knows it.
    public var isCorrect: Bool
  }
  /// The effect of conversion on a set of images, to one classifier; shares of all of them.
  public struct Converted: Sendable, Codable, Equatable {
    public var count: Int
    /// The mean entropy, in nats.
    public var entropyBefore: Double
    public var entropyAfter: Double
    /// Images whose entropy fell and which are then taken for their class.
    public var loweredAndRight: Double
    /// Images whose entropy fell and which are then taken for another class.
    public var loweredAndWrong: Double
    /// Images that are taken for their class as they are.
    public var accuracyBefore: Double
    /// Converted images that are taken for their class.
    public var accuracyAfter: Double
  }
  /// Images as one classifier sees them: all, those below the median entropy to the baseline, and the rest.
  public struct Halves: Sendable, Codable, Equatable {
    public var all: Converted
    public var easy: Converted
    public var hard: Converted
  }
  /// A set of images.
  public enum Images: String, Sendable, Codable, CaseIterable {
    /// The images trained on.
    case training
    /// The validation images, which settings are chosen by.
    case validation
    /// The audit images, which nothing trains on or chooses by.
    case audit
  }
  /// How many images were compared with the representatives, and at what size.
  public struct Sample: Sendable, Codable, Equatable {
    public var height: Int
    public var width: Int
    public var images: Int
  }
  /// The converted images of one set.
  public struct Outcome: Sendable, Codable, Equatable {
    public var images: Images
    /// The share whose nearest representative is of their class.
    public var nearestIsOfClass: Double
    /// What that share is of, nil for all images at the size of their targets: of many images and representatives some are
    /// compared, or smaller ones.
    public var sample: Sample?
    public var byBaseline: Halves
    /// To a network that no loss has seen; nil where there is none.
    public var byJudge: Halves?
  }
  /// An autoencoder.
  public struct Conversion: Sendable, Codable, Equatable {
    /// The arms that it was trained for.
    public var arms: [String]
    /// The epochs of its training.
    public var epochs: Int
    /// A value of 0...1, over the images trained on.
    public var squaredError: Double
    /// 1 for exact, 0 for no better than the mean of all targets, over the images trained on.
    public var r2: Double
    /// The share of the images trained on whose nearest representative is their own, of the same sample as that outcome.
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
    /// The name of the network.
    public var network: String
    /// On the validation images, nil where there are none.
    public var validationAccuracy: Double?
  }
  /// The accuracy of simple classifiers on a network's features of the validation images.
  public struct Features: Sendable, Codable, Equatable {
    /// The name of the network.
    public var network: String
    /// A linear classifier by least squares.
    public var linearProbe: Double
    /// The vote of the 5 nearest images trained on.
    public var nearestNeighbours: Double
    /// The number of images trained on that both learn from and of validation images that they classify; nil for all.
    public var sample: [Int]?
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
  /// The number of directions that the representatives span: the exponential of the entropy of their normalised spectrum.
  public var effectiveRank: Double
  /// The height and width at which that was found, nil for those of the targets.
  public var rankSize: [Int]?
  /// The autoencoders, that of the arm shown in pictures first.
  public var conversions: [Conversion]
  /// nil where there is none.
  public var judge: Judge?
  /// Empty where there are no validation images.
  public var features: [Features]
  public var entropies: Histogram
}

extension SeedDiagnostics {
  /// Whether it speaks of so many classes.
  package func fits(classes: Int) -> Bool {
    (clusters.map(\.label) + representatives.map(\.label)).allSatisfy((0..<classes).contains) && entropies.top >= 0
      && !conversions.isEmpty && conversions.allSatisfy { !$0.outcomes.isEmpty && !$0.arms.isEmpty }
      && entropies.before.count == entropies.after.count && (rankSize?.count ?? 2) == 2
      && features.allSatisfy { ($0.sample?.count ?? 2) == 2 }
      && (entropies.before + entropies.after).allSatisfy((0...largestPlausibleCount).contains)
  }
}
