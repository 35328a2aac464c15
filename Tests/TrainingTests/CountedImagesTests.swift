import TestSupport
import Testing
import Training

/// What is a mean over fewer images than a batch has, or over none.
@Suite("Images that count") struct CountedImagesTests {
  private func leavingOut(_ logits: Tensor, _ batch: ToyBatch) -> Tensor {
    softmaxCrossEntropy(logits, labels: batch.labels, ignoring: -1)
  }

  /// A batch of 8 of which two count, a whole one, and one of which none does.
  private let batches: [ToyBatch] = {
    var batches = Array(ToyBatches().epoch(0).prefix(3))
    batches[0].labels = batches[0].labels.prefix(2) + [Int](repeating: -1, count: 6)
    batches[2].labels = [Int](repeating: -1, count: 8)
    return batches
  }()

  @Test func theMeanLossIsThatOfTheImagesThatCount() throws {
    let model = toyModel()
    let counted = [
      ToyBatch(images: batches[0].images[0..<2], labels: Array(batches[0].labels[0..<2])), batches[1],
    ]
    let evaluation = try evaluate(model, on: batches, loss: leavingOut)
    let wanted = try evaluate(model, on: counted, loss: crossEntropy)
    #expect(abs(evaluation.loss - wanted.loss) < 1e-6 && evaluation.top1 == wanted.top1)

    func trained(_ batches: [ToyBatch], _ loss: @escaping (Tensor, ToyBatch) -> Tensor) throws -> Double {
      // Without batch norm and dropout, which see the others too.
      let (layers, all) = (toyModel(), batches)
      let model = Sequential([layers[0], layers[4]])
      var fit = Fit(model, to: all, loss: loss, optimizer: SGD(model, learningRate: 0), epochs: 1)
      return try fit.run()[0].loss
    }
    #expect(try abs(trained(Array(batches[0..<2]), leavingOut) - trained(counted, crossEntropy)) < 1e-6)
  }

  @Test func aBatchThatIsLeftOutWholeStopsTheTrainingWithAReason() {
    let model = toyModel()
    var fit = Fit(
      model, to: batches, loss: leavingOut, optimizer: SGD(model, learningRate: 0.1), epochs: 1)
    let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
    #expect(error?.description.contains("every label of the batch is negative") == true)
  }

  @Test func anEvaluationOnNothingIsAnError() {
    let model = toyModel()
    let none = #expect(throws: TrainingError.self) { () throws(TrainingError) in
      try evaluate(model, on: [ToyBatch]())
    }
    #expect(none?.description == "batch 0: there is no batch, or no image in any")
    let unlabelled = #expect(throws: TrainingError.self) { () throws(TrainingError) in
      try evaluate(model, on: [batches[2]], loss: leavingOut)
    }
    #expect(unlabelled?.description.contains("no image of any batch has a label that counts") == true)
    var fit = Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), validating: [ToyBatch](),
      epochs: 1)
    let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
    #expect(error?.description.contains("there is no batch, or no image in any, in the validation") == true)
  }

  @Test func anEmptyBatchIsAnErrorForAnyMean() {
    let model = Sequential { Given() }
    let empty = [ToyBatch(images: .zeros([0, 2]), labels: [])]
    let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in
      try evaluate(model, on: empty) { output, _ in square(output).mean() }
    }
    #expect(error?.description == "batch 0: mean: nothing to take the mean of in shape [0, 2]")
  }

  @Test func anIndexOutsideOfAnEmbeddingIsAnErrorOfItsBatch() {
    final class Words: Layer {
      let embedding: Embedding
      init() {
        var g = SplittableGenerator(seed: 1)
        embedding = Embedding(4, 2, using: &g)
      }
      func callAsFunction(_ x: Tensor) -> Tensor { embedding((0..<x.shape[0]).map { $0 + 1 }) }
    }
    let model = Words()
    var fit = Fit(model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1)
    let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
    #expect(error?.description == "batch 0 of epoch 0: Embedding: the index 4 is not in 0..<4")
  }

  @Test func aClassifierOfNaNHasItsClassInTheTopAsOftenAsByPlace() throws {
    let nan = Sequential([Lambda { $0 * .nan }])
    let labels = ToyBatches().epoch(0)[0].labels
    let summary = try evaluate(nan, on: ToyBatches().epoch(0).prefix(1), k: 1).summary
    // All are equal, and the first of equals comes first.
    #expect(summary.topK == summary.top1)
    #expect(summary.topK == Double(labels.count { $0 == 0 }) / Double(labels.count))
  }

  @Test func aMetricOfAResumedRunIsTheMeanOverItsOwnImages() {
    let model = toyModel()
    func fit(_ metrics: [String: Metric<ToyBatch>], from start: TrainingPosition, stopsAt stop: Int) -> EpochReport? {
      var (steps, fit) = (
        0,
        Fit(
          model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1,
          metrics: metrics, startingAt: start)
      )
      fit.shouldStop = {
        steps += 1
        return steps == stop
      }
      defer { position = fit.position }
      return fit.next()
    }
    var position = TrainingPosition()
    let one: Metric<ToyBatch> = { _, _ in 1 }
    _ = fit(["old": one, "both": one], from: position, stopsAt: 2)
    let report = fit(["both": one, "new": one], from: position, stopsAt: 9)
    #expect(report?.metrics == ["both": 1, "new": 1])
  }

  @Test func theSearchForALearningRateNamesALabelAndRestoresTheModel() throws {
    let model = toyModel()
    let before = model.parameters.map(\.wrappedValue.scalars)
    var wrong = ToyBatches().epoch(0)
    wrong[2].labels[0] = 9
    let error = #expect(throws: TrainingError.self) {
      try LearningRateSearch(of: model, on: wrong, loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1))
    }
    #expect(error?.description == "batch 2 of epoch 0: softmaxCrossEntropy: label 9 is not one of 2 classes")
    #expect(model.parameters.map(\.wrappedValue.scalars) == before)
  }

  @Test func twoTensorsOfOneNameAreSaidBeforeTheFirstStep() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      final class Twins: Layer {
        let (convA, conv_a) = (toyModel(), toyModel())
        func callAsFunction(_ x: Tensor) -> Tensor { convA(x) + conv_a(x) }
      }
      let model = Twins()
      _ = Fit(model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("two tensors of Twins are named 'conv_a.0.weight'"), "\(text.prefix(500))")
  }
}
