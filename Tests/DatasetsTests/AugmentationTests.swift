import Testing

@testable import Datasets

@Suite struct AugmentationTests {
  /// `image` after `augmentation`, `times` times.
  private func changed(
    _ image: [UInt8], _ shape: Shape, by augmentation: Augmentation, times: Int = 200, colour: UInt8 = 9
  ) -> [[UInt8]] {
    var generator = SplittableGenerator(seed: 5)
    return (0..<times).map { _ in
      let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * image.count)
      defer { scratch.deallocate() }
      var (own, spare) = (scratch, scratch + image.count)
      own.update(from: image, count: image.count)
      augmentation.apply(
        to: &own, workspace: &spare, shape: shape, colour: [UInt8](repeating: colour, count: shape[2]),
        using: &generator)
      return Array(UnsafeBufferPointer(start: own, count: image.count))
    }
  }
  private let shape: Shape = [3, 4, 3]
  private let image = (1...36).map { UInt8($0) }

  /// The image moved, by the definition.
  private func moved(_ down: Int, _ right: Int, repeatsEdge: Bool) -> [UInt8] {
    var result: [UInt8] = []
    for row in 0..<3 {
      for column in 0..<4 {
        for c in 0..<3 {
          let (r, k) = (row + down, column + right)
          let isInside = (0..<3).contains(r) && (0..<4).contains(k)
          let (nearRow, nearColumn) = (min(max(r, 0), 2), min(max(k, 0), 3))
          result.append(isInside || repeatsEdge ? image[(nearRow * 4 + nearColumn) * 3 + c] : 0)
        }
      }
    }
    return result
  }

  @Test(arguments: [false, true])
  func everyPlaceOfACropOrShiftComesAndNoOther(repeatsEdge: Bool) {
    // Farther than the image is wide, too.
    for distance in [0, 1, 2, 6] {
      let places = (-distance...distance).flatMap { down in
        (-distance...distance).map { moved(down, $0, repeatsEdge: repeatsEdge) }
      }
      let seen = changed(
        image, shape, by: repeatsEdge ? .shift(by: distance) : .randomCrop(padding: distance), times: 3000)
      #expect(Set(seen) == Set(places))
    }
  }

  @Test(arguments: [1, 3, 4])
  func halfOfTheImagesAreMirrored(channels: Int) {
    let image = (0..<2 * 5 * channels).map { UInt8($0) }
    var mirror: [UInt8] = []
    for row in 0..<2 {
      for column in (0..<5).reversed() {
        for c in 0..<channels { mirror.append(image[(row * 5 + column) * channels + c]) }
      }
    }
    let seen = changed(image, [2, 5, channels], by: .horizontalFlip, times: 400)
    #expect(Set(seen) == [image, mirror])
    #expect((150...250).contains(seen.count { $0 == mirror }))
  }

  @Test func aCutoutIsASquareOfTheMeanColour() {
    let image = [UInt8](repeating: 200, count: 36)
    for result in changed(image, [6, 6, 1], by: .cutout(size: 2)) {
      let holes = result.indices.filter { result[$0] == 9 }
      #expect(result.allSatisfy { $0 == 9 || $0 == 200 })
      #expect([1, 2, 4].contains(holes.count))
      #expect(Set(holes.map { $0 / 6 }).count <= 2 && Set(holes.map { $0 % 6 }).count <= 2)
    }
    // Larger than the image.
    #expect(changed(image, [6, 6, 1], by: .cutout(size: 50)).contains([UInt8](repeating: 9, count: 36)))
  }

  @Test func stepsFollowOneAnother() {
    let both = Augmentation.shift(by: 0) + .horizontalFlip
    #expect(Set(changed(image, shape, by: both)).count == 2)
    #expect(changed(image, shape, by: .shift(by: 0) + .randomCrop(padding: 0)).allSatisfy { $0 == image })
  }

  @Test func mixupKeepsTheShareOfImagesAndTargetsAlike() throws {
    // The images say their class: class c is all 100 c.
    let labels = [0, 1, 2, 0, 1, 2, 0, 1]
    let images = try LabeledImages(
      name: "x", pixels: labels.flatMap { [UInt8](repeating: UInt8($0) * 100, count: 64) }, labels: labels,
      imageShape: [8, 8, 1], classNames: ["a", "b", "c"])
    for mixing in [Mixing.mixup(alpha: 0.5), .cutMix(alpha: 1), .mixup(alpha: 1e-3), .cutMix(alpha: 30)] {
      let batches = Batches(of: images, size: 8, shuffledBy: SplittableGenerator(seed: 2), mixing: mixing)
      for number in 0..<20 {
        for batch in batches.epoch(number) {
          let targets = try #require(batch.targets)
          #expect(targets.shape == [8, 3])
          for row in 0..<8 {
            let target = targets.scalars[row * 3..<row * 3 + 3].map { Double($0) }
            #expect(abs(target.reduce(0, +) - 1) < 1e-5)
            let image = batch.images.scalars[row * 64..<row * 64 + 64].map { Double($0) }
            let mean = image.reduce(0, +) / 64
            let wanted = (target[1] * 100 + target[2] * 200) / 255
            #expect(abs(mean - wanted) < 1e-4)
          }
        }
      }
    }
  }
}
