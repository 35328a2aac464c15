import Foundation

/// The converted images of a run as its classifiers see them, batch by batch.
struct ConversionView {
  let run: SeedRun
  let configuration: ExperimentConfiguration
  let baseline: any SplitClassifier
  let judge: (name: String, model: any SplitClassifier)?
  let found: ClusteringStage
  /// All representatives, in the size of converted images, `[clusters, height, width, channels]`.
  private let targets: Tensor
  private let targetLabels: [Int]
  /// For each image trained on its cluster, over all classes.
  let numbers: [Int]

  init(
    _ run: ExperimentRun, _ baseline: any SplitClassifier, _ judge: (name: String, model: any SplitClassifier)?
  ) throws {
    (self.run, configuration) = (run.run, run.configuration)
    (self.baseline, self.judge, found) = (baseline, judge, try run.clustering())
    numbers = found.clusters.numbers(run.images.count)
    let (all, images) = (Array(found.representatives.classes.joined()), run.images)
    let shape = configuration.conversion.targetShape(for: images.imageShape)
    // Large images are not all in memory at their full size; small ones are resized as one tensor.
    let part = max(64, (256 << 20) / (4 * images.imageShape.count))
    let parts = stride(from: 0, to: all.count, by: part).map { start in
      resized2d(
        images.tensor(at: Array(all[start..<min(start + part, all.count)])), height: shape[0], width: shape[1])
    }
    targets = parts.count == 1 ? parts[0] : .concatenated(parts)
    targetLabels = found.clusters.classes.flatMap { group in group.clusters.map { _ in group.label } }
  }

  /// Returns the logits of `classifier` for images in 0...1 of any size.
  func logits(_ classifier: any SplitClassifier, _ images: Tensor) -> Tensor {
    let shape = run.images.imageShape
    return classifier.evaluating {
      classifier(run.data.normalization(resized2d(images, height: shape[0], width: shape[1])))
    }
  }

  func diagnostics(
    _ autoencoders: [(arms: [String], epochs: Int, gcae: GeneralizedConvertingAutoencoder)],
    features: [SeedDiagnostics.Features]
  ) throws -> SeedDiagnostics {
    let confidence = found.confidence
    let sorted = confidence.entropies.sorted()
    let sets = sets(withAudit: true)
    let measured = autoencoders.map { conversion($0.gcae, sets: sets, arms: $0.arms, epochs: $0.epochs) }
    // The first autoencoder is the one shown, and the last set says most.
    let shown = measured[0].entropies.last!
    let stability = try stability()
    let rank = try effectiveRank()
    return SeedDiagnostics(
      baseline: .init(
        meanEntropy: confidence.meanEntropy, medianEntropy: sorted[sorted.count / 2], saturation: confidence.saturation),
      clusters: found.clusters.classes.map { group in
        .init(
          label: group.label, sizes: group.clusters.map(\.count), silhouette: group.silhouette, inertia: group.inertia,
          stability: stability[group.label])
      },
      representatives: zip(found.clusters.classes, found.representatives.classes).flatMap { group, chosen in
        chosen.enumerated().map { cluster, index in
          .init(
            label: group.label, cluster: cluster, index: run.data.rows[index], entropy: confidence.entropies[index],
            isCorrect: confidence.isCorrect[index])
        }
      },
      leastDistance: leastDistance(), effectiveRank: rank.value, rankSize: rank.size,
      conversions: measured.map(\.conversion),
      judge: try judge.map { name, model in
        .init(network: name, validationAccuracy: try run.validationSet.map { try $0(model).top1 })
      },
      features: features, entropies: histogram(shown.before, shown.after))
  }

  /// A set of images, and how they are seen as they are.
  typealias ImageSet = (images: SeedDiagnostics.Images, batches: Batches, unconverted: Unconverted)

  /// The images trained on, the validation images, and the audit images.
  func sets(withAudit: Bool) -> [ImageSet] {
    var sets = [(SeedDiagnostics.Images.training, run.inOrder(run.images))]
    if let validation = run.validationSet { sets.append((.validation, validation.batches)) }
    if withAudit, let audit = run.auditSet { sets.append((.audit, audit)) }
    return sets.map { ($0, $1, unconverted($1)) }
  }

  /// Measures the conversion of `sets` by `gcae`.
  ///
  /// - Returns: What was measured, and the entropies of each set to the baseline.
  func conversion(
    _ gcae: GeneralizedConvertingAutoencoder, sets: [ImageSet], arms: [String] = [], epochs: Int = 0
  ) -> (conversion: SeedDiagnostics.Conversion, entropies: [(before: [Double], after: [Double])]) {
    let (error, seen) = (error(gcae), sets.map { outcome(gcae, $0) })
    let conversion = SeedDiagnostics.Conversion(
      arms: arms, epochs: epochs, squaredError: error.squared, r2: error.r2, nearestIsOwn: error.nearestIsOwn,
      outcomes: seen.map(\.outcome))
    return (conversion, zip(sets, seen).map { ($0.unconverted.baseline.entropies, $1.after) })
  }

  /// The entropies of images as they are, to the baseline and the judge.
  typealias Unconverted = (baseline: PredictionConfidence, judge: PredictionConfidence?)

  private func unconverted(_ batches: Batches) -> Unconverted {
    func confidence(of model: any SplitClassifier) -> PredictionConfidence {
      configuration.entropy(of: model, on: batches)
    }
    return (confidence(of: baseline), judge.map { confidence(of: $0.model) })
  }

  /// Measures the error on the images trained on, whose targets are known.
  private func error(
    _ gcae: GeneralizedConvertingAutoencoder
  ) -> (squared: Double, r2: Double, nearestIsOwn: Double) {
    let (flatTargets, nearest) = (targets.flattenedRows, NearestRepresentative(targets, images: run.images.count))
    var (squares, matches) = (0.0, 0)
    for batch in run.inOrder(run.images).epoch(0) {
      let shown = gcae.evaluating { gcae(batch.images) }
      let clusters = batch.indices.map { numbers[$0] }
      squares += Double(square(shown - targets.gather(clusters)).sum().item)
      matches += nearest(shown, batch.indices).count { clusters[$0.place] == $0.nearest }
    }
    let n = Double(run.images.count)
    let size = Double(flatTargets.shape[1])
    // The best constant output is the mean of all targets.
    let shares = numbers.reduce(into: [Scalar](repeating: 0, count: targetLabels.count)) { $0[$1] += 1 / Scalar(n) }
    let weights = Tensor(shares, shape: [shares.count, 1])
    let mean = (flatTargets * weights).sum(alongAxes: [0])
    let constant = Double((square(flatTargets - mean) * weights).sum().item) / size
    let error = squares / n / size
    return (error, constant > 0 ? 1 - error / constant : 0, Double(matches) / Double(nearest.count))
  }

  /// The images of `set` converted, and their entropies then to the baseline.
  private func outcome(
    _ gcae: GeneralizedConvertingAutoencoder, _ set: ImageSet
  ) -> (outcome: SeedDiagnostics.Outcome, after: [Double]) {
    let (images, batches, before) = set
    let nearest = NearestRepresentative(targets, images: batches.dataset.count)
    let none = PredictionConfidence(entropies: [], isCorrect: [], confidences: [])
    var (ofClass, seen, judged) = (0, none, none)
    for batch in batches.epoch(0) {
      let shown = gcae.evaluating { gcae(batch.images) }
      ofClass += nearest(shown, batch.indices).count { targetLabels[$0.nearest] == batch.labels[$0.place] }
      seen.append(configuration.entropy(logits(baseline, shown), labels: batch.labels))
      if let judge { judged.append(configuration.entropy(logits(judge.model, shown), labels: batch.labels)) }
    }
    let labels = batches.dataset.labels
    let order = before.baseline.entropies
    let median = order.sorted()[order.count / 2]
    func halves(_ before: PredictionConfidence, _ after: PredictionConfidence) -> SeedDiagnostics.Halves {
      let all = Array(labels.indices)
      return SeedDiagnostics.Halves(
        all: summary(all, before, after), easy: summary(all.filter { order[$0] < median }, before, after),
        hard: summary(all.filter { order[$0] >= median }, before, after))
    }
    let outcome = SeedDiagnostics.Outcome(
      images: images, nearestIsOfClass: Double(ofClass) / Double(max(nearest.count, 1)), sample: nearest.sample,
      byBaseline: halves(before.baseline, seen), byJudge: before.judge.map { halves($0, judged) })
    return (outcome, seen.entropies)
  }

  private func summary(_ images: [Int], _ before: PredictionConfidence, _ after: PredictionConfidence)
    -> SeedDiagnostics.Converted
  {
    func share(_ holds: (Int) -> Bool) -> Double { images.mean { holds($0) ? 1 : 0 } }
    func isLower(_ i: Int) -> Bool { after.entropies[i] < before.entropies[i] }
    return .init(
      count: images.count, entropyBefore: images.mean { before.entropies[$0] },
      entropyAfter: images.mean { after.entropies[$0] },
      loweredAndRight: share { isLower($0) && after.isCorrect[$0] },
      loweredAndWrong: share { isLower($0) && !after.isCorrect[$0] }, accuracyBefore: share { before.isCorrect[$0] },
      accuracyAfter: share { after.isCorrect[$0] })
  }

  private func histogram(_ before: [Double], _ after: [Double], bins: Int = 20) -> SeedDiagnostics.Histogram {
    let top = max(before.max() ?? 1, after.max() ?? 1, 1e-9)
    func counts(_ values: [Double]) -> [Int] {
      values.reduce(into: [Int](repeating: 0, count: bins)) { $0[min(bins - 1, Int($1 / top * Double(bins)))] += 1 }
    }
    return .init(top: top, before: counts(before), after: counts(after))
  }

  /// The stability of each class, by another initialisation of k-means with the same number of clusters.
  private func stability() throws -> [Double] {
    let (clustering, features) = (configuration.clustering, found.features)
    return try found.clusters.classes.map { group in
      guard group.clusters.count > 1 else { return 1 }
      let images = group.clusters.joined().sorted()
      let reduced = try clustering.reduced(features, images, seed: run.seed("stability", clustering.seed))
      let again = try KMeans(
        clusters: group.clusters.count, restarts: clustering.restarts,
        seed: run.seed("stability", clustering.seed))(reduced)
      return adjustedRandIndex(images.map { numbers[$0] }, again.assignments)
    }
  }

  private func leastDistance() -> Double? {
    let (rows, n) = (targets.flattenedRows, targetLabels.count)
    var least: Double?
    // A thousand rows at a time, of many representatives.
    for start in stride(from: 0, to: n, by: 1024) {
      let part = start..<min(start + 1024, n)
      let some = part.count == n ? rows : rows.gather(Array(part))
      squaredDistances(some, rows).withUnsafeScalars { distances in
        for i in part {
          for j in 0..<i where targetLabels[i] != targetLabels[j] {
            least = min(least ?? .infinity, Double(distances[(i - start) * n + j]))
          }
        }
      }
    }
    return least.map { ($0 / Double(rows.shape[1])).squareRoot() }
  }

  /// Roy, Vetterli: "The effective rank: a measure of effective dimensionality", 2007.
  ///
  /// Of many and large representatives at a lower resolution: the singular values of 5,000 of 64 by 64 pixels take minutes.
  private func effectiveRank() throws -> (value: Double, size: [Int]?) {
    let (n, full) = (targets.shape[0], Shape(Array(targets.shape.dimensions.dropFirst())))
    let shape = full.halved(toSide: NearestRepresentative.leastSide) {
      Double(n) * Double($0.count) * Double(min(n, $0.count)) > 1e11
    }
    let rows = resized2d(targets, height: shape[0], width: shape[1]).flattenedRows
    let values = try (rows - rows.mean(alongAxes: [0])).svd().s.scalars.map { Double($0) }
    let sum = values.reduce(0, +)
    let size = shape == full ? nil : [shape[0], shape[1]]
    guard sum > 0 else { return (0, size) }
    return (exp(values.reduce(0) { $1 > 0 ? $0 - $1 / sum * log($1 / sum) : $0 }), size)
  }
}
