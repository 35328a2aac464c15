/// What each image of a run is to become, by the kind of conversion.
struct ConversionTargets {
  /// Gives a batch its targets, by its indices into the images trained on.
  let give: (inout Batch) -> Void

  init(_ conversion: Conversion, _ found: ClusteringStage, _ run: ExperimentRun) {
    let (images, rows) = (run.images, run.rows)
    var generator = SplittableGenerator(seed: run.seed &+ 3)
    // Within the images trained on: the stage speaks of the whole training set.
    let position = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
    var clusters = found.clusters
    for index in clusters.classes.indices {
      clusters.classes[index].clusters = clusters.classes[index].clusters.map { $0.map { position[$0]! } }
    }
    clusters = clusters.grouped(conversion.clusters, using: &generator)
    let numbers = clusters.numbers(rows.count)

    func representatives(_ selection: RepresentativeSelection) -> [Int] {
      let chosen = selection(clusters, features: found.features, certainty: found.certainty).classes.joined()
      return Array(chosen)
    }
    switch conversion.target {
    case .subclass:
      give = { batch in batch.labels = batch.indices.map { numbers[$0] } }
    case .input:
      give = { batch in batch.targets = images.tensor(at: batch.indices) }
    case .representative, .medoid, .randomOfClass:
      var selection = run.configuration.selection
      if conversion.target == .medoid { selection.selector = .medoid }
      var chosen = representatives(selection)
      if conversion.target == .randomOfClass {
        chosen = clusters.classes.flatMap { one in
          let all = one.clusters.flatMap { $0 }
          return one.clusters.map { _ in all.randomElement(using: &generator)! }
        }
      }
      give = { [chosen] batch in batch.targets = images.tensor(at: batch.indices.map { chosen[numbers[$0]] }) }
    case .shuffledPixels:
      let pixels = run.training.imageShape.count / run.training.imageShape[2]
      let channels = run.training.imageShape[2]
      let shuffled = representatives(run.configuration.selection).map { index in
        let order = Array(0..<pixels).shuffled(using: &generator)
        return images.tensor(at: [index]).reshaped(to: [pixels, channels]).gathering(order)
          .reshaped(to: run.training.imageShape)
      }
      let all = Tensor.stacked(shuffled, axis: 0)
      give = { batch in batch.targets = all.gathering(batch.indices.map { numbers[$0] }) }
    case .classMean:
      let means = (0..<images.classCount).map { label -> Tensor in
        let members = images.indices(ofClass: label)
        var sum = Tensor.zeros(images.imageShape)
        for start in stride(from: 0, to: members.count, by: 256) {
          sum += images.tensor(at: Array(members[start..<min(start + 256, members.count)])).sum(alongAxes: [0])
        }
        return sum * (1 / Scalar(max(members.count, 1)))
      }
      let all = Tensor.stacked(means, axis: 0)
      give = { batch in batch.targets = all.gathering(batch.labels) }
    }
  }
}
