/// What an arm costs, step by step, before it is run.
public struct ArmPlan {
  /// The run that it is planned for.
  public let run: SeedRun
  /// What is paid for, of the budget.
  public private(set) var budget: TrainingBudget
  /// What differs in the network after the steps so far.
  public var variation = BlockVariation.plain
  /// What an epoch of each stage costs.
  public var epochCosts: [String: Double] = [:]
  /// The epochs that the step which takes the rest was given.
  public private(set) var restEpochs: Int?
  /// The steps, settled.
  public private(set) var steps: [any Step] = []
  /// What each step adds to the budget.
  package private(set) var costs: [Double] = []
  /// What the steps leave of the budget; nil before that is known.
  private let left: Double?
  private var takesRest = false
  private var beside: [TrainingBudget.Item] = []

  /// Plans `arm`: a step that takes the rest is given what all others leave.
  ///
  /// - Parameter total: What an arm may cost; nil for one whose steps all have their number of epochs.
  package init(_ arm: Arm, for run: SeedRun, total: Double?) throws {
    let fixed = try ArmPlan(arm, run, left: nil)
    self = try total.flatMap { fixed.takesRest ? try ArmPlan(arm, run, left: $0 - fixed.budget.total) : nil } ?? fixed
    budget.add(beside)
  }

  private init(_ arm: Arm, _ run: SeedRun, left: Double?) throws {
    (self.run, self.left) = (run, left)
    budget = TrainingBudget(multiplyAdds: try run.forwardCost(), images: run.images.count)
    for step in arm.steps {
      let before = (budget.total, beside.reduce(0) { $0 + $1.epochs })
      let planned = try step.planned(in: &self)
      steps.append(planned)
      costs.append(budget.total - before.0 + beside.reduce(0) { $0 + $1.epochs } - before.1)
    }
  }

  /// The number of epochs, each of that price: of those that take the rest as many as fill the budget.
  public mutating func count(_ epochs: Epochs, price: Double) -> Int {
    switch epochs {
    case .count(let count): return count
    case .rest:
      takesRest = true
      restEpochs = left.map { max(1, Int(($0 / price).rounded())) } ?? 0
      return restEpochs!
    }
  }

  /// Pays for `epochs` of training, each of `price` epochs of the baseline's.
  public mutating func train(_ name: String, _ epochs: Int, price: Double = 1) {
    budget = budget.training(name, epochs, price: price)
  }

  /// Pays for one pass of the training images through the network.
  public mutating func forward(_ name: String) { budget = budget.forward(name) }

  /// Counts what no arm could pay for out of the budget, such as a larger teacher.
  public mutating func trainBeside(_ name: String, _ epochs: Int, price: Double) {
    beside += TrainingBudget(multiplyAdds: 0, images: 0).training(name, epochs, price: price).items.map {
      .init(name: $0.name, epochs: $0.epochs, multiplyAdds: 3 * budget.forwardMultiplyAdds * $0.epochs)
    }
  }

  /// Pays for what other steps cost, where a step needs their result.
  public mutating func pay(for steps: [any Step]) throws {
    budget.add(try ArmPlan(Arm("needed", "", steps), run, left: nil).budget.items)
  }

  /// Changes what is paid for.
  package mutating func charge(_ change: (TrainingBudget) -> TrainingBudget) { budget = change(budget) }
}
