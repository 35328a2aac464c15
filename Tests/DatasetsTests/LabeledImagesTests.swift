import Testing

@testable import Datasets

/// Images of 4 by 4 with 3 channels whose bytes tell which image, row, column and channel they are of.
func numbered(_ count: Int = 12, classes: Int = 3) throws -> LabeledImages {
  let pixels = (0..<count * 48).map { UInt8(truncatingIfNeeded: $0 * 7) }
  return try LabeledImages(
    name: "numbered", pixels: pixels, labels: (0..<count).map { $0 % classes }, imageShape: [4, 4, 3],
    classNames: (0..<classes).map { "class\($0)" })
}

@Suite struct LabeledImagesTests {
  @Test func digitsAreTheOnesThatWerePublished() {
    let digits = LabeledImages.digits
    #expect(digits.count == 1797 && digits.imageShape == [8, 8, 1])
    #expect((0...9).map { digits.indices(ofClass: $0).count } == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    // Row by row 0 0 5 13 9 1 0 0 | 0 0 13 15 … in 16 levels.
    #expect(digits.image(at: 0).prefix(12) == [0, 0, 80, 207, 143, 16, 0, 0, 0, 0, 207, 239])
    // The mean level is 4.8842 of 16 in scikit-learn's copy.
    let mean = Normalization.computed(from: digits).mean[0]
    #expect(abs(mean - 4.884164579855314 / 16) < 2e-3)
    let split = DatasetSplit.digits
    #expect(split.training.count == 1297 && split.test.count == 500)
    #expect((0...9).allSatisfy { (48...51).contains(split.test.indices(ofClass: $0).count) })
  }

  @Test func tensorsAreInZeroToOneOrNormalised() throws {
    let images = try numbered()
    let plain = images.tensor(at: [3, 0])
    #expect(plain.shape == [2, 4, 4, 3])
    #expect(plain.scalars[48 + 5] == Scalar(images.pixels[5]) / 255)
    let normalization = Normalization(mean: [0.1, 0.2, 0.3], deviation: [0.5, 0.25, 2])
    let scaled = images.tensor(at: [3, 0], normalization: normalization)
    for (index, value) in plain.scalars.enumerated() {
      let wanted = (value - Scalar(normalization.mean[index % 3])) / Scalar(normalization.deviation[index % 3])
      #expect(abs(scaled.scalars[index] - wanted) < 1e-5)
    }
    let own = Normalization.computed(from: images)
    let all = images.tensor(at: Array(0..<images.count), normalization: own).scalars
    for channel in 0..<3 {
      let values = stride(from: channel, to: all.count, by: 3).map { Double(all[$0]) }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count) - mean * mean
      #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-4)
    }
  }

  @Test func subsetsKeepImagesWithTheirLabels() throws {
    let images = try numbered()
    let chosen = images.subset([5, 2, 2])
    #expect(chosen.labels == [2, 2, 2] && chosen.image(at: 0) == images.image(at: 5))
    #expect(chosen.fingerprint != images.fingerprint && chosen.fingerprint == images.subset([5, 2, 2]).fingerprint)
    #expect(images.subset([0, 1]).fingerprint != images.subset([1, 0]).fingerprint)
  }

  @Test func whatDoesNotFitIsRefused() {
    func problem(pixels: Int = 8, labels: [Int] = [0, 1], shape: Shape = [2, 2, 1]) -> String? {
      #expect(throws: DataError.self) {
        try LabeledImages(
          name: "x", pixels: [UInt8](repeating: 0, count: pixels), labels: labels, imageShape: shape,
          classNames: ["a", "b"])
      }?.description
    }
    #expect(problem(pixels: 7)?.contains("need 8 bytes, there are 7") == true)
    #expect(problem(labels: [0, 2])?.contains("image 1 has label 2, there are 2 classes") == true)
    #expect(problem(labels: [0, -1]) != nil)
    #expect(problem(shape: [2, 4]) != nil)
    #expect(problem(shape: [2, 0, 1]) != nil)
  }

  @Test(arguments: [0, 1, 7, 100, 500, 1797])
  func aSubsetKeepsTheSharesOfTheClasses(count: Int) throws {
    let digits = LabeledImages.digits
    let (rest, held) = try digits.split(holdingOut: count, seed: 3)
    #expect(held.count == count && rest.count == 1797 - count)
    for label in 0...9 {
      let exact = Double(digits.indices(ofClass: label).count * count) / 1797
      #expect(abs(Double(held.indices(ofClass: label).count) - exact) <= 1)
    }
    #expect(try digits.stratified(count, seed: 3) == digits.stratified(count, seed: 3))
    if count == 100 { #expect(try digits.stratified(count, seed: 3) != digits.stratified(count, seed: 4)) }
  }

  @Test func moreImagesThanThereAreCannotBeDrawn() {
    #expect(throws: DataError("digits: 1798 images are wanted, there are 1797")) {
      try LabeledImages.digits.subset(count: 1798, seed: 0)
    }
  }

  @Test func theLargestRemaindersGetWhatIsLeft() throws {
    let images = try LabeledImages(
      name: "x", pixels: [UInt8](repeating: 0, count: 10), labels: [0, 0, 0, 0, 0, 0, 1, 1, 1, 2],
      imageShape: [1, 1, 1],
      classNames: ["a", "b", "c"])
    // Shares of 5: 3, 1.5, 0.5; of equal remainders the first class has it.
    #expect(try images.subset(count: 5, seed: 1).labels == [0, 0, 0, 1, 1])
  }

  @Test func labelsAreMatchedByNameAndNeverByPlace() throws {
    func images(_ labels: [Int], _ names: [String]) throws -> LabeledImages {
      try LabeledImages(
        name: "x", pixels: [UInt8](repeating: 1, count: labels.count), labels: labels, imageShape: [1, 1, 1],
        classNames: names)
    }
    let data = try images([0, 1, 2], ["green", "red", "blue"])
    let matched = try data.relabeled(as: ["blue", "green", "red"])
    #expect(matched.labels == [1, 2, 0] && matched.classNames == ["blue", "green", "red"])
    // Fewer classes than the classifier knows; one without images may have any name; canonical equals are equal.
    #expect(try images([0], ["red", "none"]).relabeled(as: ["blue", "red"]).labels == [1])
    #expect(try images([0], ["A\u{308}"]).relabeled(as: ["b", "\u{c4}"]).labels == [1])
    for names in [["blue", "green"], ["blue", "green", "white"], ["red", "green", "blue", "red"]] {
      let error = #expect(throws: DataError.self) { try data.relabeled(as: names) }
      #expect(error?.problem.contains("class 'red' is not") == true)
    }
  }

  @Test func greyAndColourBecomeEachOther() throws {
    let grey = try LabeledImages(
      name: "x", pixels: [1, 2, 3, 4], labels: [0, 1], imageShape: [1, 2, 1], classNames: ["a", "b"])
    let colour = grey.withChannels(3)
    #expect(colour.pixels == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4] && colour.imageShape == [1, 2, 3])
    #expect(colour.withChannels(1).pixels == grey.pixels && grey.withChannels(1).imageShape == [1, 2, 1])
  }
}
