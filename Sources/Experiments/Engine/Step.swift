/// One thing that an experiment does to a classifier.
///
/// ```swift
/// struct Prune: Step {
///   var share: Double
///   func run(_ state: inout ExperimentState, in run: SeedRun) throws { … }
/// }
/// experiment.arms = { baseline in [Arm("pruned", "half of the weights", baseline + [Prune(share: 0.5)])] }
/// ```
/// An ``Arm`` is a list of steps. Equal steps after equal steps are equal work, which is done once: what a step encodes is
/// what it is known by, so everything that its result depends on must be in it.
public protocol Step: Encodable, Sendable {
  /// Adds what this step costs to `plan`.
  ///
  /// - Returns: The step with its epochs settled, where it takes those that the budget leaves.
  func planned(in plan: inout ArmPlan) throws -> Self

  /// Does it: changes the network's weights, and not its architecture, which later steps know it by.
  ///
  /// - Parameter state: Has a network that no other step sees, and ``ExperimentState/key``, by which what this step saves is
  ///   found again.
  func run(_ state: inout ExperimentState, in run: SeedRun) throws
}

extension Step {
  /// A step that costs nothing.
  public func planned(in plan: inout ArmPlan) throws -> Self { self }
}

/// One way of spending the budget of an experiment, whose result is compared with the others'.
public struct Arm: Sendable {
  /// Its name in reports and files: letters, digits, `-`, `_` and `.`.
  public var id: String
  /// A description in a few words.
  public var name: String
  /// The steps, done in order to a network with random weights: the same weights for all arms of a seed.
  public var steps: [any Step]

  /// An arm of those steps.
  public init(_ id: String, _ name: String, _ steps: [any Step]) {
    (self.id, self.name, self.steps) = (id, name, steps)
  }

  /// Checks its id.
  package func check() throws(ExperimentError) {
    let isPlain = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || "-_.".contains(c)) }
    guard !id.isEmpty, id.count <= 64, id.allSatisfy(isPlain), id.first != "." else {
      throw ExperimentError("the arm's id '\(id)' is not made of at most 64 letters, digits, '-', '_' and '.'")
    }
    guard id != "judge" else {
      throw ExperimentError("no arm can be called 'judge': that is the network that judges conversion")
    }
  }
}

/// Epochs of training.
public enum Epochs: Sendable, Hashable, Encodable {
  /// So many.
  case count(Int)
  /// All epochs that the budget leaves.
  case rest
}

/// A classifier on its way through the steps of an arm.
public struct ExperimentState {
  /// The network as the steps so far have made it.
  public var network: any SplitClassifier
  /// The difference between it and the experiment's network.
  public var variation = BlockVariation.plain
  /// The epochs of the classifier's own training, since its last start.
  public var reports: [EpochReport] = []
  /// The time of all epochs so far.
  public var seconds = 0.0
  /// A name for the steps so far and everything that they were made from.
  public package(set) var key: String
  private var products: [ObjectIdentifier: Any] = [:]

  package init(network: any SplitClassifier, key: String) { (self.network, self.key) = (network, key) }

  /// The product that a step has left for later steps, by its type.
  public subscript<Product>(_ type: Product.Type) -> Product? {
    get { products[ObjectIdentifier(type)] as? Product }
    set { products[ObjectIdentifier(type)] = newValue }
  }
}
