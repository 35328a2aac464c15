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
  /// What is drawn, `times` times.
  private func drawn(_ augmentation: Augmentation, _ shape: Shape, times: Int) -> [[ImageChange]] {
    var generator = SplittableGenerator(seed: 6)
    return (0..<times).map { _ in augmentation.drawn(for: shape, using: &generator) }
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

  @Test func aResizedCropCoversItsSharesOfAreaAndAspect() {
    let augmentation = Augmentation.randomResizedCrop(area: 0.1...0.3, aspect: 0.5...2)
    let crops = drawn(augmentation, [40, 60, 3], times: 4000).map { changes -> (area: Double, aspect: Double) in
      guard changes.count == 1, case .enlarge(let rows, let columns) = changes[0] else { return (0, 0) }
      #expect(rows.lowerBound >= 0 && rows.upperBound <= 40 && columns.lowerBound >= 0 && columns.upperBound <= 60)
      return (Double(rows.count * columns.count) / 2400, Double(columns.count) / Double(rows.count))
    }
    // Uniform in the area, and uniform in the logarithm of the aspect: as many wide ones as high ones. Sides are whole pixels.
    #expect(crops.allSatisfy { (0.09...0.32).contains($0.area) && (0.45...2.2).contains($0.aspect) })
    #expect(abs(crops.reduce(0) { $0 + $1.area } / 4000 - 0.2) < 0.005)
    #expect((0.47...0.53).contains(Double(crops.count { $0.aspect > 1 }) / 4000))
    #expect(crops.contains { $0.area < 0.11 } && crops.contains { $0.area > 0.29 })
  }

  @Test func aCropThatCannotHaveItsAspectIsTheLargestInTheCentre() {
    let augmentation = Augmentation.randomResizedCrop(area: 1...1, aspect: 0.5...2)
    #expect(
      drawn(augmentation, [4, 40, 1], times: 3)
        == [[ImageChange]](repeating: [.enlarge(rows: 0..<4, columns: 16..<24)], count: 3))
    #expect(drawn(augmentation, [40, 4, 1], times: 1) == [[.enlarge(rows: 16..<24, columns: 0..<4)]])
    #expect(drawn(augmentation, [1, 1, 1], times: 1) == [[.enlarge(rows: 0..<1, columns: 0..<1)]])
  }

  @Test func jitterDrawsItsFactorsAndItsOrder() {
    let all = drawn(.colourJitter(brightness: 0.4, contrast: 2, saturation: 0, hue: 0.2), [4, 4, 3], times: 3000)
    var orders: Set<String> = []
    for changes in all {
      var order = ""
      for change in changes {
        switch change {
        case .brightness(let factor):
          order += "b"
          #expect((0.6...1.4).contains(factor))
        case .contrast(let factor):
          order += "c"
          #expect((0...3).contains(factor))
        case .hue(let turn):
          order += "h"
          #expect((-0.2...0.2).contains(turn))
        default: Issue.record("\(change)")
        }
      }
      orders.insert(order)
    }
    #expect(orders == ["bch", "bhc", "cbh", "chb", "hbc", "hcb"])
  }

  @Test func aShareOfTheImagesIsErasedByItsRectangle() {
    let augmentation = Augmentation.randomErasing(probability: 0.3, area: 0.1...0.2, aspect: 0.5...2)
    let all = drawn(augmentation, [30, 20, 3], times: 4000)
    #expect((0.27...0.33).contains(Double(all.count { !$0.isEmpty }) / 4000))
    for case .fill(let rows, let columns) in all.joined() {
      #expect((0.08...0.23).contains(Double(rows.count * columns.count) / 600), "\(rows) \(columns)")
      #expect(rows.upperBound <= 30 && columns.upperBound <= 20 && rows.count < 30 && columns.count < 20)
    }
    #expect(drawn(.randomErasing(probability: 1), [1, 1, 1], times: 20).allSatisfy { $0.isEmpty })
    let erased = changed(
      [UInt8](repeating: 200, count: 300), [10, 10, 3],
      by: .randomErasing(probability: 1, area: 0.2...0.2, aspect: 1...1))
    #expect(erased.allSatisfy { $0.count { $0 == 9 } == 48 && $0.count { $0 == 200 } == 252 })
  }

  @Test func trivialAugmentDrawsEveryOperationAlike() {
    let all = drawn(.trivialAugment, [64, 48, 3], times: 14_000)
    var counts: [String: Int] = [:]
    for changes in all {
      #expect(changes.count <= 1)
      let name =
        switch changes.first {
        case nil: "identity"
        case .shear(_, let isDown): "shear \(isDown)"
        case .move(let right, let down):
          // 0 along both is drawn of either.
          right == 0 && down == 0 ? "no translation" : right == 0 ? "translation down" : "translation right"
        case .some(let change): "\(change)".prefix { $0 != "(" }.description
        }
      counts[name, default: 0] += 1
      switch changes.first {
      case .shear(let slope, _): #expect(abs(slope) <= 0.99)
      case .move(let right, let down): #expect(abs(right) <= 32 && abs(down) <= 32)
      case .rotate(let degrees): #expect(abs(degrees) <= 135)
      case .brightness(let factor), .contrast(let factor), .saturation(let factor), .sharpness(let factor):
        #expect((0.01 - 1e-9...1.99 + 1e-9).contains(factor))
      case .posterize(let bits): #expect((2...8).contains(bits))
      case .solarize(let threshold): #expect((0...255).contains(threshold))
      default: break
      }
    }
    #expect(counts.count == 15)
    for (name, count) in counts where name != "no translation" {
      #expect((850...1150).contains(count), "\(name): \(count)")
    }
  }

  @Test func randAugmentHasItsMagnitude() {
    let all = drawn(.randAugment(operations: 3, magnitude: 15), [40, 331, 3], times: 2000)
    #expect(all.contains { $0.count == 3 } && all.allSatisfy { $0.count <= 3 })
    for change in all.joined() {
      switch change {
      case .shear(let slope, _): #expect(abs(slope) == 0.15)
      case .move(let right, let down): #expect(abs(right) == 75 || abs(down) == 9)
      case .rotate(let degrees): #expect(abs(degrees) == 15)
      case .brightness(let factor): #expect(factor == 1.45 || factor == 0.55)
      case .posterize(let bits): #expect(bits == 6)
      case .solarize(let threshold): #expect(threshold == 127.5)
      default: break
      }
    }
    #expect(drawn(.randAugment(magnitude: 0), [8, 8, 1], times: 200).joined().allSatisfy { $0 != .rotate(degrees: 1) })
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
