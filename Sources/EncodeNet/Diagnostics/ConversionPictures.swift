import Foundation

extension ConversionView {
  /// Pictures of the clusters, of converted images, and of the classes' features.
  func gallery(_ gcae: GeneralizedConvertingAutoencoder) -> Gallery {
    let (images, batches) =
      run.auditSet.map { (SeedDiagnostics.Images.audit, $0) } ?? run.validationSet.map { (.validation, $0.batches) }
      ?? (.training, run.inOrder(run.images))
    return Gallery(
      imageShape: pictureShape, images: images, conversions: conversions(gcae, batches),
      clusters: clusterPictures(), maps: maps())
  }

  private var pictureShape: Shape { Gallery.pictureShape(for: run.images.imageShape) }

  /// The classes that are shown: so many are enough to see what clusters and conversions are like.
  private var shownClasses: [Int] { Array(0..<run.images.classCount).spaced(10) }

  private func picture(_ index: Int, _ caption: String? = nil) -> Gallery.Picture {
    .init(pixels: pixels(run.images, index), caption: caption ?? fixed(found.confidence.entropies[index], 4))
  }

  private func pixels(_ images: LabeledImages, _ index: Int) -> Data {
    guard pictureShape != images.imageShape else { return Data(images.image(at: index)) }
    return bytes(images.tensor(at: [index]))
  }

  /// The bytes of an image in 0...1 of any size, `[1, height, width, channels]`, in that of pictures.
  private func bytes(_ image: Tensor) -> Data {
    let sized = resized2d(image, height: pictureShape[0], width: pictureShape[1])
    return Data(sized.scalars.map { UInt8(min(max($0 * 255, 0), 255).rounded()) })
  }

  private func clusterPictures() -> [Gallery.Cluster] {
    shownClasses.flatMap { label in
      let (group, chosen) = (found.clusters.classes[label], found.representatives.classes[label])
      return zip(group.clusters, chosen).map { members, representative in
        Gallery.Cluster(
          label: label,
          pictures: ([representative] + members.filter { $0 != representative }.prefix(5)).map { picture($0) })
      }
    }
  }

  /// The first images of each class, chosen by nothing else, with the representative of the nearest cluster of their class.
  private func conversions(
    _ gcae: GeneralizedConvertingAutoencoder, _ batches: Batches, each: Int = 2
  ) -> [Gallery.Conversion] {
    let data = batches.dataset
    let rows = shownClasses.flatMap { data.indices(ofClass: $0).prefix(each) }
    guard !rows.isEmpty else { return [] }
    let features = baseline.parts(at: configuration.split).features
    let centres = Dictionary(
      uniqueKeysWithValues: Set(rows.map { data.labels[$0] }).map {
        ($0, found.clusters.classes[$0].centres(in: found.features))
      })
    let inputs = data.tensor(at: rows, normalization: batches.normalization)
    let outputs = gcae.evaluating { gcae(inputs) }
    let (given, judged) = (logits(baseline, outputs).argmax(), judge.map { logits($0.model, outputs).argmax() })
    let seen = features.evaluating { features(inputs).averagedOverSpace }
    return rows.enumerated().map { place, row in
      let label = data.labels[row]
      let nearest = squaredDistances(seen.gather([place]), centres[label]!).argmin()[0]
      return .init(
        label: label, given: given[place], judged: judged?[place],
        input: .init(pixels: pixels(data, row), caption: "image"),
        output: .init(pixels: bytes(outputs.gather([place])), caption: "converted"),
        target: picture(found.representatives.classes[label][nearest], "representative"))
    }
  }

  private func maps(limit: Int = 150) -> [Gallery.Map] {
    shownClasses.compactMap { label in
      let (group, chosen) = (found.clusters.classes[label], found.representatives.classes[label])
      var generator = run.generator("map of class \(group.label)")
      let images = group.clusters.joined().sorted()
      let shown = Array(Set(images.shuffled(using: &generator).prefix(limit) + chosen)).sorted()
      let points = found.features(found.features.sample(of: images))
      guard let axes = try? PrincipalComponents(of: points, count: 2),
        case let seen = axes(found.features(shown)), seen.shape[1] == 2
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
