import EncodeNet
import Foundation

/// Prints which share of an epoch the trainer waits for its batches: a ResNet20 on images of 64 by 64, by augmentation, and on those
/// of a folder of JPEGs, where there is one.
func printWaiting() {
  let augmentations: [(name: String, augmentation: Augmentation?)] = [
    ("none", nil), ("crop,flip", .randomCrop(padding: 8) + .horizontalFlip),
    (
      "resized-crop,flip,colour-jitter,random-erasing",
      .randomResizedCrop() + .horizontalFlip + .colourJitter() + .randomErasing()
    ), ("resized-crop,flip,trivial-augment", .randomResizedCrop() + .horizontalFlip + .trivialAugment),
    ("rand-augment,flip", .randAugment() + .horizontalFlip),
  ]
  let images = synthetic(count: 128 * 16, side: 64)
  print("\(Computation.threadCount) threads, batches of 128, 16 steps")
  print("augmentation                                    s an epoch  waited %  µs an image alone")
  for (name, augmentation) in augmentations {
    let batches = Batches(
      of: images, size: 128, shuffledBy: SplittableGenerator(seed: 1), augmentation: augmentation,
      normalization: .computed(from: images))
    let (epoch, waited) = trained(on: batches)
    let alone = ContinuousClock().measure { for _ in batches.epoch(3) {} } / .microseconds(1) / Double(images.count)
    print(
      name.padding(toLength: 46, withPad: " ", startingAt: 0)
        + String(format: "%12.2f %9.2f %18.1f", epoch, 100 * waited / epoch, alone))
  }
  guard Photographs.isThere else { return print("no folder of JPEGs: Scripts/make-photographs \(Photographs.folder)") }
  printWaitingForFiles()
}

/// The same for a network that is trained from a folder of JPEGs, wherever its images are held.
private func printWaitingForFiles() {
  let packed = FileManager.default.temporaryDirectory.appendingPathComponent("packed-\(UUID())")
  defer { try? FileManager.default.removeItem(at: packed) }
  let places: [(name: String, cache: Int, folder: URL?)] = [
    ("in memory", .max, nil), ("packed, written now", 0, packed), ("packed", 0, packed),
    ("decoded in each epoch", 0, nil),
  ]
  print("\nJPEGs of \(Photographs.folder)                  s an epoch  waited %  µs an image to read, once")
  for (name, cache, folder) in places {
    var options = ImageOptions(size: ImageSize(64))
    (options.cache, options.cacheFolder) = (cache, folder)
    let clock = ContinuousClock()
    var split: DatasetSplit?
    let reading = clock.measure {
      split = try? ImageFolder.load(URL(fileURLWithPath: Photographs.folder), options)
    }
    guard let split else { return print("\(Photographs.folder): not read") }
    let batches = Batches(
      of: split.training, size: 128, shuffledBy: SplittableGenerator(seed: 1), augmentation: Photographs.augmentation,
      normalization: Photographs.normalization)
    let (epoch, waited) = trained(on: batches)
    let each = reading / .microseconds(1) / Double(split.training.count + split.test.count)
    print(
      name.padding(toLength: 46, withPad: " ", startingAt: 0)
        + String(format: "%12.2f %9.2f %18.1f", epoch, 100 * waited / epoch, each))
  }
}

/// The seconds of an epoch after the first, and those of them that it waited for batches.
private func trained(on batches: Batches) -> (epoch: Double, waited: Double) {
  var generator = SplittableGenerator(seed: 2)
  let step = trainingStep(ResNet(depth: 20, classes: 10, inputShape: [64, 64, 3], using: &generator))
  let clock = ContinuousClock()
  var (waited, all) = (Duration.zero, Duration.zero)
  for epoch in 0..<2 {
    waited = .zero
    all = clock.measure {
      var iterator = batches.epoch(epoch).makeIterator()
      while true {
        var next: Batch?
        waited += clock.measure { next = iterator.next() }
        guard let batch = next else { break }
        step(batch.images, batch.labels)
      }
    }
  }
  return (all / .seconds(1), waited / .seconds(1))
}

/// Images of waves of colour, ten classes of them.
private func synthetic(count: Int, side: Int) -> LabeledImages {
  var pixels: [UInt8] = []
  pixels.reserveCapacity(count * side * side * 3)
  for image in 0..<count {
    for place in 0..<side * side {
      let (row, column) = (place / side, place % side)
      for c in 0..<3 {
        pixels.append(UInt8(truncatingIfNeeded: (row * (image % 10 + 1) + column * (c + 2) + image) / 2))
      }
    }
  }
  return try! LabeledImages(
    name: "waves", pixels: pixels, labels: (0..<count).map { $0 % 10 }, imageShape: [side, side, 3],
    classNames: (0..<10).map(String.init))
}
