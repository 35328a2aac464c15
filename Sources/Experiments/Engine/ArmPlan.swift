/// The cost of an arm, step by step, before it is run.
public struct ArmPlan {
  /// The run that it is planned for.
  public let run: SeedRun
  /// The budget spent so far.
  public package(set) var budget: TrainingBudget
  /// The variation of the network after the steps so far.
  public var variation = BlockVariation.plain
  /// The cost of an epoch of each stage.
  public var epochCosts: [String: Double] = [:]
  /// The epochs that the step which takes the rest was given.
  public private(set) var restEpochs: Int?
  /// The steps, settled.
  public private(set) var steps: [any Step] = []
  /// The cost that each step adds to the budget.
  package private(set) var costs: [Double] = []
  /// The budget that the other steps leave; nil before that is known.
  private let left: Double?
  private var restCount = 0
  private var beside = TrainingBudget()

  /// Plans `arm`: a step that takes the rest is given what all others leave.
  ///
  /// - Parameter total: The budget of an arm; nil where every step has its number of epochs.
  package init(_ arm: Arm, for run: SeedRun, total: Double?) throws {
    let fixed = try ArmPlan(arm, run, left: nil)
    self =
      try total.flatMap { fixed.restCount > 0 ? try ArmPlan(arm, run, left: $0 - fixed.budget.total) : nil } ?? fixed
    budget.add(beside.items)
  }

  private init(_ arm: Arm, _ run: SeedRun, left: Double?) throws {
    (self.run, self.left) = (run, left)
    budget = TrainingBudget(multiplyAdds: try run.forwardCost(), images: run.images.count)
    for step in arm.steps {
      let before = budget.total + beside.total
      let planned = try step.planned(in: &self)
      steps.append(planned)
      guard restCount < 2 else {
        throw ExperimentError("arm '\(arm.id)': two of its steps take the rest of the budget")
      }
      costs.append(budget.total + beside.total - before)
    }
  }

  /// Returns the number of epochs: for the rest, as many as fill the budget at `costPerEpoch`.
  public mutating func count(_ epochs: Epochs, costPerEpoch: Double) -> Int {
    switch epochs {
    case .count(let count): return count
    case .rest:
      restCount += 1
      restEpochs = left.map { max(1, Int(($0 / costPerEpoch).rounded())) } ?? 0
      return restEpochs!
    }
  }

  /// Adds the cost of `epochs` of training, each of `costPerEpoch` epochs of the baseline.
  public mutating func train(_ name: String, _ epochs: Int, costPerEpoch: Double = 1, stage: String? = nil) {
    budget = budget.training(name, epochs, costPerEpoch: costPerEpoch)
    if let stage { epochCosts[stage] = costPerEpoch }
  }

  /// Adds the cost of a forward pass over the training images.
  public mutating func forward(_ name: String) { budget = budget.forward(name) }

  /// Adds a cost beside the budget, which no arm could pay, such as the training of a larger teacher.
  public mutating func trainBeside(_ name: String, _ epochs: Int, costPerEpoch: Double) {
    let cost = Double(epochs) * costPerEpoch
    guard cost > 0 else { return }
    beside.add([.init(name: name, epochs: cost, multiplyAdds: 3 * budget.forwardMultiplyAdds * cost)])
  }

  /// Adds the cost of other steps whose result a step needs.
  public mutating func pay(for steps: [any Step]) throws {
    budget.add(try ArmPlan(Arm("needed", "", steps), run, left: nil).budget.items)
  }
}
