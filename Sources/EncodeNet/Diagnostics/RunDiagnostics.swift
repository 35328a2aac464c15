extension ExperimentRun {
  /// The arms that convert into the representatives found, that shown in pictures first: the paper's, with the encoder frozen.
  var subjects: [ArmSettings] {
    let all = configuration.arms.filter {
      $0.conversion?.target == .representative && $0.conversion?.clusters == .found
    }
    let method = all.filter { $0.conversion == Conversion() }
    let shown = method.first { $0.transfer == .frozenEncoder } ?? method.first ?? all.first
    return shown.map { first in [first] + all.filter { $0.id != first.id } } ?? []
  }

  /// Returns the diagnostics of the stages, with pictures; nil where no arm converts as the paper does.
  func diagnostics() throws -> (SeedDiagnostics, Gallery)? {
    guard let first = subjects.first else { return nil }
    var stages: [(arms: [String], stage: ConversionStage)] = []
    for arm in subjects {
      let stage = try conversion(arm)!
      if let same = stages.firstIndex(where: { $0.stage.key == stage.key }) {
        stages[same].arms.append(arm.id)
      } else {
        stages.append(([arm.id], stage))
      }
    }
    let key = try fingerprint(
      of: stages.map(\.stage.key), stages.map(\.arms), configuration.judge, run.data.audit, 2)
    let (judge, baseline, shown) = (try judge(), try run.baseline().network, stages[0].stage.gcae!)
    let view = try ConversionView(self, baseline, judge)
    let diagnostics = try run.store.value("diagnostics", key: key) {
      let networks = try [
        ("the baseline", baseline.parts(at: configuration.split).features), ("the converting encoder", shown.encoder),
        ("the arm \(first.id)", trained(first).model.parts(at: configuration.split).features),
      ]
      return try view.diagnostics(
        stages.map { ($0.arms, $0.stage.epochs, $0.stage.gcae!) },
        features: networks.compactMap { try features(of: $1, named: $0) })
    } fits: {
      $0.fits(classes: run.images.classCount)
    }
    let gallery = try run.store.value("gallery", key: key) {
      view.gallery(shown)
    } fits: {
      $0.fits(classes: run.images.classCount)
    }
    return (diagnostics, gallery)
  }

  /// Measures how each of `stages` converts the images trained on and the validation images, to choose settings by: nil for
  /// a control that makes no images.
  ///
  /// Audit images are not looked at: what is chosen by them judges nothing any more.
  public func conversionOutcomes(_ stages: [ConversionStage]) throws -> [SeedDiagnostics.Conversion?] {
    let view = try ConversionView(self, run.baseline().network, judge())
    let sets = view.sets(withAudit: false)
    return stages.map { stage in stage.gcae.map { view.conversion($0, sets: sets).conversion } }
  }

  private func features(of layer: any Layer, named name: String) throws -> SeedDiagnostics.Features? {
    guard let validation = run.validationSet?.batches else { return nil }
    func vectors(_ batches: Batches) -> Tensor { outputs(of: layer, on: batches) { $0.averagedOverSpace } }
    let (x, y) = (vectors(run.inOrder(run.images)), vectors(validation))
    let (labels, classes) = (run.images.labels, run.images.classCount)
    func accuracy(_ guesses: [Int]) -> Double {
      Double(zip(guesses, validation.dataset.labels).count { $0 == $1 }) / Double(validation.dataset.count)
    }
    return SeedDiagnostics.Features(
      network: name, linearProbe: accuracy(try linearProbe(x, labels, classes: classes, on: y)),
      nearestNeighbours: accuracy(nearestNeighbours(x, labels, classes: classes, on: y)))
  }
}
