import Layers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The loss of a model as the learning rate grows from step to step, to choose a rate by: Smith's range test.
///
/// ```swift
/// let search = try LearningRateSearch(of: model, on: batches, loss: loss, optimizer: optimizer)
/// print(search.rates, search.losses)
/// optimizer.learningRate = search.suggestion ?? 1e-3
/// ```
/// Smith: "Cyclical learning rates for training neural networks", arXiv 1506.01186, section 3.3.
public struct LearningRateSearch: Sendable {
  /// The rate of each step.
  public private(set) var rates: [Scalar] = []
  /// The loss of each step, smoothed over the steps before it.
  public private(set) var losses: [Double] = []

  /// Trains `model` for `steps` steps, each at a higher rate, and restores it, its random layers and the optimizer.
  ///
  /// Ends before that where the loss is four times the least so far, NaN or infinite.
  /// - Parameters:
  ///   - source: Its epochs are repeated as long as needed.
  ///   - range: The first rate and the last.
  /// - Throws: A ``TrainingError/invalidBatch(epoch:batch:problem:)`` where a label is not one of the classes, and what the optimizer
  ///   throws where it does not load its own state.
  public init<Model: Layer, Source: BatchSource>(
    of model: Model, on source: Source, loss: (_ output: Tensor, _ batch: Source.Batch) -> Tensor,
    optimizer: any Optimizer, in range: ClosedRange<Scalar> = 1e-6...10, steps: Int = 100
  ) throws {
    require(range.lowerBound > 0 && steps > 1, "LearningRateSearch: \(steps) steps in \(range)")
    let saved = Snapshot(model, optimizer)
    let growth = pow(Double(range.upperBound / range.lowerBound), 1 / Double(steps - 1))
    var (mean, least, epoch) = (0.0, Double.infinity, 0)
    var problem: TrainingError?
    model.training {
      while rates.count < steps {
        let before = rates.count
        let faults = DataFaults()
        var (batches, number) = (source.epoch(epoch).makeIterator(), -1)
        while rates.count < steps, let batch = faults.collecting({ batches.next() }) {
          number += 1
          let rate = Scalar(Double(range.lowerBound) * pow(growth, Double(rates.count)))
          let (value, gradients) = faults.collecting {
            valueWithGradient(of: model) { loss($0(batch.images), batch) }
          }
          if let fault = faults.first {
            problem = .invalidBatch(epoch: epoch, batch: number, problem: fault)
            return
          }
          mean = 0.9 * mean + 0.1 * Double(value.item)
          let smoothed = mean / (1 - pow(0.9, Double(rates.count + 1)))
          guard smoothed.isFinite, smoothed <= 4 * least || least <= 0 else { return }
          least = min(least, smoothed)
          rates.append(rate)
          losses.append(smoothed)
          optimizer.learningRate = rate
          optimizer.update(with: gradients)
        }
        guard rates.count > before else { return }
        epoch += 1
      }
    }
    try saved.restore(model, optimizer)
    if let problem { throw problem }
  }

  /// A tenth of the rate with the least loss: where the loss still falls; nil where it never fell.
  public var suggestion: Scalar? {
    guard let least = losses.indices.min(by: { losses[$0] < losses[$1] }), least > 0 else { return nil }
    return rates[least] / 10
  }
}

/// What training changes.
private struct Snapshot {
  private let parameters: [Tensor]
  private let buffers: [Tensor]
  private let generators: [SplittableGenerator]
  private let optimizer: [String: Tensor]

  init(_ model: any Module, _ optimizer: any Optimizer) {
    parameters = model.parameters.map(\.wrappedValue.detached)
    buffers = model.namedBuffers.map(\.buffer.wrappedValue)
    generators = model.namedStochasticModules.map(\.module.generator)
    self.optimizer = optimizer.state
  }

  func restore(_ model: any Module, _ optimizer: any Optimizer) throws(OptimizerStateError) {
    for (parameter, value) in zip(model.parameters, parameters) { parameter.wrappedValue = value }
    for (named, value) in zip(model.namedBuffers, buffers) { named.buffer.wrappedValue = value }
    for (named, generator) in zip(model.namedStochasticModules, generators) { named.module.generator = generator }
    try optimizer.load(self.optimizer)
  }
}
