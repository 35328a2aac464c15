import Foundation

/// What an autoencoder makes of the images of a run, batch by batch.
struct ConversionView {
  private let run: ExperimentRun
  private let baseline: any SplitClassifier
  private let gcae: GeneralizedConvertingAutoencoder
  private let found: ClusteringStage
  /// All representatives, `[clusters, height, width, channels]`.
  private let targets: Tensor
  private let targetLabels: [Int]
  /// For each image trained on its cluster, over all classes.
  private let numbers: [Int]
  private let position: [Int: Int]

  init(
    _ run: ExperimentRun, _ baseline: any SplitClassifier, _ gcae: GeneralizedConvertingAutoencoder,
    _ found: ClusteringStage
  ) {
    (self.run, self.baseline, self.gcae, self.found) = (run, baseline, gcae, found)
    position = Dictionary(uniqueKeysWithValues: run.rows.enumerated().map { ($1, $0) })
    var clusters = found.clusters
    for index in clusters.classes.indices {
      clusters.classes[index].clusters = clusters.classes[index].clusters.map { [position] in $0.map { position[$0]! } }
    }
    numbers = clusters.numbers(run.rows.count)
    targets = run.training.tensor(at: Array(found.representatives.classes.joined()))
    targetLabels = found.clusters.classes.flatMap { one in one.clusters.map { _ in one.label } }
  }

  private func converted(_ batch: Batch) -> (shown: Tensor, logits: Tensor) {
    let shown = gcae.evaluating { gcae(batch.images) }
    return (shown, baseline.evaluating { baseline(run.normalization(shown)) })
  }

  // MARK: Numbers

  func diagnostics(features: [SeedDiagnostics.Features]) throws -> SeedDiagnostics {
    let certainty = found.certainty
    let sorted = certainty.entropies.sorted()
    let median = sorted[sorted.count / 2]
    let (conversion, after) = self.conversion(median: median)
    let stability = try stability()
    return SeedDiagnostics(
      baseline: .init(meanEntropy: certainty.meanEntropy, medianEntropy: median, saturation: certainty.saturation),
      clusters: found.clusters.classes.map { one in
        .init(
          label: one.label, sizes: one.clusters.map(\.count), silhouette: one.silhouette, inertia: one.inertia,
          stability: stability[one.label])
      },
      representatives: zip(found.clusters.classes, found.representatives.classes).flatMap { one, chosen in
        chosen.enumerated().map { cluster, index in
          .init(
            label: one.label, cluster: cluster, index: index, entropy: certainty.entropies[position[index]!],
            isCorrect: certainty.isCorrect[position[index]!])
        }
      },
      leastDistance: leastDistance(), effectiveRank: try effectiveRank(), conversion: conversion, features: features,
      entropies: histogram(certainty.entropies, after))
  }

  private func conversion(median: Double) -> (SeedDiagnostics.Conversion, after: [Double]) {
    let flatTargets = targets.flattenedRows
    var (squares, own, ofClass): (Double, Int, Int) = (0, 0, 0)
    func certainty(_ batches: Batches, _ body: (Batch, Tensor) -> Void = { _, _ in }) -> Certainty {
      let logits = batches.epoch(0).map { batch in
        let (shown, logits) = converted(batch)
        body(batch, shown)
        return logits
      }
      return run.configuration.entropy(Tensor.concatenated(logits), labels: batches.dataset.labels)
    }
    let after = certainty(run.inOrder(run.images)) { batch, shown in
      let wanted = batch.indices.map { numbers[$0] }
      squares += Double(square(shown - targets.gathering(wanted)).sum().item)
      let nearest = (-squaredDistances(shown.flattenedRows, flatTargets)).argmax()
      own += zip(nearest, wanted).count { $0 == $1 }
      ofClass += zip(nearest, batch.labels).count { targetLabels[$0] == $1 }
    }
    let n = Double(run.rows.count)
    let size = Double(run.training.imageShape.count)
    // The best constant output is the mean of all targets.
    let shares = numbers.reduce(into: [Scalar](repeating: 0, count: targetLabels.count)) { $0[$1] += 1 / Scalar(n) }
    let weights = Tensor(shares, shape: [shares.count, 1])
    let mean = (flatTargets * weights).sum(alongAxes: [0])
    let constant = Double((square(flatTargets - mean) * weights).sum().item) / size
    let error = squares / n / size

    let before = found.certainty
    let all = Array(run.rows.indices)
    var validation: SeedDiagnostics.Converted?
    if let held = run.validationSet {
      let asTheyAre = run.configuration.entropy(
        outputs(of: baseline, on: held.batches), labels: held.batches.dataset.labels)
      validation = summary(Array(0..<held.count), asTheyAre, certainty(held.batches))
    }
    return (
      SeedDiagnostics.Conversion(
        squaredError: error, r2: constant > 0 ? 1 - error / constant : 0, nearestIsOwn: Double(own) / n,
        nearestIsOfClass: Double(ofClass) / n, all: summary(all, before, after),
        easy: summary(all.filter { before.entropies[$0] < median }, before, after),
        hard: summary(all.filter { before.entropies[$0] >= median }, before, after), validation: validation),
      after.entropies
    )
  }

  private func summary(_ images: [Int], _ before: Certainty, _ after: Certainty) -> SeedDiagnostics.Converted {
    let n = Double(max(images.count, 1))
    func share(_ holds: (Int) -> Bool) -> Double { Double(images.count(where: holds)) / n }
    func isLower(_ i: Int) -> Bool { after.entropies[i] < before.entropies[i] }
    return .init(
      count: images.count, entropyBefore: images.reduce(0) { $0 + before.entropies[$1] } / n,
      entropyAfter: images.reduce(0) { $0 + after.entropies[$1] } / n,
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

  /// Of each class, by another beginning of k-means with the same number of clusters.
  private func stability() throws -> [Double] {
    let all = found.features.flattenedRows
    return try found.clusters.classes.map { one in
      guard one.clusters.count > 1 else { return 1 }
      let images = one.clusters.joined().sorted()
      let points = all.gathering(images.map { position[$0]! })
      let reduced = try PrincipalComponents(of: points, count: run.configuration.clustering.dimensions)(points)
      let again = try KMeans(
        clusters: one.clusters.count, restarts: run.configuration.clustering.restarts,
        seed: run.configuration.clustering.seed &+ 0x57ab)(reduced)
      return adjustedRandIndex(images.map { numbers[position[$0]!] }, again.assignments)
    }
  }

  private func leastDistance() -> Double? {
    let rows = targets.flattenedRows
    let distances = squaredDistances(rows, rows).scalars
    let n = targetLabels.count
    var least: Double?
    for i in 0..<n {
      for j in 0..<i where targetLabels[i] != targetLabels[j] {
        least = min(least ?? .infinity, Double(distances[i * n + j]))
      }
    }
    return least.map { ($0 / Double(run.training.imageShape.count)).squareRoot() }
  }

  /// Roy, Vetterli: "The effective rank: a measure of effective dimensionality", 2007.
  private func effectiveRank() throws -> Double {
    let rows = targets.flattenedRows
    let values = try (rows - rows.mean(alongAxes: [0])).svd().s.scalars.map { Double($0) }
    let sum = values.reduce(0, +)
    guard sum > 0 else { return 0 }
    return exp(values.reduce(0) { $1 > 0 ? $0 - $1 / sum * log($1 / sum) : $0 })
  }

  // MARK: Pictures

  func gallery() -> Gallery {
    Gallery(
      imageShape: run.training.imageShape, clusters: clusterPictures(), right: conversions(right: true),
      wrong: conversions(right: false), maps: maps())
  }

  private func picture(_ index: Int, _ caption: String? = nil) -> Gallery.Picture {
    let entropy = position[index].map { fixed(found.certainty.entropies[$0], 4) } ?? ""
    return .init(pixels: Data(run.training.image(at: index)), caption: caption ?? entropy)
  }

  private func clusterPictures() -> [Gallery.Cluster] {
    // So many classes are enough to see what clusters are like.
    zip(found.clusters.classes, found.representatives.classes).prefix(10).flatMap { one, chosen in
      zip(one.clusters, chosen).map { members, representative in
        .init(
          label: one.label,
          pictures: ([representative] + members.filter { $0 != representative }.prefix(5)).map { picture($0) })
      }
    }
  }

  /// The first images whose conversion the baseline takes for their class, one of each class, or for another one.
  private func conversions(right: Bool, limit: Int = 10) -> [Gallery.Conversion] {
    var (found, seen): ([Gallery.Conversion], Set<Int>) = ([], [])
    let pairs = Dictionary(uniqueKeysWithValues: self.found.pairs.pairs.map { ($0.input, $0.target) })
    for batch in run.inOrder(run.images).epoch(0) {
      let (shown, logits) = converted(batch)
      let given = logits.argmax()
      for (row, label) in batch.labels.enumerated() {
        guard (given[row] == label) == right, found.count < limit, !seen.contains(label) else { continue }
        seen.insert(label)
        let index = run.rows[batch.indices[row]]
        let output = DecodedImage(shown.gathering([row]).reshaped(to: run.training.imageShape)).pixels
        found.append(
          .init(
            label: label, given: given[row], input: picture(index, "input"),
            output: .init(pixels: Data(output), caption: "converted"), target: picture(pairs[index]!, "representative"))
        )
      }
      if found.count == limit || seen.count == run.training.classCount { break }
    }
    return found
  }

  private func maps(limit: Int = 150) -> [Gallery.Map] {
    let all = found.features.flattenedRows
    return zip(found.clusters.classes, found.representatives.classes).prefix(10).compactMap { one, chosen in
      var generator = SplittableGenerator(seed: run.seed &+ UInt64(one.label))
      let images = one.clusters.joined().sorted()
      let shown = Array(Set(images.shuffled(using: &generator).prefix(limit) + chosen)).sorted()
      let points = all.gathering(images.map { position[$0]! })
      guard let axes = try? PrincipalComponents(of: points, count: 2),
        case let seen = axes(all.gathering(shown.map { position[$0]! })), seen.shape[1] == 2
      else { return nil }
      let scalars = seen.scalars.map { (Double($0) * 1000).rounded() / 1000 }
      let first = numbers[position[one.clusters[0][0]]!]
      return Gallery.Map(
        label: one.label, x: stride(from: 0, to: scalars.count, by: 2).map { scalars[$0] },
        y: stride(from: 1, to: scalars.count, by: 2).map { scalars[$0] },
        cluster: shown.map { numbers[position[$0]!] - first },
        representatives: chosen.map { shown.firstIndex(of: $0)! })
    }
  }
}
