import Testing

@testable import Datasets

@Suite struct BatchesTests {
  private let generator = SplittableGenerator(seed: 11)

  @Test func anEpochHasEveryImageOnceInAnOrderOfItsOwn() throws {
    let images = try numbered(50)
    let batches = Batches(of: images, size: 8, shuffledBy: generator)
    #expect(batches.batchCount == 7)
    let first = Array(batches.epoch(0))
    #expect(first.map(\.indices.count) == [8, 8, 8, 8, 8, 8, 2])
    #expect(first.flatMap(\.indices).sorted() == Array(0..<50))
    #expect(first.flatMap(\.indices) != batches.epoch(1).flatMap(\.indices))
    for batch in first {
      #expect(batch.labels == batch.indices.map { images.labels[$0] })
      #expect(batch.images.scalars == images.tensor(at: batch.indices).scalars)
      #expect(batch.targets == nil)
    }
  }

  @Test func withoutAGeneratorTheOrderIsTheDataSets() throws {
    let batches = Batches(of: try numbered(10), size: 4, droppingLast: true)
    #expect(batches.map(\.indices) == [[0, 1, 2, 3], [4, 5, 6, 7]] && batches.batchCount == 2)
    #expect(batches.epoch(5).map(\.indices) == batches.map(\.indices))
  }

  @Test(arguments: [nil, Mixing.mixup(alpha: 0.4), .cutMix(alpha: 1)])
  func anEpochRepeatsBitForBitAlsoFromTheMiddle(mixing: Mixing?) throws {
    func batches(_ seed: UInt64 = 11) throws -> Batches {
      Batches(
        of: try numbered(40), size: 8, shuffledBy: SplittableGenerator(seed: seed),
        augmentation: .randomCrop(padding: 1) + .horizontalFlip + .cutout(size: 2), mixing: mixing)
    }
    func content(_ batches: some Sequence<Batch>) -> [[Scalar]] {
      batches.map { $0.images.scalars + ($0.targets?.scalars ?? []) + $0.indices.map { Scalar($0) } }
    }
    let all = content(try batches().epoch(3))
    #expect(all == content(try batches().epoch(3)))
    #expect(Array(all.dropFirst(3)) == content(try batches().epoch(3).dropFirst(3)))
    #expect(all != content(try batches().epoch(2)))
    #expect(all != content(try batches(12).epoch(3)))
  }

  @Test(arguments: [1, 5])
  func theNumberOfThreadsChangesNothing(threads: Int) throws {
    let images = try LabeledImages(
      name: "noise", pixels: (0..<70 * 12 * 10 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) },
      labels: (0..<70).map { $0 % 3 }, imageShape: [12, 10, 3], classNames: ["a", "b", "c"])
    let augmentation: Augmentation =
      .randomResizedCrop() + .horizontalFlip + .colourJitter() + .trivialAugment + .randAugment() + .randomErasing()
    let batches = Batches(
      of: images, size: 4, shuffledBy: generator, augmentation: augmentation, normalization: .computed(from: images))
    // One after the other, as their numbers say.
    let order = batches.order(ofEpoch: 2)
    let expected = try (0..<batches.batchCount).map { try batches.batch($0, ofEpoch: 2, order: order) }
    let before = Computation.threadCount
    defer { Computation.threadCount = before }
    Computation.threadCount = threads
    let found = Array(batches.epoch(2))
    #expect(found.map(\.indices) == expected.map(\.indices))
    #expect(found.map(\.images.scalars) == expected.map(\.images.scalars))
  }

  @Test func holesHaveTheMeanColourAlsoWhereOneMeanIsThatOfAllChannels() throws {
    let images = try LabeledImages(
      name: "white", pixels: [UInt8](repeating: 255, count: 8 * 8 * 8 * 3), labels: [Int](repeating: 0, count: 8),
      imageShape: [8, 8, 3], classNames: ["a"])
    for augmentation in [Augmentation.cutout(size: 4), .randomErasing(probability: 1, area: 0.2...0.5)] {
      let batches = Batches(
        of: images, size: 8, shuffledBy: generator, augmentation: augmentation,
        normalization: Normalization(mean: [0.4], deviation: [0.2]))
      let values = batches.flatMap(\.images.scalars)
      #expect(Set(values.map { ($0 * 1000).rounded() }) == [0, 3000], "\(augmentation)")
    }
  }

  @Test func anEpochThatIsLeftEarlyIsDroppedWithItsPreparation() throws {
    let batches = Batches(of: try numbered(60), size: 2, shuffledBy: generator)
    for number in 0..<50 {
      for batch in batches.epoch(number) where batch.indices.contains(7) { break }
    }
    var iterator = batches.makeIterator()
    for _ in 0..<30 { #expect(iterator.next() != nil) }
    #expect(iterator.next() == nil && iterator.next() == nil)
  }

  @Test func anEmptyDataSetHasNoBatches() throws {
    let batches = Batches(of: try numbered(0), size: 4, shuffledBy: generator)
    #expect(batches.batchCount == 0 && Array(batches.epoch(0)).isEmpty)
  }
}
