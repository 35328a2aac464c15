/// A running average of a model's parameters and buffers (EMA or SWA), to evaluate or use instead of the last ones.
///
/// ```swift
/// let average = WeightAverage(of: model, .exponential(decay: 0.999))
/// // after each step:
/// average.update()
/// // to evaluate:
/// average.applied { evaluate(model, on: test) }
/// ```
///
/// Parameters and batch norm's running statistics are both averaged; after stochastic weight averaging the statistics are
/// better recomputed with ``Layer/recomputeRunningStatistics(over:)``.
public final class WeightAverage {
  /// The weight of new values.
  public enum Rule: Sendable, Hashable {
    /// `a ← decay a + (1 - decay) w`: EMA.
    case exponential(decay: Scalar)
    /// The mean of all updates. Izmailov et al.: "Averaging weights leads to wider optima and better generalization", 2018.
    case equal
  }

  /// The weight of new values.
  public let rule: Rule
  private let model: any Module
  private var averages: [Tensor]
  /// The number of updates in the average; the first one sets it.
  public private(set) var count = 0

  /// An empty average of `model`'s values.
  public init(of model: any Module, _ rule: Rule) {
    if case .exponential(let decay) = rule {
      require((0...1).contains(decay), "WeightAverage: the decay \(decay) is not in 0...1")
    }
    (self.model, self.rule) = (model, rule)
    averages = model.values
  }

  /// Adds the model's present values to the average.
  public func update() {
    let weight: Scalar =
      switch rule {
      case _ where count == 0: 1
      case .exponential(let decay): 1 - decay
      case .equal: 1 / Scalar(count + 1)
      }
    for (index, value) in model.values.enumerated() {
      averages[index].update(with: value) { average, value, count in
        for i in 0..<count { average[i] += weight * (value[i] - average[i]) }
      }
    }
    count += 1
  }

  /// Runs `body` with the averaged values in the model, then restores the model's values.
  public func applied<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let values = model.values
    model.values = averages
    defer { model.values = values }
    return try body()
  }

  /// Sets the model's values to the averages.
  public func apply() { model.values = averages }

  /// The averages by the names of the model's state, and `count`.
  public var state: [String: Tensor] {
    var state = Dictionary(uniqueKeysWithValues: zip(model.valueNames, averages))
    state["count"] = Tensor(Scalar(count))
    return state
  }

  /// Loads a saved ``state``.
  public func load(_ state: [String: Tensor]) throws(OptimizerStateError) {
    guard let count = state["count"], count.count == 1, count.item >= 0, count.item < 0x1p53 else {
      throw OptimizerStateError(description: "the weight average's state has no 'count'")
    }
    var loaded: [Tensor] = []
    for (name, average) in zip(model.valueNames, averages) {
      guard let tensor = state[name] else {
        throw OptimizerStateError(description: "the weight average's state lacks '\(name)'")
      }
      guard tensor.shape == average.shape else {
        throw OptimizerStateError(
          description: "the weight average's '\(name)' has shape \(tensor.shape), not \(average.shape)")
      }
      loaded.append(tensor.detached)
    }
    averages = loaded
    self.count = Int(count.item)
  }
}

extension Module {
  fileprivate var valueNames: [String] { namedParameters.map(\.name) + namedBuffers.map(\.name) }

  /// All parameters, then all buffers.
  fileprivate var values: [Tensor] {
    get { parameters.map(\.wrappedValue.detached) + namedBuffers.map(\.buffer.wrappedValue) }
    set {
      let parameters = parameters
      for (parameter, value) in zip(parameters, newValue) { parameter.wrappedValue = value }
      for (named, value) in zip(namedBuffers, newValue.dropFirst(parameters.count)) {
        named.buffer.wrappedValue = value
      }
    }
  }
}

extension Layer {
  /// Recomputes batch norm's running statistics as the mean over `batches`, as PyTorch's `update_bn`.
  ///
  /// - Precondition: There is a batch: without one the statistics would be those of a new model.
  public func recomputeRunningStatistics(over batches: some Sequence<Tensor>) {
    var norms: [BatchNorm2d] = []
    if let itself = self as? BatchNorm2d { norms.append(itself) }
    visit { _, part in if let norm = part as? BatchNorm2d { norms.append(norm) } }
    norms = norms.filter { !$0.isFrozen }
    let before = norms.map { (momentum: $0.momentum, isTraining: $0.isTraining) }
    defer {
      for (norm, before) in zip(norms, before) {
        (norm.momentum, norm.isTraining) = (before.momentum, before.isTraining)
      }
    }
    evaluating {
      for norm in norms {
        norm.resetRunningStatistics()
        norm.isTraining = true
      }
      var count = 0
      for batch in batches {
        count += 1
        for norm in norms { norm.momentum = 1 / Scalar(count) }
        _ = self(batch)
      }
      require(count > 0 || norms.isEmpty, "recomputeRunningStatistics: there is no batch to compute them of")
    }
  }
}
