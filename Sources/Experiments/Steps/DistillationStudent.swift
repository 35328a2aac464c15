import Foundation

/// A classifier in training by a ``TrainingRecipe``, with what its losses need: maps on the way, a peer, a hint's layer.
final class DistillationStudent: Layer, TrainingAware {
  var isTraining = true
  let network: any SplitClassifier
  /// Learns beside the network.
  let peer: (any SplitClassifier)?
  /// Maps the network's last map to the teacher's channels.
  let hint: Conv2d?
  private let recipe: TrainingRecipe
  private let teacher: Teacher?
  private var lastMaps: [Tensor] = []
  private var lastPeerLogits: Tensor?

  init(
    _ network: any SplitClassifier, _ recipe: TrainingRecipe, teacher: Teacher?, peer: (any SplitClassifier)?,
    imageShape: Shape, using generator: inout SplittableGenerator
  ) throws(ExperimentError) {
    (self.network, self.recipe, self.teacher, self.peer) = (network, recipe, teacher, peer)
    guard let teacher, let loss = recipe.distillation?.loss, loss.needsFeatures else {
      hint = nil
      return
    }
    let image = Tensor.zeros(Shape([1] + imageShape.dimensions))
    let (maps, others) = (network.evaluating { network.maps(image).maps }, teacher.maps(image).maps)
    guard let pair = Self.pairs(maps, others).last else {
      throw ExperimentError("the student and its teacher have no maps of the same size: choose another loss")
    }
    hint = loss == .hint ? Conv2d(pair.0.shape[3], pair.1.shape[3], kernelSize: 1, using: &generator) : nil
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    guard isTraining else { return network(x) }
    lastPeerLogits = peer.map { $0(x) }
    guard recipe.distillation?.loss.needsFeatures == true else { return network(x) }
    let (maps, logits) = network.maps(x)
    lastMaps = maps
    return logits
  }

  /// The recipe's loss in training, the cross-entropy in evaluation.
  func loss(_ logits: Tensor, _ batch: Batch) -> Tensor {
    guard isTraining else { return softmaxCrossEntropy(logits, labels: batch.labels) }
    let (smoothing, classes) = (Scalar(recipe.labelSmoothing), logits.shape[1])
    func ofLabels(_ logits: Tensor) -> Tensor {
      guard let targets = batch.targets else {
        return softmaxCrossEntropy(logits, labels: batch.labels, labelSmoothing: smoothing)
      }
      return softmaxCrossEntropy(logits, targets: targets * (1 - smoothing) + smoothing / Scalar(classes))
    }
    guard let distillation = recipe.distillation else { return ofLabels(logits) }
    let (labelWeight, weight) = (Scalar(distillation.labelWeight), Scalar(distillation.weight))
    if let peer = lastPeerLogits {
      return (ofLabels(logits) + ofLabels(peer)) * labelWeight
        + (mutualLearning(logits, from: peer) + mutualLearning(peer, from: logits)) * weight
    }
    return ofLabels(logits) * labelWeight + distillationLoss(distillation, logits, batch) * weight
  }

  private func distillationLoss(_ options: Distillation, _ logits: Tensor, _ batch: Batch) -> Tensor {
    let temperature = Scalar(options.temperature)
    guard let teacher else {
      return klDivergence(
        logits, targets: teacherFreeTargets(batch.labels, classes: logits.shape[1], temperature: temperature))
    }
    switch options.loss {
    case .softTargets: return distillation(logits, from: teacher(batch.images), temperature: temperature)
    case .standardizedLogits:
      return distillation(
        standardizedLogits(logits), from: standardizedLogits(teacher(batch.images)), temperature: temperature)
    case .decoupled:
      return decoupledDistillation(logits, from: teacher(batch.images), labels: batch.labels, temperature: temperature)
    case .hint:
      let (map, target) = Self.pairs(lastMaps, teacher.maps(batch.images).maps).last!
      return meanSquaredError(hint!(map), target.detached)
    case .attention:
      let losses = Self.pairs(lastMaps, teacher.maps(batch.images).maps).map { attentionTransfer($0, from: $1) }
      return losses.dropFirst().reduce(losses[0]) { $0 + $1 }
    }
  }

  /// The last maps of each size that both networks have, the largest size first.
  private static func pairs(_ a: [Tensor], _ b: [Tensor]) -> [(Tensor, Tensor)] {
    func size(_ map: Tensor) -> [Int] { Array(map.shape.dimensions[1...2]) }
    var sizes: [[Int]] = []
    for map in a where !sizes.contains(size(map)) { sizes.append(size(map)) }
    return sizes.compactMap { target in
      guard let first = a.last(where: { size($0) == target }), let second = b.last(where: { size($0) == target }) else {
        return nil
      }
      return (first, second)
    }
  }
}

/// A trained network that a student learns from; it never changes.
struct Teacher {
  private let network: any SplitClassifier
  /// Maps images normalised for the student to what the teacher was trained on.
  private let input: (Tensor) -> Tensor

  init(_ network: any SplitClassifier, input: @escaping (Tensor) -> Tensor = { $0 }) {
    (self.network, self.input) = (network, input)
    network.freeze()
  }

  /// The network in a file that this library has written.
  static func saved(_ path: String, in run: SeedRun) throws -> (network: ChosenModel, normalization: Normalization) {
    let (url, data) = (URL(fileURLWithPath: (path as NSString).expandingTildeInPath), run.data.training)
    guard let saved = try SavedClassifier.read(from: url) else {
      throw ExperimentError("\(path): a teacher's file must say for which network it is, as this library's do")
    }
    guard saved.classNames == data.classNames, saved.imageShape == data.imageShape else {
      throw ExperimentError(
        "\(path): the teacher knows \(saved.classNames.count) classes of images \(saved.imageShape), the data has "
          + "\(data.classCount) of \(data.imageShape)")
    }
    return (try saved.load(url), saved.normalization)
  }

  func callAsFunction(_ images: Tensor) -> Tensor { network.evaluating { network(input(images)).detached } }
  func maps(_ images: Tensor) -> (maps: [Tensor], logits: Tensor) { network.evaluating { network.maps(input(images)) } }
}

extension SplitClassifier {
  /// The logits, and the outputs of all stages before, of a network without stages its features.
  package func stageOutputs(_ images: Tensor) -> (outputs: [Tensor], logits: Tensor) {
    guard let staged = self as? any StagedClassifier, let last = staged.stages.last else {
      let features = features(images)
      return ([features], classifier(features))
    }
    var (x, outputs) = (images, [Tensor]())
    for (_, layer) in staged.stages.dropLast() {
      x = layer(x)
      outputs.append(x)
    }
    return (outputs, last.layer(x))
  }

  /// The logits, and every map on the way that the network can be cut after.
  fileprivate func maps(_ images: Tensor) -> (maps: [Tensor], logits: Tensor) {
    let (outputs, logits) = stageOutputs(images)
    return (outputs.filter { $0.rank == 4 }, logits)
  }
}
