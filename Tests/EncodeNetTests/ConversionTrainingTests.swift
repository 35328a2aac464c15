import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// Stages S5 and S6 alone, as a user calls them: without an experiment.
@Suite struct ConversionTrainingTests {
  private let data: DatasetSplit
  private let baseline: Tiny
  private let pairs: ConversionPairs

  /// Two classes of two patterns, a trained classifier, and for each image the first of its pattern.
  init() throws {
    data = try plantedData()
    var generator = SplittableGenerator(seed: 1)
    baseline = Tiny(&generator)
    let optimizer = AdamW(baseline, learningRate: 0.02)
    let batches = Batches(of: data.training, size: 16, shuffledBy: SplittableGenerator(seed: 2))
    for epoch in 0..<10 {
      for batch in batches.epoch(epoch) {
        optimizer.update(
          with: valueWithGradient(of: baseline) { softmaxCrossEntropy($0(batch.images), labels: batch.labels) }
            .gradients)
      }
    }
    pairs = ConversionPairs(data.training.labels.indices.map { .init(input: $0, target: $0 % 4) })
  }

  private func training(_ change: (inout ConversionTraining) -> Void = { _ in }) -> ConversionTraining {
    var training = ConversionTraining()
    (training.epochs, training.batchSize, training.learningRate) = (15, 16, 0.01)
    change(&training)
    return training
  }

  private func copyOfBaseline() throws -> Tiny {
    var generator = SplittableGenerator(seed: 3)
    let copy = Tiny(&generator)
    try copy.load(baseline.stateDictionary)
    return copy
  }

  /// The autoencoder after training, and its reports.
  private func run(
    _ training: ConversionTraining, _ pairs: ConversionPairs? = nil, targets: LabeledImages? = nil
  ) throws -> (gcae: GeneralizedConvertingAutoencoder, reports: [EpochReport]) {
    var generator = SplittableGenerator(seed: 4)
    let model = try copyOfBaseline()
    let decoder = Decoder(
      mirroring: model, imageShape: [4, 4, 1], targetShape: training.targetShape(for: [4, 4, 1]), using: &generator)
    return try training(
      encoder: model.features, decoder: decoder, pairs: pairs ?? self.pairs, images: data.training, targets: targets,
      baseline: baseline)
  }

  private func converted(_ gcae: GeneralizedConvertingAutoencoder) -> Tensor {
    gcae.evaluating { gcae(data.training.tensor(at: Array(data.training.labels.indices))) }
  }
  private var targets: Tensor { data.training.tensor(at: pairs.pairs.map(\.target)) }
  private func accuracy(_ images: Tensor) -> Double {
    let given = baseline.evaluating { baseline(images).argmax() }
    return Double(zip(given, data.training.labels).count { $0 == $1 }) / Double(given.count)
  }

  // MARK: Training

  @Test func everyImageBecomesItsRepresentative() throws {
    let (gcae, reports) = try run(training())
    #expect(reports.count == 15 && reports.last!.loss < 0.3 * reports[0].loss)
    let error = square(converted(gcae) - targets).mean().item
    // That of the best single image for all.
    let constant = square(targets - targets.mean(alongAxes: [0])).mean().item
    #expect(error < 0.3 * constant, "\(error) of \(constant)")
  }

  @Test func theEncoderWaitsForTheDecodersHeadStart() throws {
    // The last epoch of the head start leaves the encoder as it was, batch norms too.
    let (waiting, reports) = try run(training { ($0.decoderHeadStart, $0.epochs) = (1, 4) })
    #expect(reports.map(\.epoch) == [0, 1, 2, 3])
    #expect(
      waiting.encoder.stateDictionary.mapValues(\.scalars) == baseline.features.stateDictionary.mapValues(\.scalars))
    let (joined, all) = try run(training { $0.decoderHeadStart = 0.4 })
    #expect(all.map(\.epoch) == Array(0..<15) && all.last!.loss < 0.3 * all[0].loss)
    #expect(all.map(\.step) == all.map { ($0.epoch + 1) * all[0].step })
    #expect(
      joined.encoder.stateDictionary.mapValues(\.scalars) != baseline.features.stateDictionary.mapValues(\.scalars))
    // The schedule is one over both parts.
    #expect(!zip(all, all.dropFirst()).contains { $0.learningRate <= $1.learningRate })
    #expect(!joined.encoder.parameters.contains { !$0.isTrainable })
    // Without a share of its own it is the same as before there was one.
    let plain = try converted(run(training()).gcae).scalars
    #expect(try converted(run(training { $0.decoderHeadStart = 0 }).gcae).scalars == plain)
  }

  @Test func theSameSeedGivesTheSameWeights() throws {
    let (first, again) = (try run(training()), try run(training()))
    #expect(converted(first.gcae).scalars == converted(again.gcae).scalars)
    #expect(converted(try run(training { $0.seed = 9 }).gcae).scalars != converted(first.gcae).scalars)
  }

  @Test func theBaselineIsLeftAsItWas() throws {
    let before = baseline.stateDictionary.mapValues(\.scalars)
    _ = try run(training { ($0.perceptualWeight, $0.classificationWeight) = (0.1, 0.1) })
    #expect(baseline.stateDictionary.mapValues(\.scalars) == before)
    #expect(!baseline.parameters.contains { !$0.isTrainable })
  }

  // MARK: Options

  @Test func anEncoderOfScaleZeroStaysAsItIs() throws {
    let before = baseline.features.stateDictionary.mapValues(\.scalars)
    let (fixed, _) = try run(training { $0.encoderLearningRateScale = 0 })
    #expect(fixed.encoder.stateDictionary.mapValues(\.scalars) == before)
    #expect(!fixed.encoder.parameters.contains { !$0.isTrainable })
    let (moved, _) = try run(training { $0.encoderLearningRateScale = 1 })
    #expect(moved.encoder.stateDictionary.mapValues(\.scalars) != before)
  }

  @Test func aSmallerScaleMovesTheEncoderLess() throws {
    func distance(_ scale: Double) throws -> Double {
      let (gcae, _) = try run(training { ($0.encoderLearningRateScale, $0.epochs) = (scale, 3) })
      return zip(gcae.encoder.parameters, baseline.features.parameters).reduce(0) {
        $0 + Double(square($1.0.wrappedValue - $1.1.wrappedValue).sum().item)
      }
    }
    let (small, large) = (try distance(0.01), try distance(1))
    #expect(small > 0 && small < large / 100, "\(small) and \(large)")
  }

  @Test func thePerceptualTermBringsTheBaselinesViewsTogether() throws {
    func distance(_ weight: Double) throws -> Scalar {
      let (gcae, _) = try run(training { ($0.perceptualWeight, $0.epochs) = (weight, 4) })
      return baseline.evaluating {
        square(baseline.features(converted(gcae)) - baseline.features(targets)).mean().item
      }
    }
    let (without, with) = (try distance(0), try distance(1))
    #expect(with < without, "\(with) with the term, \(without) without")
  }

  @Test func theClassificationTermMakesTheBaselineSurer() throws {
    func loss(_ weight: Double) throws -> Scalar {
      let (gcae, _) = try run(training { ($0.classificationWeight, $0.epochs) = (weight, 4) })
      return baseline.evaluating { softmaxCrossEntropy(baseline(converted(gcae)), labels: data.training.labels).item }
    }
    let (without, with) = (try loss(0), try loss(1))
    #expect(with < without, "\(with) with the term, \(without) without")
  }

  @Test func theTermsAreWhatTheirFormulasSay() throws {
    let (weights, count) = ([0.5, 1.5, 1, 1], 4)
    let weighted = ConversionPairs(
      data.training.labels.indices.map { .init(input: $0, target: $0 % 4, weight: weights[$0 % 4]) })
    let inputs = Batches(of: data.training, size: count)
    let batches = try ConversionBatches(inputs, pairs: weighted)
    let batch = Array(batches.epoch(0).prefix(1))[0]
    let shown = Tensor.uniform([count, 4, 4, 1], in: 0..<1, using: &generatorForImages)
    let loss = ConversionLoss(
      training { ($0.perceptualWeight, $0.classificationWeight) = (0.25, 0.5) }, baseline: try copyOfBaseline(),
      batches,
      weighted, inputs)
    func mean(_ perImage: [Double]) -> Double { zip(perImage, weights).reduce(0) { $0 + $1.0 * $1.1 } / Double(count) }
    func rows(_ x: Tensor) -> [Double] { x.flattenedRows.mean(alongAxes: [1]).scalars.map { Double($0) } }
    let (maps, targets, logits) = baseline.evaluating {
      (baseline.features(shown), baseline.features(batch.targets), baseline(shown))
    }
    let squares = mean(rows(square(shown - batch.targets)))
    let perceptual = mean(rows(square(maps - targets))) / Double(square(targets).mean().item)
    let entropies = (0..<count).map { row in
      Double(softmaxCrossEntropy(logits.gather([row]), labels: [batch.labels[row]]).item)
    }
    let expected = squares + 0.25 * perceptual + 0.5 * mean(entropies)
    #expect(
      abs(Double(loss(shown, batch).item) - expected) < 1e-5 * expected, "\(loss(shown, batch).item), \(expected)")
  }

  @Test func theBaselinesMapsAreTheLastOfEachSize() throws {
    // Of a network of named stages: three maps, and the vector that the head sees.
    var generator = SplittableGenerator(seed: 6)
    let resnet = ResNet(depth: 8, classes: 3, inputShape: [16, 16, 3], widthMultiplier: 0.25, using: &generator)
    let images = Tensor.uniform([2, 16, 16, 3], in: 0..<1, using: &generator)
    let view = FrozenView(resnet, normalization: nil, imageShape: [16, 16, 3])
    let (maps, logits) = view(images)
    #expect(maps.map(\.shape.dimensions) == [[2, 16, 16, 4], [2, 8, 8, 8], [2, 4, 4, 16], [2, 16]])
    resnet.evaluate()
    for (map, split) in zip(maps, ["layer1", "layer2", "layer3", "pool"]) {
      #expect(
        map.isApproximatelyEqual(to: resnet.split(at: split).features(images), absoluteTolerance: 1e-5), "\(split)")
    }
    #expect(logits.isApproximatelyEqual(to: resnet(images), absoluteTolerance: 1e-5))
    // Smaller images are enlarged first.
    let small = resized2d(images, height: 8, width: 8)
    #expect(
      view(small).logits.isApproximatelyEqual(
        to: resnet(resized2d(small, height: 16, width: 16)), absoluteTolerance: 1e-5))
  }

  @Test func mapsThatAreKeptGiveTheLossOfThoseFoundAgain() throws {
    // With as many targets as images each batch finds them; the loss is of the same numbers.
    let inputs = Batches(of: data.training, size: 8)
    func loss(_ pairs: ConversionPairs) throws -> Scalar {
      let batches = try ConversionBatches(inputs, pairs: pairs)
      let loss = ConversionLoss(
        training { $0.perceptualWeight = 0.5 }, baseline: try copyOfBaseline(), batches, pairs, inputs)
      let batch = Array(batches.epoch(0).prefix(1))[0]
      return loss(batch.targets * 0.5, batch).item
    }
    let mixed = ConversionPairs(
      pairs.pairs.map { .init(input: $0.input, target: $0.target, mixture: [.init(target: $0.target, share: 1)]) })
    #expect(abs(try loss(pairs) - loss(mixed)) < 1e-5)
  }

  @Test func softTargetsAreTrainedOn() throws {
    let half = ConversionPairs(
      pairs.pairs.map {
        let other = ($0.target + 2) % 4
        return .init(
          input: $0.input, target: $0.target,
          mixture: [.init(target: $0.target, share: 0.5), .init(target: other, share: 0.5)])
      })
    let (gcae, _) = try run(training { $0.perceptualWeight = 0.01 }, half)
    let others = data.training.tensor(at: pairs.pairs.map { ($0.target + 2) % 4 })
    let distance = square(converted(gcae) - (targets + others) * 0.5).mean().item
    #expect(distance < square(converted(gcae) - targets).mean().item / 2)
  }

  @Test func largeImagesAreConvertedIntoSmallOnes() throws {
    // The baseline sees the converted images in its own size: both terms take part.
    let (gcae, reports) = try run(
      training { ($0.targetSize, $0.perceptualWeight, $0.classificationWeight) = (2, 0.1, 0.1) })
    #expect(converted(gcae).shape == [data.training.count, 2, 2, 1])
    #expect(reports.last!.loss < reports[0].loss)
    let large = resized2d(converted(gcae), height: 4, width: 4)
    #expect(accuracy(large) > 0.9, "the baseline recognises \(accuracy(large))")
    var stage = ConversionTraining()
    // By default at most 64 pixels a side.
    #expect(stage.targetShape(for: [224, 160, 3]) == [64, 45, 3])
    #expect(stage.targetShape(for: [64, 64, 3]) == [64, 64, 3])
    stage.targetSize = 224
    #expect(stage.targetShape(for: [224, 160, 3]) == [224, 160, 3])
    stage.targetSize = 32
    #expect(stage.targetShape(for: [224, 160, 3]) == [32, 22, 3])
    #expect(stage.targetShape(for: [32, 32, 3]) == [32, 32, 3])
    // The targets are resized by area.
    let images = try DatasetSplit.synthetic(classes: 2, patterns: 1, training: 16, test: 4, imageShape: [16, 12, 1])
    let batches = try ConversionBatches(
      Batches(of: images.training, size: 8), pairs: ConversionPairs((0..<16).map { .init(input: $0, target: 0) }),
      targetShape: [8, 6, 1])
    let targets = Array(batches.epoch(0))[0].targets
    let block = images.training.tensor(at: [0]).sliced([0..<1, 0..<2, 0..<2, 0..<1]).mean().item
    #expect(targets.shape == [8, 8, 6, 1] && abs(targets.scalars[0] - block) < 1e-5)
  }

  // MARK: Pairs

  @Test func hardImagesCountForMore() {
    let pairs = ConversionPairs((0..<3).map { .init(input: $0, target: 0) })
    #expect(pairs.weighted(by: [0, 1, 2], strength: 1).pairs.map(\.weight) == [0, 1, 2])
    #expect(pairs.weighted(by: [0, 1, 2], strength: 0.5).pairs.map(\.weight) == [0.5, 1, 1.5])
    // Nothing to tell them apart by.
    #expect(pairs.weighted(by: [0, 0, 0], strength: 1).pairs.map(\.weight) == [1, 1, 1])
  }

  @Test func softTargetsAreMixedOfTheClustersOfTheClass() throws {
    let clusters = Clusters(classes: [
      .init(label: 0, clusters: [[0, 1], [2, 3]]), .init(label: 1, clusters: [[4, 5]]),
    ])
    let representatives = Representatives(classes: [[0, 2], [4]])
    // On a line: image 1 is near the other cluster.
    let features = Tensor([0, 4, 10, 10, 100, 100], shape: [6, 1])
    func pairs(_ temperature: Double) -> ConversionPairs {
      ConversionPairs(clusters, representatives).softened(
        clusters, representatives, features: features, temperature: temperature)
    }
    let soft = pairs(4).pairs
    #expect(soft.map { $0.mixture.count } == [2, 2, 2, 2, 0, 0])
    #expect(soft.allSatisfy { $0.mixture.isEmpty || abs($0.mixture.reduce(0) { $0 + $1.share } - 1) < 1e-12 })
    func other(_ pairs: [ConversionPairs.Pair], _ image: Int) -> Double {
      pairs[image].mixture.first { $0.target == 2 }!.share
    }
    #expect(other(soft, 1) > other(soft, 0) && other(soft, 1) < 0.5)
    #expect(other(pairs(0.01).pairs, 1) < 1e-6)
    // A batch shows the mixture.
    let images = try LabeledImages(
      name: "line", pixels: [0, 0, 200, 0, 100, 0], labels: [0, 0, 0, 0, 1, 1], imageShape: [1, 1, 1],
      classNames: ["a", "b"])
    let batch = Array(try ConversionBatches(Batches(of: images, size: 6), pairs: pairs(4)).epoch(0))[0]
    #expect(abs(Double(batch.targets.scalars[1]) - other(soft, 1) * 200 / 255) < 1e-5)
    #expect(abs(Double(batch.targets.scalars[4]) - 100.0 / 255) < 1e-5)
  }

  @Test func aShuffleKeepsImagesAndTargetsTogether() throws {
    let batches = try ConversionBatches(
      Batches(of: data.training, size: 16, shuffledBy: SplittableGenerator(seed: 5)), pairs: pairs)
    for batch in batches.epoch(3) {
      let images = data.training.tensor(at: batch.pairs.map(\.input))
      #expect(batch.images.scalars == images.scalars)
      #expect(batch.targets.scalars == data.training.tensor(at: batch.pairs.map(\.target)).scalars)
      #expect(batch.labels == batch.pairs.map { data.training.labels[$0.input] })
    }
  }

  @Test func targetsMayBeImagesOfTheirOwn() throws {
    let grey = try LabeledImages(
      name: "grey", pixels: [UInt8](repeating: 51, count: 16), labels: [0], imageShape: [4, 4, 1], classNames: ["all"])
    let toGrey = ConversionPairs(data.training.labels.indices.map { .init(input: $0, target: 0) })
    let (gcae, _) = try run(training { $0.epochs = 30 }, toGrey, targets: grey)
    #expect(abs(converted(gcae).mean().item - 0.2) < 0.02)
  }

  // MARK: What does not fit

  @Test func whatDoesNotFitIsAnErrorThatSaysWhat() throws {
    func problem(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "no error"
    }
    var generator = SplittableGenerator(seed: 4)
    let model = try copyOfBaseline()
    let decoder = Decoder(mirroring: model, imageShape: [4, 4, 1], using: &generator)
    func train(_ training: ConversionTraining, _ pairs: ConversionPairs, _ decoder: any Layer) -> String {
      problem {
        _ = try training(
          encoder: model.features, decoder: decoder, pairs: pairs, images: data.training, baseline: nil)
      }
    }
    let few = ConversionPairs(Array(pairs.pairs.dropFirst(2)))
    #expect(train(training(), few, decoder).contains("94 pairs for 96 images, image 0 has none"))
    let beyond = ConversionPairs(data.training.labels.indices.map { .init(input: $0, target: 96) })
    #expect(train(training(), beyond, decoder).contains("target is image 96, there are 96"))
    let small = Decoder(mirroring: model, imageShape: [4, 4, 1], targetShape: [2, 2, 1], using: &generator)
    #expect(train(training(), pairs, small).contains("the decoder makes [2, 2, 1]"))
    #expect(train(training { $0.perceptualWeight = 1 }, pairs, decoder).contains("needs the baseline"))
    // A frozen baseline would freeze the encoder that it shares.
    let shared = problem {
      _ = try training { $0.perceptualWeight = 1 }(
        encoder: model.features, decoder: decoder, pairs: pairs, images: data.training, baseline: model)
    }
    #expect(shared.contains("shares parameters"))
    let mixing = Batches(
      of: data.training, size: 8, shuffledBy: SplittableGenerator(seed: 1), mixing: .mixup(alpha: 1))
    #expect(problem { _ = try ConversionBatches(mixing, pairs: pairs) }.contains("mixed"))
    #expect(train(training { $0.epochs = 0 }, pairs, decoder).contains("conversion.epochs is 0"))
    #expect(train(training { $0.classificationWeight = -1 }, pairs, decoder).contains("classificationWeight is -1"))
  }
}

nonisolated(unsafe) private var generatorForImages = SplittableGenerator(seed: 11)
