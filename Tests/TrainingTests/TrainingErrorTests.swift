import Foundation
import TestSupport
import Testing
import Training

/// A loop that would train nothing, or on what is no data, ends with an error that says so.
@Suite("Errors of training") struct TrainingErrorTests {
  private func error(
    of model: Sequential, to batches: [ToyBatch] = ToyBatches().epoch(0), optimizer: (any Optimizer)? = nil,
    validating: [ToyBatch]? = nil, loss: @escaping (Tensor, ToyBatch) -> Tensor = crossEntropy
  ) -> TrainingError? {
    var fit = Fit(
      model, to: batches, loss: loss, optimizer: optimizer ?? SGD(model, learningRate: 0.1), validating: validating,
      epochs: 1)
    return #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
  }

  @Test func anOptimizerOfAnotherModelIsNamed() {
    let error = error(of: toyModel(), optimizer: SGD(toyModel(), learningRate: 0.1))
    #expect(error == .optimizerOfAnotherModel && error?.description.contains("another model") == true)
  }

  @Test func anOptimizerOfFrozenPartsChangesNothing() {
    let model = toyModel()
    model[0].freeze()
    #expect(self.error(of: model, optimizer: SGD(model[0], learningRate: 0.1)) == .optimizerOfAnotherModel)
    // That of a part that is trained is right.
    var fit = Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model[4], learningRate: 0.1), epochs: 1)
    #expect(throws: Never.self) { try fit.run() }
  }

  @Test func aLossWithoutTheModelIsNamed() {
    #expect(error(of: toyModel(), loss: { _, _ in Tensor(1) }) == .lossIgnoresModel)
    #expect(error(of: toyModel(), loss: { crossEntropy($0.detached, $1) }) == .lossIgnoresModel)
  }

  @Test func aFrozenModelIsNamed() {
    let model = toyModel()
    model.freeze()
    #expect(error(of: model) == .everythingFrozen)
  }

  private func batches(label: Int) -> [ToyBatch] {
    var batches = ToyBatches().epoch(0)
    batches[2].labels[3] = label
    return batches
  }

  @Test(arguments: [2, 7, -1]) func aLabelOutsideTheClassesIsNamedWithItsBatch(label: Int) throws {
    let batches = batches(label: label)
    let training = error(of: toyModel(), to: batches)
    guard case .invalidBatch(epoch: 0, batch: 2, let problem) = training else {
      Issue.record("\(String(describing: training))")
      return
    }
    #expect(problem.contains("label \(label) is not one of 2 classes"))
    let validation = error(of: toyModel(), validating: batches)
    #expect(validation?.description.contains("batch 2 of epoch 0: ") == true)
    #expect(validation?.description.contains("in the validation") == true)
    let evaluation = #expect(throws: TrainingError.self) { () throws(TrainingError) in
      try evaluate(toyModel(), on: batches)
    }
    #expect(evaluation?.description.hasPrefix("batch 2: ") == true)
    #expect(evaluation?.description.contains("label \(label) is not one of 2 classes") == true)
  }

  @Test func theWeightsAreThoseBeforeTheBatch() {
    let model = toyModel()
    var fit = Fit(
      model, to: batches(label: 9), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1)
    let report = fit.next()
    #expect(report?.step == 2 && fit.position.batch == 2 && fit.next() == nil)
  }

  @Test func anEmptyBatchAndMissingLabelsAreNamed() {
    var batches = ToyBatches().epoch(0)
    batches[1] = ToyBatch(images: .zeros([0, 2]), labels: [])
    let model = Sequential([toyModel()[0], toyModel()[4]])
    #expect(
      error(of: model, to: batches)?.description.hasPrefix("batch 1 of epoch 0: softmaxCrossEntropy: logits [0, 2]")
        == true)
    batches[1] = ToyBatch(images: .zeros([4, 2]), labels: [1])
    #expect(error(of: model, to: batches)?.description.contains("logits [4, 2] do not fit 1 labels") == true)
  }

  @Test func anInferenceModelHasNothingToTrainAndNothingToSave() throws {
    let inference = try toyModel().optimizedForInference()
    var fit = Fit(
      inference, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(inference, learningRate: 0.1), epochs: 1)
    #expect(throws: TrainingError.everythingFrozen) { try fit.run() }
    try withFolder { folder in
      let error = #expect(throws: CheckpointError.self) {
        try inference.save(to: folder.appendingPathComponent("a.safetensors"))
      }
      #expect("\(error!)".contains("has no weights of its own to save"))
    }
  }

  @Test func batchNormOfASingleImageIsNamed() {
    var batches = ToyBatches().epoch(0)
    batches[4] = ToyBatch(images: .ones([1, 2]), labels: [1])
    let model = toyModel()
    let error = error(of: model, to: batches)
    #expect(
      error?.description
        == "batch 4 of epoch 0: BatchNorm2d: input [1, 16] has a single value per channel, training needs more")
    // In evaluation one image is as good as any.
    #expect(throws: Never.self) { try evaluate(model, on: batches) }
  }

  @Test func aLastBatchOfOneImageJoinsTheOneBefore() throws {
    let images = try LabeledImages(
      name: "numbers", pixels: (0..<17 * 4).map { UInt8($0) }, labels: (0..<17).map { $0 % 2 }, imageShape: [2, 2, 1],
      classNames: ["a", "b"])
    for generator in [nil, SplittableGenerator(seed: 1)] {
      let batches = Batches(of: images, size: 8, shuffledBy: generator)
      let epoch = Array(batches.epoch(0))
      #expect(batches.batchCount == 2 && epoch.map(\.labels.count) == [8, 9])
      #expect(epoch.flatMap(\.indices).sorted() == Array(0..<17))
    }
    #expect(Batches(of: images, size: 8, droppingLast: true).map(\.labels.count) == [8, 8])
    #expect(Batches(of: images, size: 5).map(\.labels.count) == [5, 5, 5, 2])
    #expect(Batches(of: images, size: 1).batchCount == 17 && Batches(of: images, size: 20).batchCount == 1)
    var g = SplittableGenerator(seed: 1)
    let model = Sequential {
      Flatten()
      Linear(4, 8, using: &g)
      BatchNorm2d(8)
      Linear(8, 2, using: &g)
    }
    var fit = Fit(
      model, to: Batches(of: images, size: 8, shuffledBy: g), loss: { softmaxCrossEntropy($0, labels: $1.labels) },
      optimizer: SGD(model, learningRate: 0.1), epochs: 2)
    #expect(throws: Never.self) { try fit.run() }
  }

  @Test func theNaturalLoopSavesThePosition() throws {
    let model = toyModel()
    let optimizer = SGD(model, learningRate: 0.1)
    let fit = Fit(model, to: ToyBatches(), loss: crossEntropy, optimizer: optimizer, epochs: 3)
    var positions: [TrainingPosition] = []
    for report in fit {
      positions.append(TrainingCheckpoint(model, optimizer, at: fit.position).position)
      #expect(fit.position.step == report.step)
    }
    #expect(positions.map(\.epoch) == [1, 2, 3] && positions.map(\.step) == [5, 10, 15])
  }

  @Test func aRegressionOfOneColumnIsNotAClassifier() throws {
    let model = Sequential([Lambda { $0.sliced(0..<1, axis: 1) }])
    let evaluation = try evaluate(model, on: ToyBatches().epoch(0)) { output, _ in square(output).mean() }
    #expect(evaluation.summary.top1 == nil && evaluation.loss > 0)
  }
}

/// What a user writes around a loop.
@Suite("Layers in training") struct LayersInTrainingTests {
  private final class SelfAware: Layer {
    let inner = toyModel()
    func callAsFunction(_ x: Tensor) -> Tensor { inner(x) }
    func accuracy(_ batches: [ToyBatch]) throws -> Double { try evaluate(self, on: batches).top1 }
    func loss(_ batches: [ToyBatch]) throws -> Double { try evaluate(self, on: batches, loss: crossEntropy).loss }
  }

  @Test func aLayerEvaluatesItself() throws {
    let model = SelfAware()
    let batches = ToyBatches().epoch(0)
    #expect(try model.accuracy(batches) == evaluate(model, on: batches).top1)
    #expect(try model.loss(batches) == evaluate(model, on: batches).loss)
  }

  @Test func aLayerOfAnyTypeIsTrainedAsItIs() throws {
    func reports(_ model: any Layer) throws -> [Double] {
      var fit = Fit(model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 2)
      return try fit.run().map(\.loss)
    }
    let model = toyModel()
    var typed: Fit<Sequential, ToyBatches> = Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 2)
    #expect(try reports(toyModel()) == typed.run().map(\.loss))
    #expect(AnyLayer(model).namedParameters.map(\.name) == model.namedParameters.map(\.name))
    #expect(AnyLayer(Dropout(0.5, seed: 1)).namedStochasticModules.count == 1)
  }

  @Test func aChainTakesFunctions() throws {
    var g = SplittableGenerator(seed: 1)
    let chain = Sequential {
      Linear(2, 4, using: &g)
      relu
      Lambda { leakyReLU($0, slope: 0.2) }
      Linear(4, 2, using: &g)
    }
    #expect(chain.namedParameters.map(\.name) == ["0.weight", "0.bias", "3.weight", "3.bias"])
    #expect(chain(.ones([3, 2])).shape == [3, 2])
  }

  @Test func tiedParametersAreSavedOnceAndLoadedUnderAnyName() throws {
    final class Tied: Layer {
      let encoder: Linear
      let decoder: Linear
      init(_ seed: UInt64) {
        var g = SplittableGenerator(seed: seed)
        encoder = Linear(2, 2, using: &g)
        decoder = encoder
      }
      func callAsFunction(_ x: Tensor) -> Tensor { decoder(encoder(x)) }
    }
    let (a, b) = (Tied(1), Tied(2))
    let state = a.stateDictionary
    #expect(state.keys.sorted() == ["encoder.bias", "encoder.weight"])
    try b.load(state)
    #expect(b.stateDictionary.mapValues(\.scalars) == state.mapValues(\.scalars))
    // As PyTorch saves it: under both names.
    var both = state
    for (name, tensor) in state { both[name.replacingOccurrences(of: "encoder", with: "decoder")] = tensor }
    try Tied(3).load(both)
    both["decoder.bias"] = Tensor([7, 7])
    let error = #expect(throws: (any Error).self) { try Tied(3).load(both) }
    #expect("\(error!)".contains("'decoder.bias' and 'encoder.bias' differ"))
    let other = state.reduce(into: StateDictionary()) { $0["decoder" + $1.key.dropFirst(7)] = $1.value }
    try b.load(other)
  }
}
