import Layers
import TestSupport
import Testing
import Training

/// What a run on one rank leaves behind.
private struct Outcome: Equatable, Sendable {
  var weights: [[Scalar]]
  var statistics: [[Scalar]]
  var reports: [EpochReport]
  var generators: [SplittableGenerator] = []

  init(_ model: some Module, _ reports: [EpochReport]) {
    weights = model.parameters.map { Array($0.wrappedValue.scalars) }
    statistics = model.namedBuffers.map { Array($0.buffer.wrappedValue.scalars) }
    generators = model.namedStochasticModules.map(\.module.generator)
    self.reports = reports.map {
      var report = $0
      (report.seconds, report.imagesPerSecond) = (0, 0)
      return report
    }
  }

  func distance(from other: Outcome) -> Scalar {
    zip((weights + statistics).joined(), (other.weights + other.statistics).joined()).map { abs($0 - $1) }.max() ?? 0
  }
}

private let tolerance: Scalar = MemoryLayout<Scalar>.size == 8 ? 1e-12 : 1e-5

/// Two layers; with batch norms and dropout between where they are asked for.
private func network(norm: Bool = false, dropout: Bool = false, seed: UInt64 = 1) -> Sequential {
  var g = SplittableGenerator(seed: seed)
  var layers: [any Layer] = [Linear(2, 16, using: &g)]
  if norm { layers.append(BatchNorm2d(16)) }
  layers.append(ReLU())
  if dropout { layers.append(Dropout(0.25, seed: 5)) }
  layers.append(Linear(16, 2, using: &g))
  return Sequential(layers)
}

/// Ten steps over two epochs, of batches of `size`.
private func train(
  _ communicator: any Communicator, size: Int, norm: Bool = false, dropout: Bool = false, synchronized: Bool = false,
  sharpness: Scalar? = nil, seed: UInt64 = 1, validates: Bool = false, bucketSize: Int? = nil
) throws -> Outcome {
  let model = network(norm: norm, dropout: dropout, seed: seed)
  var fit = Fit(
    model, to: ToyBatches(size: size), loss: crossEntropy,
    optimizer: SGD(model, learningRate: 0.1, momentum: 0.9, nesterov: true),
    schedule: .cosine(from: 0.1, over: 12), validating: validates ? ToyBatches(size: 7) : nil, epochs: 2, clipping: 0.5,
    sharpness: sharpness, communicator: communicator, synchronizesBatchNorms: synchronized)
  if let bucketSize { fit.bucketSize = bucketSize }
  return Outcome(model, try fit.run())
}

struct DataParallelTests {
  @Test(arguments: [2, 3, 4], [8, 9])
  func ranksEndWithTheWeightsOfOneProcess(ranks: Int, size: Int) throws {
    let one = try train(SingleProcess(), size: size, validates: true)
    let all = try ThreadCommunicator.run(ranks) { try train($0, size: size, validates: true) }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(all[0].distance(from: one) < tolerance, "\(all[0].distance(from: one))")
    for (a, b) in zip(all[0].reports, one.reports) {
      #expect(abs(a.loss - b.loss) < Double(tolerance) && a.accuracy == b.accuracy && a.step == b.step)
      #expect(a.validation?.top1 == b.validation?.top1 && a.validation?.count == 35)
    }
  }

  @Test func thereMayBeMoreRanksThanImages() throws {
    let one = try train(SingleProcess(), size: 2)
    let all = try ThreadCommunicator.run(5) { try train($0, size: 2) }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(all[0].distance(from: one) < tolerance, "\(all[0].distance(from: one))")
  }

  @Test(arguments: [1, 20, 60], [2, 9])
  func bucketsThatAreSummedInTheBackwardPassGiveTheSameBits(bucketSize: Int, size: Int) throws {
    for synchronized in [false, true] {
      let whole = try ThreadCommunicator.run(3) {
        try train($0, size: size, norm: synchronized, synchronized: synchronized)
      }
      let parts = try ThreadCommunicator.run(3) {
        try train($0, size: size, norm: synchronized, synchronized: synchronized, bucketSize: bucketSize)
      }
      #expect(parts == whole)
    }
    let sharp = try ThreadCommunicator.run(3) { try train($0, size: size, sharpness: 0.05, bucketSize: bucketSize) }
    #expect(try sharp == ThreadCommunicator.run(3) { try train($0, size: size, sharpness: 0.05) })
  }

  @Test func sharpnessAwareStepsAreThoseOfOneProcess() throws {
    let one = try train(SingleProcess(), size: 9, sharpness: 0.05)
    let all = try ThreadCommunicator.run(3) { try train($0, size: 9, sharpness: 0.05) }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(all[0].distance(from: one) < tolerance, "\(all[0].distance(from: one))")
  }

  @Test func batchNormsHaveTheSameWeightsAndStatisticsOnAllRanks() throws {
    let all = try ThreadCommunicator.run(3) { try train($0, size: 9, norm: true) }
    #expect(all.allSatisfy { $0 == all[0] })
    let one = try train(SingleProcess(), size: 9, norm: true)
    // Not the same, as each rank normalises by its own images, and not far either.
    #expect(all[0] != one && all[0].distance(from: one) < 0.5, "\(all[0].distance(from: one))")
  }

  @Test(arguments: [(2, 9), (3, 8), (5, 3)])
  func synchronisedBatchNormsAreThoseOfOneProcess(ranks: Int, size: Int) throws {
    let one = try train(SingleProcess(), size: size, norm: true)
    let all = try ThreadCommunicator.run(ranks) { try train($0, size: size, norm: true, synchronized: true) }
    #expect(all.allSatisfy { $0 == all[0] })
    // A norm of a few images amplifies rounding.
    #expect(all[0].distance(from: one) < 20 * tolerance, "\(all[0].distance(from: one))")
  }

  @Test(arguments: [(3, 9), (4, 2)])
  func dropoutDrawsOtherElementsOnEachRankAndLeavesOneGenerator(ranks: Int, size: Int) throws {
    let all = try ThreadCommunicator.run(ranks) { try train($0, size: size, dropout: true) }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(all[0].generators == (try train(SingleProcess(), size: size, dropout: true)).generators)
    let masks = try ThreadCommunicator.run(2) { communicator in
      let dropout = Dropout(0.5, seed: 1)
      return RankScope.$current.withValue(RankScope(rank: communicator.rank, normalizing: nil)) {
        dropout(.ones([64])).scalars
      }
    }
    #expect(masks[0] != masks[1])
    #expect(masks[0] == Dropout(0.5, seed: 1)(.ones([64])).scalars)
  }

  @Test func theStateOfTheFirstRankIsThatOfAll() throws {
    // Other weights on each rank, and the first has begun already.
    let all = try ThreadCommunicator.run(3) { try train($0, size: 9, seed: UInt64($0.rank + 1)) }
    #expect(all.allSatisfy { $0 == all[0] })
    #expect(all[0].distance(from: try train(SingleProcess(), size: 9)) < tolerance)
  }

  @Test(arguments: [nil, 20]) func aNonFiniteLossOnOneRankStopsAllBeforeTheWeights(bucketSize: Int?) throws {
    let all = try ThreadCommunicator.run(3) { communicator in
      let model = network()
      var (calls, before) = (0, [[Scalar]]())
      var fit = Fit(
        model, to: ToyBatches(),
        loss: { output, batch in
          calls += 1
          if calls == 4 { before = model.parameters.map { Array($0.wrappedValue.scalars) } }
          return crossEntropy(output, batch) + Tensor(calls == 4 && communicator.rank == 1 ? .nan : 0)
        }, optimizer: SGD(model, learningRate: 0.1), epochs: 2, communicator: communicator)
      if let bucketSize { fit.bucketSize = bucketSize }
      let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
      #expect(model.parameters.map { Array($0.wrappedValue.scalars) } == before)
      return error
    }
    #expect(
      all
        == [TrainingError?](
          repeating: .nonFiniteLoss(
            epoch: 0, step: 3, value: "nan",
            cause: "every layer's output is finite, the loss itself is not, on rank 1 of 3 (thread)"), count: 3))
  }

  @Test(arguments: [false, true], [nil, 20])
  func aWrongLabelOnOneRankIsAnErrorOnAll(synchronized: Bool, bucketSize: Int?) throws {
    let all = try ThreadCommunicator.run(2) { communicator in
      let model = network(norm: true)
      var batches = ToyBatches().epoch(0)
      batches[2].labels[7] = 2
      var fit = Fit(
        model, to: batches, loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1,
        communicator: communicator, synchronizesBatchNorms: synchronized)
      if let bucketSize { fit.bucketSize = bucketSize }
      return #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
    }
    #expect(all[0] == all[1] && "\(all[0]!)".contains("batch 2 of epoch 0: label 2 is not one of 2 classes"))
    #expect("\(all[0]!)".contains("on rank 1 of 2"))
  }

  @Test func ranksThatDifferSayInWhat() throws {
    func problem(_ make: @escaping @Sendable (Int) -> Fit<Sequential, ToyBatches>) throws -> String {
      let errors = try ThreadCommunicator.run(3) { communicator in
        var fit = make(communicator.rank)
        fit.communicator = communicator
        let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
        return error.map { "\($0)" } ?? "none"
      }
      #expect(Set(errors).count == 1, "\(errors)")
      return errors[0]
    }
    @Sendable func fit(
      _ model: Sequential, _ batches: ToyBatches = .init(), rate: Scalar = 0.9, epochs: Int = 2
    ) -> Fit<Sequential, ToyBatches> {
      Fit(
        model, to: batches, loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1, momentum: rate), epochs: epochs
      )
    }
    #expect(try problem { fit(network(), epochs: $0 == 2 ? 3 : 2) }.contains("rank 2 of 3 (thread) has 'epochs 3'"))
    #expect(try problem { fit(network(), rate: $0 == 1 ? 0.8 : 0.9) }.contains("'momentum 0.8'"))
    #expect(try problem { fit(network(norm: $0 == 1)) }.contains("the parameters"))
    #expect(try problem { fit(network(), .init(batchCount: $0 + 4)) }.contains("batches of an epoch 5"))
    #expect(try problem { fit(network(), .init(size: $0 == 1 ? 9 : 8)) }.contains("other images or labels"))
  }

  @Test func allStopAtTheStepAtWhichOneIsAsked() throws {
    let all = try ThreadCommunicator.run(3) { communicator in
      let model = network()
      var calls = 0
      var fit = Fit(
        model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 2,
        communicator: communicator,
        shouldStop: {
          calls += 1
          return communicator.rank == 2 && calls == 3
        })
      let stopped = fit.next()?.stopped
      return (stopped, fit.position.step)
    }
    #expect(all.allSatisfy { $0.0 == .interrupted(epoch: 0, step: 3) && $0.1 == 3 })
  }

  @Test(arguments: [nil, Mixing.mixup(alpha: 0.4), .cutMix(alpha: 1)] as [Mixing?])
  func partsOfAugmentedBatchesAreThoseOfTheWholeBatch(mixing: Mixing?) throws {
    var g = SplittableGenerator(seed: 3)
    let pixels = (0..<50 * 8 * 8 * 3).map { _ in UInt8.random(in: 0...255, using: &g) }
    let images = try LabeledImages(
      name: "random", pixels: pixels, labels: (0..<50).map { $0 % 3 }, imageShape: [8, 8, 3],
      classNames: ["a", "b", "c"])
    let batches = Batches(
      of: images, size: 16, shuffledBy: SplittableGenerator(seed: 1),
      augmentation: .randomCrop(padding: 2) + .horizontalFlip + .colourJitter(), mixing: mixing)
    let whole = Array(batches.epoch(1))
    #expect(whole.map(\.labels.count) == [16, 16, 16, 2])
    for ranks in [2, 3] {
      let parts = (0..<ranks).map { rank in
        elements(of: batches.epoch(1, from: 1, shard: Shard(rank: rank, of: ranks)))
      }
      for (number, batch) in whole.enumerated().dropFirst() {
        let shards = parts.map { $0[number - 1] }
        #expect(Set(shards.map(\.fingerprint)).count == 1 && shards.allSatisfy { $0.wholeCount == batch.labels.count })
        let found = shards.compactMap(\.batch)
        #expect(found.flatMap(\.indices) == batch.indices)
        #expect(found.flatMap { Array($0.images.scalars) } == Array(batch.images.scalars))
        #expect(found.flatMap { $0.targets.map { Array($0.scalars) } ?? [] } == Array(batch.targets?.scalars ?? []))
      }
    }
  }

  @Test func anEvaluationOnSeveralRanksIsThatOfOneBitForBit() throws {
    let batches = ToyBatches(batchCount: 7, size: 5).epoch(0)
    let one = try evaluate(network(), on: batches)
    let all = try ThreadCommunicator.run(3) { try evaluate(network(), on: batches, communicator: $0) }
    for found in all {
      #expect(found.summary == one.summary && found.labels == one.labels && found.confusion == one.confusion)
      #expect(found.probabilities.scalars == one.probabilities.scalars)
    }
  }
}

/// The elements of a sequence of unknown type.
private func elements<Element>(of sequence: any Sequence<Element>) -> [Element] {
  func all(_ sequence: some Sequence<Element>) -> [Element] { sequence.map { $0 } }
  return all(sequence)
}
