import Foundation
import Layers

/// The ranks of a run: adds up what each found for its part of a batch.
///
/// Each step has two kinds of sums. The first is of a few numbers: whether a rank failed or asks to stop, the figures of the step, batch
/// norm's running statistics. So all ranks stop at the same step, for the same reason. The others are of gradients, in buckets.
final class Ranks {
  let communicator: any Communicator
  let synchronizesBatchNorms: Bool
  let shard: Shard
  /// The ranks that have images of a batch of so many images.
  private var groups: [Int: any Communicator] = [:]
  let buckets: GradientBuckets

  init(_ communicator: any Communicator, synchronizesBatchNorms: Bool, bucketSize: Int) {
    (self.communicator, self.synchronizesBatchNorms) = (communicator, synchronizesBatchNorms)
    shard = Shard(rank: communicator.rank, of: communicator.size)
    buckets = GradientBuckets(communicator, size: bucketSize)
  }

  /// What layers know of the ranks in a step on a batch of so many images.
  func scope(_ images: Int) -> RankScope {
    guard synchronizesBatchNorms else { return RankScope(rank: shard.rank, normalizing: nil) }
    if images >= shard.count { return RankScope(rank: shard.rank, normalizing: communicator) }
    let hasImages = !shard.range(of: images).isEmpty
    let group = groups[images] ?? communicator.split(hasImages ? 0 : 1)
    groups[images] = group
    return RankScope(rank: shard.rank, normalizing: group)
  }

  /// The figures and gradients of the whole batch, of what this rank found for its part.
  ///
  /// - Throws: On all ranks, where one has failed: the error of the first that has.
  func combined<Batch>(
    _ local: Result<StepFigures, TrainingError>, of model: some Module, _ part: BatchShard<Batch>?,
    at position: TrainingPosition, metrics: Int, stops: Bool
  ) throws(TrainingError) -> (figures: StepFigures, stops: Bool, hasEnded: Bool) {
    var (found, failure) = (StepFigures(metrics: [Double](repeating: 0, count: metrics)), TrainingError?.none)
    switch local {
    case .success(let figures): found = figures
    case .failure(.otherRankFailed): break
    case .failure(let error): failure = error
    }
    let parameters = model.parameters.filter(\.isTrainable)
    // Where they were begun in the backward pass, other ranks wait for them.
    var sums = buckets.isOpen ? buckets.sums(found.gradients, of: parameters) : nil
    let statistics = SharedStatistics(of: model, images: found.images)
    let check = part.map { Double(($0.fingerprint ^ UInt64(position.step)) % 65_521) }
    let counted = Double(found.counted)
    var all =
      [
        failure == nil ? 0 : 1, part == nil && failure == nil ? 1 : 0, stops ? 1 : 0, check == nil ? 0 : 1, check ?? 0,
        (check ?? 0) * (check ?? 0), counted == 0 ? 0 : found.loss * counted, counted, Double(found.images),
        Double(found.correct), Double(found.classified),
      ] + found.metrics.map { found.images == 0 ? 0 : $0 * Double(found.images) }
      + parameters.map { found.gradients[$0] == nil ? 0 : 1 } + statistics.numbers
    communicator.sum(&all)

    if try hasEnded(all, failure, at: position) { return (found, false, true) }
    let images = Int(all[8])
    guard all[7] > 0 else {
      throw .nonFiniteLoss(
        epoch: position.epoch, step: position.step, value: "nan",
        cause: "every label of the batch is negative, which leaves its image out, and the mean of none is NaN")
    }
    let presence = all[(11 + metrics)..<(11 + metrics + parameters.count)].map { $0 > 0 }
    let present = zip(parameters, presence).filter(\.1).map(\.0)
    sums = sums ?? buckets.sums(found.gradients, of: present)
    let factor = Scalar(Double(images) / all[7])
    var gradients = Gradients(byID: [:])
    for parameter in present {
      gradients[parameter] = factor == 1 ? sums![parameter.id]! : sums![parameter.id]! * factor
    }
    found.gradients = gradients
    statistics.set(all[(11 + metrics + parameters.count)...], images: images)
    if images < shard.count { shareGenerators(of: model) }
    (found.loss, found.counted, found.images) = (all[6] / all[7], Int(all[7]), images)
    (found.correct, found.classified) = (Int(all[9]), Int(all[10]))
    found.metrics = all[11..<11 + metrics].map { $0 / Double(images) }
    return (found, all[2] > 0, false)
  }

  /// Whether no rank has a further batch, by the sums over all ranks.
  ///
  /// - Throws: Where a rank has failed, or ranks have other batches.
  private func hasEnded(
    _ sums: [Double], _ failure: TrainingError?, at position: TrainingPosition
  ) throws(TrainingError) -> Bool {
    if sums[0] > 0 { throw self.failure(failure) }
    // With equal numbers the mean square is the square of the mean.
    guard sums[5] * sums[3] == sums[4] * sums[4] else {
      throw .ranksDisagree(
        "at step \(position.step) of epoch \(position.epoch) they have other images or labels: give all ranks the same data"
      )
    }
    guard sums[1] > 0 else { return false }
    guard sums[1] == Double(shard.count) else {
      throw .ranksDisagree("epoch \(position.epoch) ends after \(position.batch) batches on some of them, not on all")
    }
    return true
  }

  /// The error of the first rank that has one, with the rank's name.
  private func failure(_ own: TrainingError?) -> TrainingError {
    communicator.gatheredError(own) ?? .otherRankFailed
  }

  /// Layers drew no random numbers where there was no image: sets their generators to those of the last rank, which has one.
  private func shareGenerators(of model: some Module) {
    let modules = model.namedStochasticModules.map(\.module)
    guard !modules.isEmpty else { return }
    let states = communicator.broadcast(encoded(modules.map(\.generator)), from: shard.count - 1)
    let generators = decoded(states, [SplittableGenerator].self)
    for (module, generator) in zip(modules, generators) { module.generator = generator }
  }
}

extension Communicator {
  /// The error of the first rank that has one, on all ranks; nil where none has.
  func gatheredError(_ own: TrainingError?) -> TrainingError? {
    let errors = gathered(own.map { encoded($0.located(on: name)) } ?? [])
    return errors.first { !$0.isEmpty }.map { decoded($0, TrainingError.self) }
  }
}

/// JSON, for what ranks tell each other.
package func encoded(_ value: some Encodable) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return [UInt8](try! encoder.encode(value))
}

/// What ``encoded(_:)`` wrote on a rank of the same program.
package func decoded<Value: Decodable>(_ bytes: [UInt8], _: Value.Type) -> Value {
  let decoder = JSONDecoder()
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return try! decoder.decode(Value.self, from: Data(bytes))
}

/// Buffers after a step, over all ranks: the means of each, weighted by images; a running variance with the spread of the means, so
/// that it is that of the images of all ranks.
private struct SharedStatistics {
  private let norms: [BatchNorm2d]
  private let others: [Buffer]
  /// Products with the number of images, so that equal values stay as they are.
  private(set) var numbers: [Double] = []

  init(of model: some Module, images: Int) {
    var norms: [BatchNorm2d] = []
    if let itself = model as? BatchNorm2d { norms.append(itself) }
    model.visit { _, part in if let norm = part as? BatchNorm2d { norms.append(norm) } }
    let own = Set(norms.flatMap { [ObjectIdentifier($0.$runningMean), ObjectIdentifier($0.$runningVar)] })
    // A frozen norm changes nothing.
    self.norms = norms.filter { !$0.isFrozen }
    others = model.namedBuffers.map(\.buffer).filter { !own.contains(ObjectIdentifier($0)) }
    let n = Double(images)
    for norm in self.norms {
      let means = norm.runningMean.scalars.map { Double($0) }
      let variances = norm.runningVar.scalars.map { Double($0) }
      numbers += means.map { n * $0 } + zip(means, variances).map { n * ($1 + $0 * $0) }
    }
    for buffer in others { numbers += buffer.wrappedValue.scalars.map { n * Double($0) } }
  }

  /// Sets the buffers by the sums over all ranks.
  func set(_ sums: ArraySlice<Double>, images: Int) {
    var rest = sums.map { $0 / Double(images) }[...]
    func take(_ count: Int) -> [Double] {
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    for norm in norms {
      let (shape, count) = (norm.runningMean.shape, norm.runningMean.count)
      let (means, squares) = (take(count), take(count))
      norm.runningMean = Tensor(means.map { Scalar($0) }, shape: shape)
      norm.runningVar = Tensor(zip(means, squares).map { Scalar(max(0, $1 - $0 * $0)) }, shape: shape)
    }
    for buffer in others {
      let shape = buffer.wrappedValue.shape
      buffer.wrappedValue = Tensor(take(shape.count).map { Scalar($0) }, shape: shape)
    }
  }
}
