import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

@Suite("The converting autoencoder in tandem") struct ConvertingTandemTests {
  @Test func hardImagesBecomeEasyOnesOfTheirClass() {
    let labels = [0, 0, 0, 1, 1, 1]
    let confidence = PredictionConfidence(
      entropies: [0.01, 0.9, 0.02, 0.8, 0.7, 0.01], isCorrect: [true, true, true, true, true, false],
      confidences: [Double](repeating: 0.9, count: 6))
    var generator = SplittableGenerator(seed: 3)
    let pairs = ConversionPairs(
      convertingHardImages: confidence, labels: labels, threshold: 0.05, using: &generator)
    #expect(pairs.pairs.map(\.input) == Array(0..<6))
    let targets = pairs.pairs.map(\.target)
    #expect(targets[0] == 0 && targets[2] == 2)
    #expect([0, 2].contains(targets[1]))
    // Nothing of class 1 is of low entropy and right, so what is right with the least entropy stands in.
    #expect(targets[3...] == [4, 4, 4])
  }

  @Test func theTandemClassifiesWhatItConverted() {
    var generator = SplittableGenerator(seed: 1)
    let converter = DenseConvertingAutoencoder(imageShape: [4, 4, 1], widths: [8], using: &generator)
    let classifier = Sequential {
      Flatten()
      Linear(16, 3, using: &generator)
    }
    let tandem = ConvertingTandem(converter: converter, classifier: classifier)
    let x = Tensor((0..<32).map { Scalar($0) / 32 }, shape: [2, 4, 4, 1])
    #expect(tandem(x).scalars == classifier(converter(x)).scalars)
    #expect(tandem.namedParameters.count == converter.namedParameters.count + 2)
  }
}
