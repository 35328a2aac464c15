import Testing
import Training

struct FitTests {
  @Test func aNetworkLearnsAndReportsIt() throws {
    let model = toyModel()
    var steps: [StepReport] = []
    var fit = Fit(
      model, to: ToyBatches(batchCount: 20, size: 32), loss: crossEntropy,
      optimizer: Adam(model, learningRate: 0.02), schedule: .cosine(from: 0.02, over: 160),
      validating: ToyBatches(batchCount: 4, size: 32), epochs: 8, clipping: 5, onStep: { steps.append($0) })
    let reports = try fit.run()
    #expect(reports.map(\.epoch) == Array(0..<8))
    #expect(reports.last!.loss < 0.7 * reports[0].loss)
    #expect(try #require(reports.last?.validation?.top1) > 0.85)
    #expect(reports.last!.learningRate < 0.001 && reports[0].isBest && reports.last!.step == 160)
    #expect(reports.allSatisfy { $0.imagesPerSecond > 0 && $0.accuracy != nil })
    #expect(steps.map(\.position.step) == Array(1...160))
    #expect(fit.next() == nil)
  }

  @Test func layersAreInTrainingModeInTheEpochOnlyAndKeepTheirModeAfterwards() throws {
    let model = toyModel()
    let dropout = model[3] as! Dropout
    model.evaluate()
    var modes: [Bool] = []
    for _ in Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1),
      validating: ToyBatches(), epochs: 2, onStep: { _ in modes.append(dropout.isTraining) })
    { #expect(!dropout.isTraining) }
    #expect(modes == [Bool](repeating: true, count: 10))
    model.train()
    _ = try evaluate(model, on: ToyBatches().epoch(0))
    #expect(dropout.isTraining)
  }

  @Test func aLossThatIsNotFiniteStopsBeforeTheWeightsAndNamesTheStep() {
    let model = toyModel()
    var calls = 0
    var atFault: [[Scalar]] = []
    var fit = Fit(
      model, to: ToyBatches(),
      loss: { output, batch in
        calls += 1
        guard calls == 8 else { return crossEntropy(output, batch) }
        atFault = model.parameters.map(\.wrappedValue.scalars)
        return crossEntropy(output, batch) + Tensor(.nan)
      }, optimizer: SGD(model, learningRate: 0.1), epochs: 3)
    let error = #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
    #expect(
      error
        == .nonFiniteLoss(
          epoch: 1, step: 7, value: "nan", cause: "every layer's output is finite, the loss itself is not"))
    #expect(error?.description.contains("step 7 of epoch 1") == true)
    #expect(model.parameters.map(\.wrappedValue.scalars) == atFault)
    #expect(fit.next() == nil)
  }

  @Test func anEmptyEpochIsAnError() {
    let model = toyModel()
    let reports = Array(
      Fit(model, to: [ToyBatch](), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 3))
    #expect(reports.map(\.stopped) == [.emptyEpoch(0)])
  }

  @Test func whatIsNoClassifierIsMeasuredByItsLoss() throws {
    let model = Sequential { Given() }
    let report = try #require(
      Array(
        Fit(
          model, to: ToyBatches(), loss: { output, _ in output.sumOfSquares }, optimizer: SGD(model, learningRate: 0.1),
          validating: ToyBatches(), epochs: 1, classifies: false)
      ).first)
    #expect(report.accuracy == nil && report.validation?.top1 == nil)
    #expect(report.validation?.loss == report.loss)
  }
}

extension Tensor {
  fileprivate var sumOfSquares: Tensor { Tensor(scalars.reduce(0) { $0 + $1 * $1 }) }
}
