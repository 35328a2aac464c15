import Foundation
import Layers

/// The version of this library.
public let libraryVersion = "0.2.0"

/// Something that must be the same on all ranks, and what it is on this one; of several lines each is compared.
package struct RankFact: Codable {
  let name: String
  let value: String
  package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

extension Fit {
  /// Checks before an epoch that all ranks train the same, and gives them before the first one the state of the first rank.
  ///
  /// - Returns: Where they differ, on all ranks; nil where they agree, and in one process.
  func joinRanks() -> TrainingError? {
    guard communicator.size > 1 else { return nil }
    if run.ranks != nil {
      guard position.epoch < epochs else { return nil }
      return communicator.disagreement(
        about: [
          RankFact("the position of the run", "\(position)"), RankFact("the parameters", layout),
          RankFact("the weights", model.fingerprint),
        ]
      ).map { .ranksDisagree($0) }
    }
    if let problem = communicator.disagreement(about: facts) { return .ranksDisagree(problem) }
    run.ranks = Ranks(
      communicator, synchronizesBatchNorms: synchronizesBatchNorms, bucketSize: bucketSize)
    do { try takeStateOfFirstRank() } catch {
      return .ranksDisagree("the state of the first does not fit the optimizer of another: \(error)")
    }
    return nil
  }

  /// The names and shapes of parameters and buffers, and which parameters are trained.
  private var layout: String {
    (model.namedParameters.map { "\($0) \($1.wrappedValue.shape)\($1.isTrainable ? "" : ", frozen")" }
      + model.namedBuffers.map { "\($0) \($1.wrappedValue.shape)" }).joined(separator: "\n")
  }

  /// What decides the result, as far as it can be told.
  private var facts: [RankFact] {
    let groups = optimizer.groups.map { group in
      "rate × \(group.learningRateScale), weight decay \(group.weightDecay.map { "\($0)" } ?? "of all"): "
        + group.parameters.map(\.name).joined(separator: " ")
    }
    // Momentum and the like, whatever the class calls them.
    var settings: [String] = []
    var mirror: Mirror? = Mirror(reflecting: optimizer)
    while let present = mirror {
      for (name, value) in present.children
      where name != "learningRate" && (value is Scalar || value is Bool || value is Int) {
        settings.append("\(name ?? "") \(value)")
      }
      mirror = present.superclassMirror
    }
    func options(_ values: [(String, Any?)]) -> String {
      values.map { "\($0) \($1.map { "\($0)" } ?? "none")" }.joined(separator: "\n")
    }
    return [
      RankFact("the version of the library", libraryVersion), RankFact("the precision", "\(Scalar.self)"),
      RankFact("the parameters", layout),
      RankFact(
        "the optimizer", (["\(type(of: optimizer))"] + settings.sorted() + groups).joined(separator: "\n")),
      RankFact(
        "the settings of the run",
        options([
          ("epochs", epochs), ("batches of an epoch", source.batchCount), ("clipping", clipping),
          ("sharpness", sharpness), ("classifies", classifies), ("an average", average.map { "\($0.rule)" }),
          ("metrics", metrics.keys.sorted()), ("synchronised batch norms", synchronizesBatchNorms),
          ("validation batches", validation?.batchCount),
        ])), RankFact("the data", source.dataFingerprint ?? "batches"),
      RankFact("the validation data", validation?.dataFingerprint ?? "batches"),
    ]
  }

  private func takeStateOfFirstRank() throws(OptimizerStateError) {
    position = decoded(communicator.broadcast(encoded(position)), TrainingPosition.self)
    for (_, parameter) in model.namedParameters { communicator.broadcast(&parameter.wrappedValue) }
    for (_, buffer) in model.namedBuffers { communicator.broadcast(&buffer.wrappedValue) }
    let modules = model.namedStochasticModules.map(\.module)
    let generators = decoded(communicator.broadcast(encoded(modules.map(\.generator))), [SplittableGenerator].self)
    for (module, generator) in zip(modules, generators) { module.generator = generator }
    let state = communicator.broadcast(optimizer.state)
    if !communicator.isFirst { try optimizer.load(state) }
    guard let average else { return }
    let averaged = communicator.broadcast(average.state)
    if !communicator.isFirst { try average.load(averaged) }
  }
}

extension Communicator {
  /// Where ranks differ in `facts`, in words, on all ranks; nil where all have the same.
  package func disagreement(about facts: [RankFact]) -> String? {
    let all = gathered(encoded(facts)).map { decoded($0, [RankFact].self) }
    let names = gathered(name)
    for (place, fact) in all[0].enumerated() {
      guard let other = all.indices.first(where: { all[$0][place].value != fact.value }) else { continue }
      let (first, second) = (fact.value, all[other][place].value)
      let lines = first.split(separator: "\n", omittingEmptySubsequences: false)
      let others = second.split(separator: "\n", omittingEmptySubsequences: false)
      let line = zip(lines, others).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, others.count)
      func shown(_ lines: [Substring]) -> String {
        line < lines.count ? "'\(lines[line].prefix(200))'" : "nothing"
      }
      return "\(fact.name): \(names[0]) has \(shown(lines)), \(names[other]) has \(shown(others))"
    }
    return nil
  }

  /// Replaces the elements of `tensor` by those of the first rank.
  func broadcast(_ tensor: inout Tensor) {
    guard tensor.count > 0 else { return }
    tensor.withUnsafeMutableScalars { broadcast(UnsafeMutableRawBufferPointer($0), from: 0) }
  }

  /// The tensors of the first rank by name.
  package func broadcast(_ tensors: [String: Tensor]) -> [String: Tensor] {
    let own = tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
    let shapes = decoded(
      broadcast(encoded(own.map { [$0.name] + $0.tensor.shape.dimensions.map { "\($0)" } })), [[String]].self)
    var result: [String: Tensor] = [:]
    for (index, described) in shapes.enumerated() {
      var tensor = isFirst ? own[index].tensor : .zeros(Shape(described.dropFirst().map { Int($0)! }))
      broadcast(&tensor)
      result[described[0]] = tensor
    }
    return result
  }
}

extension Module {
  /// A fingerprint of all parameters and buffers.
  fileprivate var fingerprint: String {
    var hash = FNV1a()
    for tensor in namedParameters.map(\.parameter.wrappedValue) + namedBuffers.map(\.buffer.wrappedValue) {
      tensor.withUnsafeScalars { for scalar in $0 { hash.append(UInt64(scalar.bitPattern)) } }
    }
    return String(hash.value, radix: 16)
  }
}
