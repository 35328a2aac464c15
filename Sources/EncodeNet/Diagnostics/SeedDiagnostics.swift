/// What the stages of one seed did, beside how well its arms classify: to understand a verdict, not to reach one.
///
/// Everything is measured on training images or on those kept for validation.
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
  /// What became of images when they were converted; shares of all of them.
  public struct Converted: Sendable, Codable, Equatable {
    public var count: Int
    /// In nats, to the baseline.
    public var entropyBefore: Double
    public var entropyAfter: Double
    /// Images whose entropy fell and which the baseline then takes for their class.
    public var loweredAndRight: Double
    /// Images whose entropy fell and which the baseline then takes for another class.
    public var loweredAndWrong: Double
    /// Images that the baseline takes for their class as they are.
    public var accuracyBefore: Double
    /// And as they are converted.
    public var accuracyAfter: Double
  }
  /// The autoencoder.
  public struct Conversion: Sendable, Codable, Equatable {
    /// A value of 0...1.
    public var squaredError: Double
    /// 1 for exact, 0 for no better than the mean of all targets.
    public var r2: Double
    /// The share whose nearest representative is their own.
    public var nearestIsOwn: Double
    /// The share whose nearest representative is of their class.
    public var nearestIsOfClass: Double
    /// All images trained on, those of less than the median entropy, and the rest.
    public var all: Converted
    public var easy: Converted
    public var hard: Converted
    /// The images kept for validation, nil where none are.
    public var validation: Converted?
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
  public var conversion: Conversion
  /// Empty where no images are kept for validation.
  public var features: [Features]
  public var entropies: Histogram
}

extension ExperimentRun {
  /// The arm that diagnostics speak of: the first that converts as the paper does.
  var subject: Arm? {
    configuration.arms.first { $0.conversion == Conversion() && $0.transfer == .headThenFineTune }
      ?? configuration.arms.first { $0.conversion == Conversion() }
  }

  /// What the stages did, and pictures of it; nil where no arm converts as the paper does.
  func diagnostics() throws -> (SeedDiagnostics, Gallery)? {
    guard let arm = subject else { return nil }
    let base = try baseline()
    let found = try clustering(base)
    let stage = try conversion(base, found, epochs: try plan(arm).conversionEpochs, from: arm.start)
    guard let gcae = stage.gcae else { return nil }
    let key = try stageKey(stage.key, arm, 1)
    var pictures: Gallery?
    let diagnostics = try store.value("diagnostics", key: key) {
      let view = ConversionView(self, base.model, gcae, found)
      pictures = view.gallery()
      let networks = try [
        ("the baseline", parts(of: base.model).features), ("the converting encoder", gcae.encoder),
        ("the arm \(arm.id)", parts(of: trained(arm).model).features),
      ]
      return try view.diagnostics(features: networks.compactMap { try features(of: $1, named: $0) })
    } fits: {
      $0.fits(classes: training.classCount)
    }
    let gallery = try store.value("gallery", key: key) {
      pictures ?? ConversionView(self, base.model, gcae, found).gallery()
    } fits: {
      $0.fits(classes: training.classCount)
    }
    return (diagnostics, gallery)
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
