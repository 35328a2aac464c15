/// Stage S7: trains the classifier's head on what its frozen encoder makes of the images.
public struct TrainHead: Step {
  /// A name for what it saves: the arm's id.
  let arm: String
  let split: String?
  let transfer: KnowledgeTransfer

  /// The step with those settings.
  ///
  /// - Parameters:
  ///   - arm: A name for what it saves.
  ///   - split: The last feature layer, nil for the network's own.
  public init(_ arm: String, split: String? = nil, transfer: KnowledgeTransfer = .init()) {
    (self.arm, self.split, self.transfer) = (arm, split, transfer)
  }

  public func planned(in plan: inout ArmPlan) throws -> TrainHead {
    // The head itself costs next to nothing.
    let (run, shape) = (plan.run, plan.run.images.imageShape)
    let encoder = try run.network().parts(at: split).features
    if KnowledgeTransfer.caches(run.images.count, of: encoder, imageShape: shape) {
      plan.forward("cached features")
    } else {
      for _ in 0..<transfer.headEpochs { plan.forward("features") }
    }
    return self
  }

  public func run(_ state: inout ExperimentState, in run: SeedRun) throws {
    let parts = state.network.parts(at: split)
    var transfer = transfer
    transfer.seed = run.seed("head", transfer.seed)
    let reports = try transfer.trainHead(
      of: EncoderClassifier(encoder: parts.features, head: parts.classifier), inOrder: run.inOrder(run.images),
      key: state.key, stage: "\(arm)-head", run.trainer)
    state.reports += reports
    state.seconds += reports.seconds
  }
}
