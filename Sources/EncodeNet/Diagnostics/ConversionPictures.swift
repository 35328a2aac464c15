import Foundation

extension ConversionView {
  /// Pictures of the clusters, of converted images, and of the classes' features.
  func gallery(_ gcae: GeneralizedConvertingAutoencoder) -> Gallery {
    let (images, batches) =
      run.auditSet.map { (SeedDiagnostics.Images.audit, $0) } ?? run.validationSet.map { (.validation, $0.batches) }
      ?? (.training, run.inOrder(run.images))
    return Gallery(
      imageShape: run.images.imageShape, images: images, conversions: conversions(gcae, batches),
      clusters: clusterPictures(), maps: maps())
  }

  private func picture(_ index: Int, _ caption: String? = nil) -> Gallery.Picture {
    .init(pixels: Data(run.images.image(at: index)), caption: caption ?? fixed(found.confidence.entropies[index], 4))
  }

  private func clusterPictures() -> [Gallery.Cluster] {
    // So many classes are enough to see what clusters are like.
    zip(found.clusters.classes, found.representatives.classes).prefix(10).flatMap { group, chosen in
      zip(group.clusters, chosen).map { members, representative in
        .init(
          label: group.label,
          pictures: ([representative] + members.filter { $0 != representative }.prefix(5)).map { picture($0) })
      }
    }
  }

  /// The first images of each class, chosen by nothing else, with the representative of the nearest cluster of their class.
  private func conversions(
    _ gcae: GeneralizedConvertingAutoencoder, _ batches: Batches, each: Int = 2, classes: Int = 10
  ) -> [Gallery.Conversion] {
    let count = run.images.classCount
    let data = batches.dataset
    let rows = (0..<min(classes, count)).flatMap {
      data.indices(ofClass: $0 * count / min(classes, count)).prefix(each)
    }
    guard !rows.isEmpty else { return [] }
    let features = baseline.parts(at: configuration.split).features
    let points = found.features.flattenedRows
    let centres = found.clusters.classes.map { $0.centres(in: points) }
    let inputs = data.tensor(at: rows, normalization: batches.normalization)
    let outputs = gcae.evaluating { gcae(inputs) }
    let (given, judged) = (logits(baseline, outputs).argmax(), judge.map { logits($0.model, outputs).argmax() })
    let seen = features.evaluating { features(inputs).averagedOverSpace }
    let shape = run.images.imageShape
    let sized = resized2d(outputs, height: shape[0], width: shape[1])
    return rows.enumerated().map { place, row in
      let label = data.labels[row]
      let nearest = squaredDistances(seen.gather([place]), centres[label]).argmin()[0]
      return .init(
        label: label, given: given[place], judged: judged?[place],
        input: .init(pixels: Data(data.image(at: row)), caption: "image"),
        output: .init(
          pixels: Data(sized.gather([place]).scalars.map { UInt8(min(max($0 * 255, 0), 255).rounded()) }),
          caption: "converted"),
        target: picture(found.representatives.classes[label][nearest], "representative"))
    }
  }

  private func maps(limit: Int = 150) -> [Gallery.Map] {
    let all = found.features.flattenedRows
    return zip(found.clusters.classes, found.representatives.classes).prefix(10).compactMap { group, chosen in
      var generator = run.generator("map of class \(group.label)")
      let images = group.clusters.joined().sorted()
      let shown = Array(Set(images.shuffled(using: &generator).prefix(limit) + chosen)).sorted()
      let points = all.gather(images)
      guard let axes = try? PrincipalComponents(of: points, count: 2),
        case let seen = axes(all.gather(shown)), seen.shape[1] == 2
      else { return nil }
      let scalars = seen.scalars.map { (Double($0) * 1000).rounded() / 1000 }
      let first = numbers[group.clusters[0][0]]
      return Gallery.Map(
        label: group.label, x: stride(from: 0, to: scalars.count, by: 2).map { scalars[$0] },
        y: stride(from: 1, to: scalars.count, by: 2).map { scalars[$0] },
        cluster: shown.map { numbers[$0] - first },
        representatives: chosen.map { shown.firstIndex(of: $0)! })
    }
  }
}
