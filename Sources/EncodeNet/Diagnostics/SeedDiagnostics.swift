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

extension ExperimentRun {
  /// Whether the diagnostics speak of the conversion of `arm`: into the representatives that were found.
  private func isSubject(_ arm: Arm) -> Bool {
    guard arm.method == nil, let conversion = arm.conversion else { return false }
    return conversion.target == .representative && conversion.clusters == .found
  }

  /// The arms whose conversion is looked at, that shown in pictures first: the paper's, with the encoder frozen.
  var subjects: [Arm] {
    let all = configuration.arms.filter(isSubject)
    let shown =
      all.first { $0.transfer == .frozenEncoder && $0.conversion == Conversion() } ?? all.first {
        $0.conversion == Conversion()
      } ?? all.first
    return shown.map { first in [first] + all.filter { $0.id != first.id } } ?? []
  }

  /// What the stages did, and pictures of it; nil where no arm converts as the paper does.
  func diagnostics() throws -> (SeedDiagnostics, Gallery)? {
    guard let first = subjects.first else { return nil }
    let base = try baseline()
    let found = try clustering(base)
    var stages: [(arms: [String], epochs: Int, stage: ConversionStage)] = []
    for arm in subjects {
      let (epochs, stage) = (try plan(arm).conversionEpochs, try conversion(arm))
      if let same = stages.firstIndex(where: { $0.stage.key == stage.key }) {
        stages[same].arms.append(arm.id)
      } else {
        stages.append(([arm.id], epochs, stage))
      }
    }
    let judge = try judge()
    let key = try stageKey(stages.map(\.stage.key), stages.map(\.arms), configuration.judge, audit, 2)
    let view = ConversionView(self, base.model, judge?.model, found)
    let diagnostics = try store.value("diagnostics", key: key) {
      let networks = try [
        ("the baseline", parts(of: base.model).features), ("the converting encoder", stages[0].stage.gcae!.encoder),
        ("the arm \(first.id)", parts(of: trained(first).model).features),
      ]
      return try view.diagnostics(
        stages.map { ($0.arms, $0.epochs, $0.stage.gcae!) }, judge: judge.map { ($0.name, $0.model) },
        features: networks.compactMap { try features(of: $1, named: $0) })
    } fits: {
      $0.fits(classes: training.classCount)
    }
    let gallery = try store.value("gallery", key: key) {
      view.gallery(stages[0].stage.gcae!)
    } fits: {
      $0.fits(classes: training.classCount)
    }
    return (diagnostics, gallery)
  }

  /// How far `stage` converts the images trained on and those kept for validation, to choose settings by: nil for a control
  /// that makes no images.
  ///
  /// Audit images are not looked at: what is chosen by them judges nothing any more.
  public func conversionOutcome(
    _ stage: ConversionStage, _ baseline: TrainedArm, _ clustering: ClusteringStage
  ) throws -> SeedDiagnostics.Conversion? {
    guard let gcae = stage.gcae else { return nil }
    let view = ConversionView(self, baseline.model, try judge()?.model, clustering)
    return view.conversion(gcae, sets: view.sets(withAudit: false)) { _ in }
  }

  private func features(of layer: any Layer, named name: String) throws -> SeedDiagnostics.Features? {
    guard let validationSet else { return nil }
    let held = validationSet.batches
    let (x, y) = (
      outputs(of: layer, on: inOrder(images)) { $0.averagedOverSpace },
      outputs(of: layer, on: held) { $0.averagedOverSpace }
    )
    let (own, theirs) = (images.labels, held.dataset.labels)
    func accuracy(_ guesses: [Int]) -> Double {
      Double(zip(guesses, theirs).count { $0 == $1 }) / Double(theirs.count)
    }
    return SeedDiagnostics.Features(
      network: name, linearProbe: accuracy(try linearProbe(x, own, classes: training.classCount, on: y)),
      nearestNeighbours: accuracy(nearestNeighbours(x, own, classes: training.classCount, on: y)))
  }
}

/// The classes that ridge regression on `points` gives `others`.
func linearProbe(_ points: Tensor, _ labels: [Int], classes: Int, on others: Tensor) throws -> [Int] {
  let mean = points.mean(alongAxes: [0])
  let centred = points - mean
  let variance = square(centred).mean(alongAxes: [0])
  let scale = Tensor(variance.scalars.map { $0 > 1e-12 ? 1 / $0.squareRoot() : 0 }, shape: variance.shape)
  let x = centred * scale
  let d = x.shape[1]
  var gram = matmul(x, x, transposeA: true)
  gram.withUnsafeMutableScalars { for i in 0..<d { $0[i * d + i] += 1e-3 * Scalar(labels.count) + 1e-6 } }
  let y = Tensor.oneHot(labels, classes: classes)
  let offset = y.mean(alongAxes: [0])
  let weights = try gram.solve(matmul(x, y - offset, transposeA: true))
  return (matmul((others - mean) * scale, weights) + offset).argmax()
}

/// The classes that the `k` nearest `points` of each of `others` vote for, nearer ones first where votes are equal.
func nearestNeighbours(_ points: Tensor, _ labels: [Int], classes: Int, on others: Tensor, k: Int = 5) -> [Int] {
  var guesses: [Int] = []
  for start in stride(from: 0, to: others.shape[0], by: 256) {
    let rows = others.gathering(Array(start..<min(start + 256, others.shape[0])))
    let distances = squaredDistances(rows, points)
    let nearest = (-distances).topK(min(k, labels.count)).indices
    for row in nearest {
      var votes = [Double](repeating: 0, count: classes)
      for (rank, index) in row.enumerated() { votes[labels[index]] += 1 - 1e-3 * Double(rank) }
      guesses.append(votes.indices.max { votes[$0] < votes[$1] }!)
    }
  }
  return guesses
}

/// How far two divisions of the same things agree beyond chance.
///
/// Hubert, Arabie: "Comparing partitions", 1985.
func adjustedRandIndex(_ a: [Int], _ b: [Int]) -> Double {
  func pairs(_ count: Int) -> Double { Double(count) * Double(count - 1) / 2 }
  func sum(_ groups: some Sequence<Int>) -> Double { groups.reduce(0) { $0 + pairs($1) } }
  func counts<T: Hashable>(_ keys: [T]) -> [Int] {
    Array(keys.reduce(into: [T: Int]()) { $0[$1, default: 0] += 1 }.values)
  }
  let joint = sum(counts(zip(a, b).map { [$0, $1] }))
  let (inA, inB) = (sum(counts(a)), sum(counts(b)))
  let expected = inA * inB / max(pairs(a.count), 1)
  let most = (inA + inB) / 2
  return most == expected ? 1 : (joint - expected) / (most - expected)
}
