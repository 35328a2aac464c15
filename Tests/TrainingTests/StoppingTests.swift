import Synchronization
import Testing

@testable import Training

struct StoppingTests {
  @Test func stoppingComesAfterEpochsWithoutImprovement() {
    var stopping = EarlyStopping(patience: 2, minimumChange: 0.1)
    let asked = [1.0, 0.95, 0.8, 0.75, 0.71].map { stopping.shouldStop(after: $0) }
    #expect(asked == [false, false, false, false, true])
    #expect(stopping.best == 0.8 && stopping.epochsWithoutImprovement == 2)
  }

  @Test func metricsOfOnesOwnAreMeansOverImages() throws {
    let model = Sequential { Given() }
    let metrics: [String: Metric<ToyBatch>] = [
      "mean": { output, _ in Double(output.mean().item) }, "images": { _, batch in Double(batch.labels.count) },
    ]
    let sizes = [ToyBatches(batchCount: 1, size: 2).epoch(0)[0], ToyBatches(batchCount: 1, size: 6).epoch(1)[0]]
    var fit = Fit(
      model, to: sizes, loss: { output, _ in (output * output).mean() }, optimizer: SGD(model, learningRate: 0.1),
      validating: sizes, epochs: 1, classifies: false, metrics: metrics)
    let report = try fit.run()[0]
    let all = Tensor.concatenated(sizes.map(\.images)).mean().item
    #expect(report.metrics?["images"] == 5)
    #expect(abs(try #require(report.metrics?["mean"]) - Double(all)) < 1e-6)
    #expect(report.validation?.metrics == report.metrics)
    let text = report.description
    #expect(
      text.contains("validation loss ") && text.contains("  images 5.0000") && text.contains("validation images 5.0000")
    )
    let curves = LearningCurves([report])
    #expect(curves.metric("images") == [5] && curves.validationMetric("images") == [5])
    #expect(
      curves.csv.split(separator: "\n")[0].hasSuffix("images_per_second,images,validation_images,mean,validation_mean"))
    #expect(
      try evaluate(model, on: sizes, metrics: metrics) { output, _ in output.mean() }.summary.metrics == report.metrics)
  }

  @Test func metricsOfAnEpochAreResumedWithIt() throws {
    func fit(_ start: TrainingPosition = .init(), stop: Bool) -> Fit<Sequential, ToyBatches> {
      let model = Sequential { Given() }
      var steps = 0
      return Fit(
        model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.1), epochs: 1,
        metrics: ["first": { output, _ in Double(output.scalars[0]) }], startingAt: start,
        shouldStop: {
          steps += 1
          return stop && steps == 2
        })
    }
    var whole = fit(stop: false)
    var first = fit(stop: true)
    _ = first.next()
    var second = fit(first.position, stop: false)
    #expect(second.next()?.metrics == whole.next()?.metrics)
  }

  @Test func aLearningRateIsFoundAndNothingIsChanged() throws {
    let model = toyModel()
    let optimizer = Adam(model, learningRate: 0.25)
    let before = (model.parameters.map(\.wrappedValue.scalars), model.namedBuffers.map(\.buffer.wrappedValue.scalars))
    let dropout = model[3] as! Dropout
    let generator = dropout.generator
    let search = try LearningRateSearch(
      of: model, on: ToyBatches(batchCount: 20, size: 32), loss: crossEntropy, optimizer: optimizer, in: 1e-5...100,
      steps: 60)
    #expect(search.rates.count == search.losses.count && (10...60).contains(search.rates.count))
    #expect(search.rates[0] == 1e-5 && zip(search.rates, search.rates.dropFirst()).allSatisfy { $0 < $1 })
    let suggestion = try #require(search.suggestion)
    #expect((1e-4...1).contains(suggestion))
    #expect(model.parameters.map(\.wrappedValue.scalars) == before.0)
    #expect(model.namedBuffers.map(\.buffer.wrappedValue.scalars) == before.1)
    #expect(dropout.generator == generator)
    #expect(optimizer.learningRate == 0.25 && optimizer.state.count == 1)
  }
}

/// Images that can no longer be read while a model is trained on them.
struct UnreadableImagesTests {
  private struct Lost: Error {}
  private struct Source: ImageDataset {
    let name = "lost"
    let count = 12
    let classNames = ["x", "y", "z"]
    let imageShape: Shape = [2, 2, 1]
    func label(at index: Int) -> Int { index % 3 }
    func image(at index: Int) throws -> [UInt8] {
      if index == 9 { throw Lost() }
      return [UInt8](repeating: UInt8(index), count: 4)
    }
  }

  private func model() -> Sequential {
    var generator = SplittableGenerator(seed: 1)
    return Sequential(Flatten(), Linear(4, 3, using: &generator))
  }

  @Test func trainingStopsAtTheBatchAndChangesNothingByIt() throws {
    let model = model()
    var steps = 0
    let batches = try Batches(of: Source(), size: 4)
    var fit = Fit(
      model, to: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
      optimizer: SGD(model, learningRate: 0.1), epochs: 1, onStep: { _ in steps += 1 })
    let error = #expect(throws: TrainingError.self) { try fit.run() }
    #expect("\(try #require(error))".contains("lost: image 9 cannot be read: Lost()"))
    #expect(steps == 2)
  }

  @Test func evaluationAndTheSearchOfALearningRateThrow() throws {
    let model = model()
    let batches = try Batches(of: Source(), size: 4)
    let error = #expect(throws: TrainingError.self) { try evaluate(model, on: batches) }
    #expect("\(try #require(error))".contains("image 9"))
    #expect(throws: TrainingError.self) {
      try LearningRateSearch(
        of: model, on: batches, loss: { softmaxCrossEntropy($0, labels: $1.labels) },
        optimizer: SGD(model, learningRate: 0.1))
    }
  }

  @Test func aRunThatResumesReadsOnlyTheBatchesThatAreLeft() throws {
    final class Counting: ImageDataset {
      let name = "counting"
      let count = 12
      let classNames = ["x", "y", "z"]
      let imageShape: Shape = [2, 2, 1]
      let read = Mutex<Set<Int>>([])
      func label(at index: Int) -> Int { index % 3 }
      func image(at index: Int) -> [UInt8] {
        read.withLock { _ = $0.insert(index) }
        return [UInt8](repeating: UInt8(index), count: 4)
      }
    }
    let (model, images) = (model(), Counting())
    var position = TrainingPosition()
    position.batch = 2
    var fit = Fit(
      model, to: try Batches(of: images, size: 4), loss: { softmaxCrossEntropy($0, labels: $1.labels) },
      optimizer: SGD(model, learningRate: 0.1), epochs: 1, startingAt: position)
    try fit.run()
    #expect(images.read.withLock { $0 } == [8, 9, 10, 11])
  }
}
