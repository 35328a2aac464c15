import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite struct SelectionTests {
  @Test func entropyIsInNats() {
    let confidence = PredictionEntropy()(Tensor([0, 0, 100, 0], shape: [2, 2]), labels: [1, 0])
    #expect(abs(confidence.entropies[0] - 0.693147) < 1e-6 && confidence.entropies[1] < 1e-9)
    #expect(confidence.isCorrect == [false, true] && confidence.saturation == 0.5)
  }

  @Test func temperatureTellsSaturatedImagesApart() {
    let logits = Tensor([2000, 0, 1000, 0], shape: [2, 2])
    #expect(PredictionEntropy()(logits, labels: [0, 0]).entropies == [0, 0])
    let warm = PredictionEntropy(temperature: 500)(logits, labels: [0, 0]).entropies
    #expect(warm[0] < warm[1])
  }

  /// Five points on a line and one far away; the last has the least entropy but is wrong.
  private let features = Tensor([0, 1, 2, 3, 4, 50], shape: [6, 1])
  private let confidence = PredictionConfidence(
    entropies: [0.5, 0.1, 0.4, 0.1, 0.3, 0.01], isCorrect: [true, true, true, true, true, false],
    confidences: [Double](repeating: 0.5, count: 6))
  private let clusters = Clusters(classes: [
    .init(label: 0, clusters: [[0, 1, 2, 3, 4, 5]], silhouette: 0, inertia: 0, curve: [])
  ])

  @Test func eachSelectorChoosesByItsRule() {
    func chosen(_ selector: RepresentativeSelection.Selector) -> Int {
      RepresentativeSelection(selector)(clusters, features: features, confidence: confidence).classes[0][0]
    }
    #expect(chosen(.minimumEntropy) == 5)
    // The tenth of five right ones is one: the first of the equals.
    #expect(chosen(.lowEntropyMedoid) == 1)
    #expect([2, 3].contains(chosen(.medoid)))
    #expect((0..<6).contains(chosen(.random)) && chosen(.random) == chosen(.random))
  }

  @Test func representativesOfEvenContrastLieAtOneDistanceFromTheMean() throws {
    // Four clusters of thirty grey images, most of them 100; the three of least entropy are a cluster's candidates.
    let candidates: [[UInt8]] = [[110, 130, 160], [90, 69, 10], [160, 131, 105], [95, 20, 68]]
    let values = candidates.flatMap { $0 + [UInt8](repeating: 100, count: 27) }
    let labels = values.indices.map { $0 / 60 }
    let images = try LabeledImages(
      name: "greys", pixels: values, labels: labels, imageShape: [1, 1, 1], classNames: ["a", "b"])
    let clusters = Clusters(values.indices.map { $0 / 30 }, labels: labels)
    let confidence = PredictionConfidence(
      entropies: values.indices.map { Double($0 % 30) }, isCorrect: values.map { _ in true },
      confidences: values.map { _ in 0.5 })
    func chosen(_ selector: RepresentativeSelection.Selector) -> [UInt8] {
      let features = Tensor.zeros([values.count, 1])
      let found = RepresentativeSelection(selector)(
        clusters, features: features, confidence: confidence, images: images)
      #expect(found.fits(clusters))
      return found.classes.joined().map { values[$0] }
    }
    #expect(chosen(.minimumEntropy) == [110, 90, 160, 95])
    #expect(chosen(.evenContrast) == [130, 69, 131, 68])
  }

  @Test func aClusterWithNothingRightStillHasAMedoid() {
    var wrong = confidence
    wrong.isCorrect = [Bool](repeating: false, count: 6)
    let chosen = RepresentativeSelection(.lowEntropyMedoid)(clusters, features: features, confidence: wrong)
    #expect(chosen.classes == [[5]])
  }

  @Test func everyImageGoesToTheRepresentativeOfItsClassAndCluster() {
    let clusters = Clusters(classes: [
      .init(label: 0, clusters: [[4, 0], [2]], silhouette: 0, inertia: 0, curve: []),
      .init(label: 1, clusters: [[1, 3]], silhouette: 0, inertia: 0, curve: []),
    ])
    let pairs = ConversionPairs(clusters, Representatives(classes: [[0, 2], [3]]))
    #expect(pairs.pairs.map(\.input) == [0, 1, 2, 3, 4] && pairs.pairs.map(\.target) == [0, 3, 2, 3, 0])
  }
}
