import Testing
import Training

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
