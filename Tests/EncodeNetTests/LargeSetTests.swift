import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That the stages take small classes, large sets and large images.
@Suite struct LargeSetTests {
  // MARK: Small classes

  @Test(arguments: [IntraclassClustering.Count.fixed(5), .silhouette(2...8), .elbow(1...8), .silhouette(3...3)])
  func aClassHasAtMostAsManyClustersAsImages(count: IntraclassClustering.Count) throws {
    // Classes of 1, 2, 3 and 40 images; two of the third are the same.
    let sizes = [1, 2, 3, 40]
    var (points, _) = plantedPoints(46, clusters: 1)
    points = points.gather([0, 1, 2, 3, 4, 4] + Array(6..<46))
    let labels = sizes.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
    for smallest in [0, 1, 20] {
      var clustering = IntraclassClustering(clustersPerClass: count)
      (clustering.smallestCluster, clustering.smallestShare) = (smallest, 0)
      try clustering.check(labels: labels, names: ["a", "b", "c", "d"])
      let clusters = try clustering(points, labels: labels)
      #expect(clusters.fits(labels: labels), "\(clusters)")
      #expect(zip(clusters.classes, sizes).allSatisfy { $0.clusters.count <= $1 })
      let confidence = PredictionConfidence(
        entropies: labels.indices.map(Double.init), isCorrect: labels.map { _ in false },
        confidences: labels.map { _ in 0.5 })
      for selector in [RepresentativeSelection.Selector.minimumEntropy, .lowEntropyMedoid, .medoid, .random] {
        let chosen = RepresentativeSelection(selector)(clusters, features: points, confidence: confidence)
        #expect(chosen.fits(clusters) && ConversionPairs(clusters, chosen).count == labels.count)
        _ = ConversionPairs(clusters, chosen).softened(clusters, chosen, features: points, temperature: 1)
      }
    }
  }

  @Test func classesWithFewerClustersThanAskedForAreCounted() throws {
    var clustering = IntraclassClustering(clustersPerClass: .fixed(5))
    #expect(clustering.notice(ofImages: [20, 5], clusters: [5, 5]) == nil)
    let notice = try #require(clustering.notice(ofImages: [20, 3, 40, 1], clusters: [5, 3, 2, 1]))
    #expect(
      notice.hasPrefix("3 of 4 classes have fewer than the 5 clusters asked for: 2 with fewer images than that, 1 in"),
      "\(notice)")
    clustering.clustersPerClass = .silhouette(2...8)
    #expect(clustering.notice(ofImages: [20, 3], clusters: [1, 1]) == nil)
    #expect(clustering.notice(ofImages: [20, 1], clusters: [4, 1])?.contains("1 of 2 classes") == true)
  }

  @Test func aRunWithAClassOfTwoImagesEndsWithANotice() throws {
    let data = try plantedData()
    let few = data.training.indices(ofClass: 0) + data.training.indices(ofClass: 1).prefix(2)
    var configuration = try smallConfiguration(["A0", "A3", "A8"])
    configuration.clustering.clustersPerClass = .fixed(3)
    configuration.clustering.smallestCluster = 1
    let notices = Shared<[String]>([])
    try withFolder { folder in
      var experiment = Experiment(configuration)
      (experiment.force, experiment.notice) = (true, { text in notices.value.withLock { $0.append(text) } })
      let report = try experiment.run(
        on: DatasetSplit(training: data.training.subset(few), test: data.test), in: folder, model: { Tiny(&$0) })
      let counts = report.seeds[0].diagnostics?.clusters.map(\.sizes.count)
      #expect(counts?[0] == 3 && [1, 2].contains(counts?[1]), "\(String(describing: counts))")
      let said = notices.value.withLock { $0 }
      #expect(said.contains { $0.contains("1 of 2 classes have fewer than the 3 clusters asked for") }, "\(said)")
      #expect(report.diagnosis.contains { $0.contains("1 of 2 classes have fewer") }, "\(report.diagnosis)")
    }
  }

  // MARK: Features that do not fit memory

  /// Counts the images whose features are asked for at once.
  private final class Asked {
    var most = 0
    var all = 0
  }

  /// The rows of `points`, given for those images alone that are asked for.
  private func streamed(_ points: Tensor, memoryLimit: Int, _ asked: Asked = .init()) -> ImageFeatures {
    ImageFeatures(count: points.shape[0], width: points.shape[1], memoryLimit: memoryLimit) { images in
      asked.most = max(asked.most, images.count)
      asked.all += images.count
      return points.gather(images)
    }
  }

  @Test(arguments: [IntraclassClustering.Count.silhouette(2...8), .fixed(3), .elbow(1...6)])
  func clustersOfFeaturesAskedForClassByClassAreTheSameBitForBit(count: IntraclassClustering.Count) throws {
    let (points, owners) = plantedPoints(70, clusters: 6, features: 12)
    let labels = owners.map { $0 / 2 }
    let clustering = IntraclassClustering(clustersPerClass: count, seed: 7)
    let asked = Asked()
    // A class of 140 images by 12 features of 4 bytes takes 6,720.
    let features = streamed(points, memoryLimit: 4 * 6720, asked)
    let clusters = try clustering(points, labels: labels)
    #expect(try clustering(features, labels: labels) == clusters)
    #expect(asked.most == 140 && asked.all == 420)
    let confidence = PredictionConfidence(
      entropies: labels.indices.map { Double($0 * 37 % 101) }, isCorrect: labels.map { _ in true },
      confidences: labels.map { _ in 0.5 })
    for selector in [RepresentativeSelection.Selector.minimumEntropy, .lowEntropyMedoid, .medoid, .random] {
      let selection = RepresentativeSelection(selector, seed: 3)
      let chosen = selection(clusters, features: points, confidence: confidence)
      #expect(selection(clusters, features: features, confidence: confidence) == chosen)
      var pairing = ConversionPairing()
      pairing.softness = 0.5
      #expect(
        pairing(clusters, chosen, imageFeatures: features) == pairing(clusters, chosen, features: points))
    }
  }

  @Test func aClassThatDoesNotFitIsDividedAPartAtATime() throws {
    let (points, owners) = plantedPoints(100, clusters: 3, features: 12)
    let asked = Asked()
    // Room for 4 × 50 images.
    let features = streamed(points, memoryLimit: 200 * 48, asked)
    var clustering = IntraclassClustering(clustersPerClass: .silhouette(2...4))
    clustering.restarts = 3
    let clusters = try clustering(features, labels: owners.map { _ in 0 })
    #expect(asked.most == 50 && features.largestPart == 50)
    // A sample for the components, and all to be divided.
    #expect(asked.all == 350)
    #expect(clusters.classes[0].clusters.map(\.count) == [100, 100, 100])
    for members in clusters.classes[0].clusters { #expect(Set(members.map { owners[$0] }).count == 1) }
    // In mini-batches too.
    clustering.miniBatchAbove = 200
    #expect(try clustering(features, labels: owners.map { _ in 0 }).count == 3)
    // A medoid is that of as many as fit, and of its cluster.
    let confidence = PredictionConfidence(
      entropies: owners.map { _ in 0 }, isCorrect: owners.map { _ in true }, confidences: owners.map { _ in 1 })
    #expect(RepresentativeSelection(.medoid)(clusters, features: features, confidence: confidence).fits(clusters))
    #expect(asked.most == 50)
  }

  @Test func featuresThatAreNoNumbersAreRefusedInAnyPart() {
    var (points, owners) = plantedPoints(100, clusters: 1)
    points.withUnsafeMutableScalars { $0[$0.count - 1] = .nan }
    let features = streamed(points, memoryLimit: 4 * 20 * 24)
    #expect(throws: ExperimentError.self) {
      try IntraclassClustering(clustersPerClass: .fixed(2))(features, labels: owners)
    }
  }

  @Test func aRunWhoseFeaturesDoNotFitEndsAsOthersDo() throws {
    // 256 features of 4 bytes: 1,024 images fit 1 MiB, and 256 are computed at once.
    final class Wide: SplitClassifier {
      let features: any Layer
      let classifier: any Layer
      init(_ generator: inout SplittableGenerator) {
        features = Sequential([Flatten(), Linear(16, 256, using: &generator), BatchNorm2d(256), ReLU()])
        classifier = Sequential([Linear(256, 2, using: &generator)])
      }
    }
    func report(_ memory: Int?) throws -> ExperimentReport {
      var configuration = try smallConfiguration(["A0", "A3"])
      (configuration.clustering.featureMemory, configuration.clustering.restarts) = (memory, 2)
      configuration.batchSize = 128
      configuration.clustering.clustersPerClass = .fixed(2)
      configuration.clustering.dimensions = 4
      configuration.pairing.softness = 0.5
      configuration.judge = "none"
      return try withFolder {
        try Experiment(configuration).run(on: plantedData(300), in: $0, model: { Wide(&$0) })
      }
    }
    let (whole, part) = (try report(nil), try report(1))
    let (a, b) = (whole.seeds[0].diagnostics!, part.seeds[0].diagnostics!)
    #expect(a.clusters.map { $0.sizes.sorted() } == b.clusters.map { $0.sizes.sorted() }, "\(a.clusters) \(b.clusters)")
    #expect(b.representatives.count == 4 && b.conversions.count == a.conversions.count)
    #expect(whole.arms[0].accuracies == part.arms[0].accuracies)
  }

  @Test func componentsOfFewPointsAreThoseOfTheirCovariance() throws {
    // 30 points of 1,100 features, of which ten repeat a direction of three: the products of points find the same.
    var generator = SplittableGenerator(seed: 5)
    let hidden = Tensor.normal([30, 3], using: &generator)
    let points = matmul(hidden, Tensor.normal([3, 1100], using: &generator))
    let few = try PrincipalComponents(of: points, count: 5)
    #expect(few.components.shape == [3, 1100])
    // As many points as features take the covariance: each point many times, which changes neither means nor variances.
    let copies = (0..<1110).map { $0 % 30 }
    let many = try PrincipalComponents(of: points.gather(copies), count: 5)
    #expect(many.components.shape == [3, 1100])
    for row in 0..<3 {
      #expect(abs(few.variances[row] / many.variances[row] - 1) < 1e-3)
      let product = (few.components.gather([row]) * many.components.gather([row])).sum().item
      #expect(abs(abs(product) - 1) < 1e-3, "\(product)")
    }
    // Points that are all the same have one component, of no variance.
    let same = try PrincipalComponents(of: .ones([3, 1100]), count: 5)
    #expect(same(.ones([2, 1100])).scalars.allSatisfy { $0 == 0 })
  }

  @Test func confidenceByBatchesIsThatOfAllLogits() throws {
    let data = try plantedData().training
    var generator = SplittableGenerator(seed: 1)
    let (network, batches) = (Tiny(&generator), Batches(of: data, size: 10))
    let entropy = PredictionEntropy(temperature: 2)
    let logits = outputs(of: network, on: batches)
    #expect(entropy(of: network, on: batches) == entropy(logits, labels: data.labels))
  }

  @Test func aHeadIsTrainedOnFeaturesOfEachBatchWhereAllDoNotFit() throws {
    var generator = SplittableGenerator(seed: 1)
    let shape: Shape = [224, 224, 3]
    let choice = ModelChoice("resnet18", widthMultiplier: 0.125)
    let encoder = try choice.make(classes: 2, inputShape: shape, using: &generator).features
    // 7 × 7 × 64 features of 4 bytes: 85,598 images take 1 GiB.
    #expect(KnowledgeTransfer.caches(85_000, of: encoder, imageShape: shape))
    #expect(!KnowledgeTransfer.caches(86_000, of: encoder, imageShape: shape))
    let (network, data) = (Tiny(&generator), try plantedData().training)
    let batches = EncodedBatches(
      encoder: network.features, images: Batches(of: data, size: 7, shuffledBy: SplittableGenerator(seed: 2)))
    let all = outputs(of: network.features, on: Batches(of: data, size: 96))
    var seen: [Int] = []
    for batch in batches.epoch(0) {
      seen += batch.indices
      expectClose(batch.images, all.gather(batch.indices), 1e-5)
    }
    #expect(seen.sorted() == Array(0..<96) && seen != seen.sorted())
    #expect(Array(batches.epoch(0)).map(\.indices) != Array(batches.epoch(1)).map(\.indices))
  }

  // MARK: Large images

  @Test func theNearestRepresentativeIsFoundAtALowerResolutionAndOfASample() {
    var generator = SplittableGenerator(seed: 3)
    // Six pictures of four fields each, and images near them.
    let coarse = Tensor.uniform([6, 2, 2, 3], using: &generator)
    let targets = resized2d(coarse, height: 64, width: 48, interpolation: .nearest)
    let owners = (0..<50).map { $0 * 5 % 6 }
    let shown = targets.gather(owners) + Tensor.normal([50, 64, 48, 3], std: 0.05, using: &generator)
    let full = NearestRepresentative(targets, images: 50)
    #expect(full.sample == nil && full.shape == [64, 48, 3] && full.count == 50)
    #expect(full(shown, Array(0..<50)).map(\.nearest) == owners)
    #expect(
      full(shown, Array(0..<50)).map(\.nearest) == squaredDistances(shown.flattenedRows, targets.flattenedRows).argmin()
    )
    let lower = NearestRepresentative(targets, images: 50, limit: 50 * 6 * 32 * 24 * 3)
    #expect(lower.sample == .init(height: 32, width: 24, images: 50))
    #expect(lower(shown, Array(0..<50)).map(\.nearest) == owners)
    let sampled = NearestRepresentative(targets, images: 50, limit: 50 * 6 * 16 * 12)
    #expect(sampled.sample == .init(height: 16, width: 12, images: 17) && sampled.interval == 3)
    let found = sampled(shown.gather(Array(10..<20)), Array(10..<20))
    #expect(found.map(\.place) == [2, 5, 8] && found.map(\.nearest) == [12, 15, 18].map { owners[$0] })
    #expect(sampled(shown.gather([1]), [1]).isEmpty)
  }

  @Test func probesOfLargeSetsAreOfASample() {
    // CIFAR's are whole.
    #expect(probeSizes(training: 45_000, validation: 5000, width: 512, classes: 100) == (45_000, 5000))
    let (learns, asked) = probeSizes(training: 1_281_167, validation: 128_116, width: 512, classes: 1000)
    #expect(learns == 88_768 && asked == 22_002)
  }

  @Test func picturesOfLargeImagesAreSmall() throws {
    #expect(Gallery.pictureShape(for: [224, 160, 3]) == [64, 45, 3])
    #expect(Gallery.pictureShape(for: [48, 64, 1]) == [48, 64, 1])
    #expect(Gallery.pictureShape(for: [2000, 1, 3]) == [64, 1, 3])
    let data = try DatasetSplit.synthetic(classes: 2, patterns: 1, training: 12, test: 2, imageShape: [96, 80, 3])
    for size in [nil, 24] {
      var configuration = try smallConfiguration(["A0", "A4"])
      (configuration.model, configuration.widthMultiplier, configuration.epochs) = ("resnet8", 0.1, 1)
      (configuration.conversion.epochs, configuration.transfer.headEpochs) = (1, 1)
      configuration.conversion.targetSize = size
      configuration.judge = "none"
      try withFolder { folder in
        var experiment = Experiment(configuration)
        experiment.force = true
        let report = try experiment.run(on: data, in: folder)
        #expect(report.seeds[0].diagnostics?.conversions.count == 1)
        let gallery: Gallery = try #require(
          try ArtifactStore(existing: folder.appendingPathComponent("seed-0")).last("gallery"))
        #expect(gallery.imageShape == [64, 53, 3])
        let pictures =
          gallery.conversions.flatMap { [$0.input, $0.output, $0.target] } + gallery.clusters.flatMap(\.pictures)
        #expect(pictures.allSatisfy { $0.pixels.count == 64 * 53 * 3 })
        // As it is seen from far: the picture of an image is the image.
        let small = resized2d(data.training.tensor(at: [0]), height: 64, width: 53).mean().item
        let shown = gallery.conversions[0].input.pixels.reduce(0.0) { $0 + Double($1) / 255 } / (64 * 53 * 3)
        #expect(abs(Double(small) - shown) < 0.15)
        let html = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
        #expect(html.components(separatedBy: "<img").count == pictures.count + 1)
      }
    }
  }
}
