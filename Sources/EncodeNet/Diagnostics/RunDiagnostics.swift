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
      of: stages.map(\.stage.key), stages.map(\.arms), configuration.judge, run.data.audit, 3)
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
    try throwingDataFaults {
      let view = try ConversionView(self, run.baseline().network, judge())
      let sets = view.sets(withAudit: false)
      return stages.map { stage in stage.gcae.map { view.conversion($0, sets: sets).conversion } }
    }
  }

  private func features(of layer: any Layer, named name: String) throws -> SeedDiagnostics.Features? {
    guard let validation = run.validationSet?.batches.dataset else { return nil }
    let width = LayerTrace.run(layer, on: run.images.imageShape).output[-1]
    let (learns, asked) = probeSizes(
      training: run.images.count, validation: validation.count, width: width, classes: run.images.classCount)
    func part(_ images: LabeledImages, _ count: Int) -> LabeledImages {
      count == images.count ? images : images.subset(Array(images.labels.indices).spaced(count))
    }
    let (known, other) = (part(run.images, learns), part(validation, asked))
    func vectors(_ images: LabeledImages) -> Tensor {
      outputs(of: layer, on: run.inOrder(images)) { $0.averagedOverSpace }
    }
    let (x, y) = (vectors(known), vectors(other))
    let (labels, classes) = (known.labels, known.classCount)
    func accuracy(_ guesses: [Int]) -> Double {
      Double(zip(guesses, other.labels).count { $0 == $1 }) / Double(other.count)
    }
    return SeedDiagnostics.Features(
      network: name, linearProbe: accuracy(try linearProbe(x, labels, classes: classes, on: y)),
      nearestNeighbours: accuracy(nearestNeighbours(x, labels, classes: classes, on: y)),
      sample: learns == run.images.count && asked == validation.count ? nil : [learns, asked])
  }
}

/// How many images the simple classifiers of features learn from and classify: as many as half a GiB of features and
/// classes takes, and a distance of each from each in ``NearestRepresentative/limit`` multiply-adds.
func probeSizes(training: Int, validation: Int, width: Int, classes: Int) -> (training: Int, validation: Int) {
  let learns = min(training, max(1000, (512 << 20) / (4 * (width + classes))))
  let asked = NearestRepresentative.limit / (Double(learns) * Double(width))
  return (learns, min(validation, max(100, Int(min(asked, 1e9)))))
}
