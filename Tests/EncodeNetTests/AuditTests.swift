import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That conversion is judged by images and by a network that had no part in it.
@Suite struct AuditTests {
  private func configuration(_ arms: [String] = ["A0", "A2", "A3", "A4", "A16"]) throws -> ExperimentConfiguration {
    var configuration = try smallConfiguration(arms)
    configuration.model = "lenet5"
    configuration.subset = 100
    configuration.auditImages = 50
    configuration.clustering.clustersPerClass = .fixed(2)
    return configuration
  }
  private func data() throws -> DatasetSplit {
    try .synthetic(classes: 2, patterns: 2, training: 200, test: 20, imageShape: [8, 8, 1])
  }

  @Test func auditImagesAreOfEveryClassAndOfNoOtherPart() throws {
    try withFolder { folder in
      let data = try data()
      let run = try ExperimentRun(configuration(), on: data, in: folder)
      #expect(run.data.rows.count == 90 && run.data.validation.count == 10 && run.data.audit.count == 50)
      #expect(Set(run.data.rows + run.data.validation + run.data.audit).count == 150)
      #expect((0..<2).map { label in run.data.audit.count { data.training.labels[$0] == label } } == [25, 25])
      // The same whatever the seed of the run; others where the split has another seed.
      var other = try configuration()
      other.seeds = [5]
      #expect(try ExperimentRun(other, on: data, in: folder).data.audit == run.data.audit)
      other.splitSeed = 1
      #expect(try ExperimentRun(other, on: data, in: folder).data.audit != run.data.audit)
      // As many as there are, where more are asked for.
      (other.splitSeed, other.auditImages) = (0, 1000)
      #expect(try ExperimentRun(other, on: data, in: folder).data.audit.count == 100)
    }
  }

  @Test func theReportLooksAtAuditImagesByBaselineAndJudge() throws {
    try withFolder { folder in
      let report = try Experiment(configuration()).run(on: data(), in: folder)
      let found = try #require(report.seeds[0].diagnostics)
      #expect(found.judge?.network == "resnet8" && report.run.audit == 50)
      // The paper's arm first; A3 and A4 train for other times, A16 trains another thing.
      #expect(found.conversions.map(\.arms) == [["A4"], ["A3"], ["A16"]])
      for conversion in found.conversions {
        #expect(conversion.outcomes.map(\.images) == [.training, .validation, .audit])
        #expect(conversion.outcomes.map(\.byBaseline.all.count) == [90, 10, 50])
        let audit = try #require(conversion.unseen)
        #expect(audit.images == .audit && audit.byJudge != nil)
        #expect(audit.byBaseline.easy.count + audit.byBaseline.hard.count == 50)
        // As they are, the images do not depend on the autoencoder.
        #expect(audit.byBaseline.all.accuracyBefore == found.conversions[0].unseen?.byBaseline.all.accuracyBefore)
      }
      #expect(report.answers.map(\.question) == ["Does it convert?", "Does it clarify?", "Does it gain?"])
      #expect(report.answers[0].words.contains("50 images that nothing was trained or chosen by"))
      // Each comparison stands once in the terminal's summary.
      for pair in ["A3 − A2", "A4 − A16"] { #expect(report.text.components(separatedBy: pair).count == 2, "\(pair)") }
      // A picture of them: two columns of three images.
      let picture = try DecodedImage(contentsOf: folder.appendingPathComponent("figures/conversions.png"))
      #expect(picture.shape == [3 * 102 + 6, 2 * 102 + 6, 3])
      let gallery: Gallery = try #require(
        try ArtifactStore(existing: folder.appendingPathComponent("seed-0")).last("gallery"))
      #expect(gallery.images == .audit && gallery.conversions.map(\.label) == [0, 0, 1, 1])
    }
  }

  @Test func theJudgeHasNoPartInAnyArm() throws {
    func accuracies(_ judge: String) throws -> [[Double]] {
      var configuration = try configuration()
      configuration.judge = judge
      let report = try withFolder { try Experiment(configuration).run(on: data(), in: $0) }
      #expect((report.seeds[0].diagnostics?.judge == nil) == (judge == "none"))
      return report.arms.map { $0.curves[0].loss }
    }
    let none = try accuracies("none")
    #expect(try accuracies("automatic") == none && accuracies("resnet14") == none)
    for name in ["vgg99", "lenet5", "LeNet5"] {
      #expect(throws: ExperimentError.self, "\(name)") { try accuracies(name) }
    }
  }

  @Test func aSettingOfConversionIsHeededAndLeavesTheBaselineAlone() throws {
    try withFolder { folder in
      let changes: [(inout ExperimentConfiguration) -> Void] = [
        { _ in }, { $0.conversion.perceptualWeight = 0.1 }, { $0.conversion.classificationWeight = 0.1 },
        { $0.pairing.entropyWeighting = 0.5 }, { $0.pairing.softness = 1 }, { $0.conversion.targetSize = 4 },
        { $0.decoderView = .pooled }, { $0.conversion.seed = 1 }, { $0.conversion.batchSize = 10 },
      ]
      var seen: Set<[Double]> = []
      for change in changes {
        var configuration = try configuration(["A0", "A4"])
        change(&configuration)
        let stages = Shared<Set<String>>([])
        let run = try ExperimentRun(
          configuration, on: data(), in: folder,
          progress: { stage, _ in stages.value.withLock { _ = $0.insert(RunLog.shortened(stage)) } })
        let conversion = try run.conversion()
        seen.insert(conversion.curves.loss)
        #expect(stages.value.withLock { $0 } == (seen.count == 1 ? ["A0", "conversion"] : ["conversion"]))
        // What it costs follows.
        let cost = try #require(try run.run.plan(run.arm(.named("A4"))).epochCosts["conversion"])
        #expect(configuration.conversion.needsBaseline == (cost > 1.6), "\(cost)")
      }
      #expect(seen.count == changes.count, "a setting changed nothing")
    }
  }

  @Test func imagesOfFourChannelsAndOfLargeSizesAreReported() throws {
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    var generator = SplittableGenerator(seed: 2)
    for i in 0..<60 {
      labels.append(i % 2)
      pixels += (0..<16).map { _ in UInt8(i % 2 * 120 + Int.random(in: 0..<60, using: &generator)) }
    }
    let images = try LabeledImages(
      name: "four", pixels: pixels, labels: labels, imageShape: [2, 2, 4], classNames: ["a", "b"])
    var configuration = try smallConfiguration(["A0", "A4"])
    configuration.clustering.clustersPerClass = .fixed(1)
    try withFolder { folder in
      let report = try Experiment(configuration).run(
        on: DatasetSplit(training: images, test: images), in: folder, model: { Tiny(&$0) })
      #expect(report.seeds[0].diagnostics != nil && report.seeds[0].diagnostics?.judge == nil)
    }
  }

  @Test func anArmChangesNothingForTheOthers() throws {
    func losses(_ arms: [String]) throws -> [String: [Double]] {
      let report = try withFolder { try Experiment(configuration(arms)).run(on: data(), in: $0) }
      return Dictionary(uniqueKeysWithValues: report.arms.map { ($0.id, $0.curves[0].loss) })
    }
    let (few, many) = (try losses(["A0", "A3"]), try losses(["A0", "A2", "A7", "A10", "A3"]))
    #expect(few["A0"] == many["A0"] && few["A3"] == many["A3"])
  }

  @Test func anEncoderThatIsNotTrainedIsTheBaselines() throws {
    try withFolder { folder in
      let run = try ExperimentRun(configuration(), on: data(), in: folder)
      let baseline = try run.baseline()
      let (fixed, moved) = (try run.trained(.named("A16")), try run.trained(.named("A4")))
      func features(_ arm: TrainedArm) -> [String: [Scalar]] { arm.model.features.stateDictionary.mapValues(\.scalars) }
      #expect(features(fixed) == features(baseline))
      #expect(features(moved) != features(baseline))
    }
  }
}
