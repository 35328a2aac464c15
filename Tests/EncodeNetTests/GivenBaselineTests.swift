import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

struct GivenBaselineTests {
  /// Three classes of 8 by 8 images, and a network that tells them apart.
  private static let learnt = Result {
    let data = try DatasetSplit.synthetic(classes: 3, patterns: 2, training: 240, test: 60, imageShape: [8, 8, 1])
    var configuration = try Self.configuration()
    configuration.arms = [try .named("A0")]
    configuration.epochs = 8
    return try withFolder { folder in
      let baseline = try ExperimentRun(configuration, on: data, in: folder).baseline()
      return (data: data, state: baseline.model.stateDictionary)
    }
  }

  private static func configuration() throws -> ExperimentConfiguration {
    var configuration = try smallConfiguration(["A0", "A2", "A3"])
    (configuration.model, configuration.widthMultiplier) = ("resnet8", 0.25)
    (configuration.subset, configuration.judge) = (120, "none")
    configuration.epochs = 2
    return configuration
  }

  /// A run in `folder` that begins with `state`, under the names that PyTorch's DataParallel gives.
  private func run(
    _ folder: URL, _ state: StateDictionary, arms: [String] = ["A0", "A2", "A3"], trainedOnAll: Bool = false,
    normalization: Normalization? = .computed(from: try! learnt.get().data.training), force: Bool = false,
    notice: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> ExperimentReport {
    let file = folder.appendingPathComponent("given.safetensors")
    let named = StateDictionary(uniqueKeysWithValues: state.map { ("module.\($0.key)", $0.value) })
    try Safetensors.save(named, integers: ["module.bn1.num_batches_tracked": 71_234], to: file)
    var configuration = try Self.configuration()
    configuration.arms = try arms.map { try .named($0) }
    configuration.baseline = GivenBaseline(
      file.path, normalization: normalization, isTrainedOnAll: trainedOnAll)
    var experiment = Experiment(configuration)
    (experiment.force, experiment.notice) = (force, notice)
    return try experiment.run(on: Self.learnt.get().data, in: folder.appendingPathComponent("run"))
  }

  private func problem(_ body: (URL) throws -> Void) -> String {
    let error = #expect(throws: ExperimentError.self) { try withFolder(body) }
    return error.map { "\($0)" } ?? ""
  }

  @Test func itIsTakenAsItIsAndGoesBackOutUnderItsNames() throws {
    let (data, state) = try Self.learnt.get()
    try withFolder { folder in
      let notices = Shared<[String]>([])
      let report = try run(folder, state, notice: { text in notices.value.withLock { $0.append(text) } })
      #expect(notices.value.withLock { $0 }.count { $0.contains("given.safetensors is right on") } == 1)
      #expect(report.run.givenBaseline == "given.safetensors")
      #expect(report.diagnosis.contains { $0.contains("is not known: where it was") }, "\(report.diagnosis)")
      let seed = folder.appendingPathComponent("run/seed-0")
      #expect(!FileManager.default.fileExists(atPath: seed.appendingPathComponent("A0.state.safetensors").path))

      let given = try Safetensors.load(folder.appendingPathComponent("given.safetensors"))
      for id in ["A0", "A2", "A3"] {
        let out = try Safetensors.load(seed.appendingPathComponent("\(id).safetensors"))
        #expect(Set(out.keys) == Set(given.keys), "\(id)")
        #expect(out.allSatisfy { $0.value.shape == given[$0.key]?.shape }, "\(id)")
        #expect(out["module.bn1.num_batches_tracked"]?.item == 71_234)
        #expect((out.mapValues(\.scalars) == given.mapValues(\.scalars)) == (id == "A0"), "\(id)")
        let saved = try #require(try SavedClassifier.read(from: seed.appendingPathComponent("\(id).safetensors")))
        #expect(saved.classNames == data.classNames)
        _ = try saved.load(seed.appendingPathComponent("\(id).safetensors"))
      }
    }
  }

  @Test func theBudgetCountsWhatCameAfterIt() throws {
    let report = try withFolder { try run($0, Self.learnt.get().state, trainedOnAll: true) }
    #expect(report.arm("A0")!.budget.total == 0)
    #expect(!report.arm("A3")!.budget.items.contains { $0.name == "baseline" })
    #expect(report.arm("A2")!.budget.total > 0 && report.run.budget < 10)
    #expect(report.diagnosis.contains { $0.contains("no figure on validation or audit images is held out") })
  }

  @Test func armsThatWouldTrainItAreRefused() throws {
    let text = problem { _ = try run($0, Self.learnt.get().state, arms: ["A0", "A1"]) }
    #expect(text.contains("'A1'") && text.contains("A2 is the control"), "\(text)")
    let settings = ExperimentConfiguration().beginning(with: GivenBaseline("x"))
    #expect(settings.arms.map(\.id) == ["A0", "A2", "A3", "A4", "A16"])
  }

  @Test func anotherOrderOfTheClassesIsFound() throws {
    var state = try Self.learnt.get().state
    for name in ["linear.weight", "linear.bias"] { state[name] = state[name]!.gather([1, 0, 2]) }
    let text = problem { _ = try run($0, state) }
    let names = try Self.learnt.get().data.classNames
    #expect(text.contains("takes most images of '\(names[0])' for '\(names[1])' for '\(names[0])'"), "\(text)")
  }

  @Test func chanceIsRefusedUnlessForced() throws {
    var state = try Self.learnt.get().state
    for (name, tensor) in state where name.hasPrefix("linear") { state[name] = .zeros(tensor.shape) }
    let text = problem { _ = try run($0, state) }
    #expect(text.contains("right on 33.33 %") && text.contains("--force"), "\(text)")
    #expect(try withFolder { try run($0, state, force: true) }.arms.count == 3)
  }

  @Test func aNormalisationMustBeKnown() throws {
    let text = problem { _ = try run($0, Self.learnt.get().state, normalization: nil) }
    #expect(text.contains("--normalization") && text.contains("imagenet"), "\(text)")
    let wide = Normalization(mean: [0, 0, 0], deviation: [1, 1, 1])
    #expect(problem { _ = try run($0, Self.learnt.get().state, normalization: wide) }.contains("3 channels"))
  }

  @Test func weightsThatAreNotFiniteAndThoseThatDoNotFitAreRefused() throws {
    var state = try Self.learnt.get().state
    state["linear.bias"] = Tensor([.nan, 0, 0], shape: [3])
    #expect(problem { _ = try run($0, state) }.contains("'linear.bias' has values that are NaN or infinite"))
    var generator = SplittableGenerator(seed: 0)
    let other = try ModelChoice("lenet5").make(classes: 3, inputShape: [8, 8, 1], using: &generator).stateDictionary
    let text = problem { _ = try run($0, other) }
    #expect(text.contains("they fit --model lenet5") && text.contains("missing"), "\(text)")
  }

  @Test func settingsAreReadFromJSON() throws {
    let json = #"{"baseline": {"weights": "w.pth", "normalization": "imagenet"}, "arms": ["A0", "A2"]}"#
    let settings = try ExperimentConfiguration.decoded(from: Data(json.utf8))
    #expect(settings.baseline == GivenBaseline("w.pth", normalization: try .named("imagenet")))
  }

  @Test func impossibleSettingsAreRefused() {
    for (json, expected) in [
      (#"{"baseline": {"weights": "w", "isTraindOnAll": true}}"#, "no setting 'baseline.isTraindOnAll'"),
      (#"{"baseline": {"weights": "w", "normalization": "nope"}}"#, "there is no normalisation 'nope'"),
      (#"{"baseline": {"weights": "w", "normalization": {"mean": [0.3], "deviation": []}}}"#, "one of each"),
      (#"{"baseline": {"weights": "w", "normalization": {"mean": [0.3], "deviation": [-1]}}}"#, "positive"),
      (#"{"baseline": {}}"#, "baseline.weights"),
      (#"{"baseline": {"weights": "w"}, "arms": ["A0", "A1"]}"#, "'A1' begins from random weights"),
    ] {
      let error = #expect(throws: ExperimentError.self) {
        try ExperimentConfiguration.decoded(from: Data(json.utf8))
      }
      #expect("\(error!)".contains(expected), "\(json): \(error!)")
    }
  }

  /// The weights are the same, and what they say of the images is not.
  @Test func anotherNormalisationInTheSameFolderIsRefused() throws {
    let (data, state) = try Self.learnt.get()
    try withFolder { folder in
      let usual = Normalization.computed(from: data.training)
      _ = try run(folder, state, normalization: usual)
      let other = Normalization(mean: usual.mean.map { $0 + 0.01 }, deviation: usual.deviation)
      let error = #expect(throws: ExperimentError.self) { try run(folder, state, normalization: other) }
      #expect("\(error!)".contains("normalization.mean.0 was"), "\(error!)")
    }
  }

  @Test func aPerfectBaselineOfVeryUnequalClassesIsTaken() throws {
    let (data, state) = try Self.learnt.get()
    var generator = SplittableGenerator(seed: 0)
    let network = try ModelChoice("resnet8", widthMultiplier: 0.25).make(
      classes: 3, inputShape: [8, 8, 1], using: &generator)
    try network.load(state)
    let batches = Batches(of: data.training, size: 64, normalization: .computed(from: data.training))
    let right = zip(try evaluate(network, on: batches).predictions, data.training.labels).enumerated()
      .filter { $1.0 == $1.1 }.map(\.offset)
    // 98 % of the images are of one class, and it is right on all.
    func images(_ label: Int) -> [Int] { right.filter { data.training.labels[$0] == label } }
    let rows = images(0).flatMap { [$0, $0, $0, $0] } + images(1).prefix(3) + images(2).prefix(3)
    let unequal = try DatasetSplit(training: data.training.subset(rows), test: data.test)
    try withFolder { folder in
      let file = folder.appendingPathComponent("given.safetensors")
      try Safetensors.save(state, to: file)
      var configuration = try Self.configuration()
      (configuration.subset, configuration.validationShare) = (nil, 0)
      configuration.baseline = GivenBaseline(file.path, normalization: .computed(from: data.training))
      var run = try ExperimentRun(configuration, on: unequal, in: folder.appendingPathComponent("run"))
      run.notice = { _ in }
      #expect(try run.baseline().id == "A0")
    }
  }

  @Test func namesThatNoFileCanHaveAreRefused() throws {
    try withFolder { folder in
      let file = folder.appendingPathComponent("own.safetensors")
      var saved = SavedClassifier(
        model: ModelChoice("resnet8", widthMultiplier: 0.25), imageShape: [8, 8, 1], classNames: ["0", "1", "2"],
        normalization: .init(mean: [0], deviation: [1]))
      saved.origin = OriginalNames(of: ["a.linear.bias": .zeros([3]), "a.linear.weight": .zeros([3, 16])])
      saved.origin!.names["linear.weight"] = "a.linear.bias"
      let json = String(decoding: try JSONEncoder().encode(saved), as: UTF8.self)
      try Safetensors.save(Self.learnt.get().state, metadata: ["encodenet": json], to: file)
      let error = #expect(throws: ExperimentError.self) { try SavedClassifier.read(from: file) }
      #expect("\(error!)".contains("describes no classifier"), "\(error!)")
      // A damaged file of this library is damaged, and not one that says nothing.
      var bytes = [UInt8](try Data(contentsOf: file))
      bytes[bytes.count - 1] ^= 1
      try Data(bytes).write(to: file)
      #expect(throws: CheckpointError.self) { try SavedClassifier.read(from: file) }
      #expect(throws: CheckpointError.self) { try SavedClassifier.read(from: folder.appendingPathComponent("none")) }
    }
  }
}
