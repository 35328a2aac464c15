/// Replaces the network by one with random weights that differs from the experiment's in its blocks.
public struct Vary: Step {
  /// The variation of the blocks.
  public let variation: BlockVariation

  /// A network with that variation.
  public init(_ variation: BlockVariation) { self.variation = variation }

  public func planned(in plan: inout ArmPlan) throws -> Vary {
    plan.variation = variation
    return self
  }

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    (state.network, state.variation) = (try run.network(variation), variation)
  }
}

/// Folds the branches of ``BlockVariation/asymmetricBranches`` into the plain network.
public struct FoldBranches: Step {
  /// The step.
  public init() {}

  public func planned(in plan: inout ArmPlan) throws -> FoldBranches {
    plan.variation = .plain
    return self
  }

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    let folded = try run.network()
    foldBranches(of: state.network, into: folded)
    (state.network, state.variation) = (folded, .plain)
  }
}
