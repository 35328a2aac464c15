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

/// Epochs of training.
public enum Epochs: Sendable, Hashable, Encodable {
  /// So many.
  case count(Int)
  /// All epochs that the budget leaves.
  case rest
}
