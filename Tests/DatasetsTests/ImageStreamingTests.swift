import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Images that are more than memory holds, and sources that fail.
@Suite struct ImageStreamingTests {
  /// Twelve images of each of two classes, each another one.
  private func write(_ folder: URL) throws {
    for index in 0..<24 {
      let pixels = (0..<12 * 10 * 3).map { UInt8(truncatingIfNeeded: $0 * (index + 3) + index * 7) }
      try folder.write(
        "\(index % 2 == 0 ? "a" : "b")/\(index).png", DecodedImage(pixels: pixels, shape: [12, 10, 3]).png())
    }
  }

  private func options(_ cache: Int, _ folder: URL? = nil) -> ImageOptions {
    var options = ImageOptions(size: ImageSize(8))
    (options.cache, options.cacheFolder) = (cache, folder)
    return options
  }

  private func batches(_ images: LabeledImages) -> [[Scalar]] {
    Batches(
      of: images, size: 4, shuffledBy: SplittableGenerator(seed: 1), augmentation: .horizontalFlip,
      normalization: .computed(from: images)
    ).epoch(2).map { $0.images.scalars + $0.labels.map { Scalar($0) } }
  }

  @Test func imagesInMemoryInAPackedFileAndInTheirFilesAreTheSame() throws {
    try withFolder { folder in
      let data = folder.appendingPathComponent("data")
      try write(data)
      let held = try ImageFolder.load(data, options(1 << 20))
      let packed = try ImageFolder.load(data, options(100, folder.appendingPathComponent("packed")))
      let read = try ImageFolder.load(data, options(100))
      #expect(held.notices.isEmpty)
      #expect(packed.notices.count == 1 && packed.notices[0].contains("they are packed in"), "\(packed.notices)")
      #expect(read.notices.count == 1 && read.notices[0].contains("decoded anew in each epoch"), "\(read.notices)")
      for other in [packed, read] {
        #expect(other.fingerprint == held.fingerprint)
        #expect(other.training.imageFingerprints == held.training.imageFingerprints)
        #expect(other.test.pixels == held.test.pixels && other.training.labels == held.training.labels)
        #expect(batches(other.training) == batches(held.training))
        let (some, same) = (other.training.subset([5, 2, 5]), held.training.subset([5, 2, 5]))
        #expect(some.fingerprint == same.fingerprint && some.pixels == same.pixels)
        #expect(some.imageFingerprints == same.imageFingerprints && batches(some) == batches(same))
        #expect(some.tensor(at: [2, 0, 1]).scalars == same.tensor(at: [2, 0, 1]).scalars)
        #expect(some.withChannels(1).pixels == same.withChannels(1).pixels)
        let preparation = ImagePreparation(size: ImageSize(5), fit: .pad)
        #expect(some.prepared(preparation).pixels == same.prepared(preparation).pixels)
        #expect(Normalization.computed(from: other.training) == .computed(from: held.training))
      }
    }
  }

  @Test func aPackedFileIsMadeOnceAndAnewWhereAFileHasChanged() throws {
    try withFolder { folder in
      let (data, cache) = (folder.appendingPathComponent("data"), folder.appendingPathComponent("cache"))
      try write(data)
      try data.write("a/broken.png", [137, 80, 78, 71, 13, 10, 26, 10, 1, 2, 3])
      var options = options(0, cache)
      options.skipsUnreadable = true
      func number(_ name: String) throws -> Int {
        let state = try FileManager.default.attributesOfItem(atPath: cache.appendingPathComponent(name).path)
        return try #require((state[.systemFileNumber] as? NSNumber)?.intValue)
      }
      let first = try ImageFolder.load(data, options)
      let made = try number("training.images")
      let second = try ImageFolder.load(data, options)
      #expect(try number("training.images") == made)
      #expect(second.fingerprint == first.fingerprint && second.notices == first.notices)
      #expect(second.survey?.unreadableCount == 1)

      try data.write("a/0.png", DecodedImage(pixels: [UInt8](repeating: 9, count: 64), shape: [8, 8, 1]).png())
      let third = try ImageFolder.load(data, options)
      #expect(third.fingerprint != first.fingerprint)
      #expect(try third.fingerprint == ImageFolder.load(data, self.options(1 << 20).skipping).fingerprint)
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: cache.path).sorted() == ["test.images", "training.images"])
    }
  }

  /// What an image that can only be read when it is decoded has in the first pass is told again by the packed file.
  @Test func aDamagedImageIsLeftOutOfThePackedFileAndToldEachTime() throws {
    try withFolder { folder in
      let (data, cache) = (folder.appendingPathComponent("data"), folder.appendingPathComponent("cache"))
      try write(data)
      let whole = try Data(contentsOf: data.appendingPathComponent("a/2.png"))
      try data.write("a/2.png", Array(whole.prefix(whole.count / 2)))
      let plain = options(0, cache)
      let error = #expect(throws: DataError.self) { try ImageFolder.load(data, plain) }
      #expect(error?.file?.hasSuffix("a/2.png") == true, "\(String(describing: error))")
      #expect(try FileManager.default.contentsOfDirectory(atPath: cache.path).isEmpty)
      for _ in 0..<2 {
        let split = try ImageFolder.load(data, plain.skipping)
        #expect(split.training.count + split.test.count == 23 && split.survey?.unreadableCount == 1)
      }
    }
  }

  @Test func aPackedFileThatIsDamagedIsAnErrorOrMadeAnew() throws {
    try withFolder { folder in
      let (data, cache) = (folder.appendingPathComponent("data"), folder.appendingPathComponent("cache"))
      try write(data)
      let file = cache.appendingPathComponent("training.images")
      let good = try ImageFolder.load(data, options(0, cache))
      let bytes = try Array(Data(contentsOf: file))
      for place in [bytes.count - 1, bytes.count - 9, bytes.count - 40, bytes.count - 300] {
        var damaged = bytes
        damaged[place] ^= 1
        try Data(damaged).write(to: file)
        #expect(try ImageFolder.load(data, options(0, cache)).fingerprint == good.fingerprint, "byte \(place)")
        #expect(try Array(Data(contentsOf: file)) == bytes, "byte \(place)")
      }
      for count in [0, 5, 31, 32, 400, bytes.count - 1] {
        try Data(bytes.prefix(count)).write(to: file)
        #expect(try ImageFolder.load(data, options(0, cache)).fingerprint == good.fingerprint, "\(count) bytes")
      }
      var damaged = bytes
      damaged[8 * 8 * 3 * 3 + 5] ^= 1
      try Data(damaged).write(to: file)
      let split = try ImageFolder.load(data, options(0, cache))
      let error = #expect(throws: DataError.self) { try throwingDataFaults { split.training.image(at: 3) } }
      #expect(error?.problem.contains("image 3: the packed images are damaged: delete the file") == true)
      #expect(error?.problem.contains("training.images") == true)
    }
  }

  @Test func aPackedFileOfOtherItemsIsMadeAnew() throws {
    try withFolder { folder in
      let (file, key) = (folder.appendingPathComponent("x.images"), "k")
      for kept in [[0, 1, 7], [-1, 0, 1], [2, 1, 0], [0, 0, 1], [0, 1, 2]] {
        let writer = try PackedImages.Writer(file)
        var hasher = ImageDigests.Hasher()
        for image in 0..<3 {
          let pixels = [UInt8](repeating: UInt8(image), count: 4)
          try pixels.withUnsafeBufferPointer { (pixels) throws(DataError) in
            hasher.append(pixels)
            try writer.append(pixels)
          }
        }
        try writer.finish(.init(key: key, kept: kept), hasher.finished())
        let opened = PackedImages.open(file, key: key, items: 3, imageSize: 4)
        #expect((opened != nil) == (kept == [0, 1, 2]), "\(kept)")
        #expect(PackedImages.open(file, key: key, items: 2, imageSize: 4) == nil)
      }
    }
  }

  @Test func anImageThatHasChangedSinceItWasReadIsAFault() throws {
    try withFolder { folder in
      try write(folder)
      let split = try ImageFolder.load(folder, options(0))
      for index in 0..<24 {
        let name = "\(index % 2 == 0 ? "a" : "b")/\(index).png"
        try folder.write(name, DecodedImage(pixels: [UInt8](repeating: 9, count: 360), shape: [12, 10, 3]).png())
      }
      let error = #expect(throws: DataError.self) { try throwingDataFaults { split.training.image(at: 3) } }
      #expect(error?.problem.contains("image 3 has changed since it was first read") == true)
    }
  }

  /// A data set that reads another one, on threads where nobody collects its faults.
  @Test func faultsOfADataSetInsideOfAnotherAreThrown() throws {
    struct Wrapper: ImageDataset {
      let base: LabeledImages
      var name: String { base.name }
      var count: Int { base.count }
      var imageShape: Shape { base.imageShape }
      var classNames: [String] { base.classNames }
      func label(at index: Int) -> Int { base.label(at: index) }
      func image(at index: Int) throws -> [UInt8] { base.image(at: index) }
    }
    let images = Wrapper(base: try LabeledImages(Failing()))
    let error = #expect(throws: DataError.self) {
      try throwingDataFaults { try Batches(of: images, size: 4).epoch(0).map(\.labels) }
    }
    #expect(error?.problem == "failing: image 2 cannot be read: Lost()")
  }

  @Test func whatKilledProcessesLeftIsRemovedAndWhatLivingOnesWriteIsNot() throws {
    try withFolder { folder in
      let (data, cache) = (folder.appendingPathComponent("data"), folder.appendingPathComponent("cache"))
      try write(data)
      try cache.write("training.images.17.partial", [1, 2, 3])
      let living = try OpenFile(writing: cache.appendingPathComponent("training.images.18.partial").path)
      _ = try ImageFolder.load(data, options(0, cache))
      let names = try FileManager.default.contentsOfDirectory(atPath: cache.path).sorted()
      #expect(names == ["test.images", "training.images", "training.images.18.partial"])
      withExtendedLifetime(living) {}
    }
  }

  @Test func aFileThatIsGoneIsAFaultThatNamesIt() throws {
    try withFolder { folder in
      try write(folder)
      let split = try ImageFolder.load(folder, options(0))
      try FileManager.default.removeItem(at: folder.appendingPathComponent("b"))
      let error = #expect(throws: DataError.self) {
        try throwingDataFaults { for batch in Batches(of: split.training, size: 4) { #expect(batch.labels.count > 0) } }
      }
      #expect(error?.problem.contains("/b/") == true && error?.problem.contains("cannot be opened") == false)
    }
  }

  @Test func aBatchThatCannotBeReadEndsAProgramThatDoesNotCollectFaults() async {
    await #expect(processExitsWith: .failure) {
      for _ in try Batches(of: Failing(), size: 2) {}
    }
  }

  // MARK: Data sets of one's own

  struct Stripes: ImageDataset {
    var name = "stripes"
    var count = 10
    var imageShape: Shape = [2, 3, 1]
    var classNames = ["x", "y"]
    func label(at index: Int) throws -> Int { index % 2 }
    func image(at index: Int) throws -> [UInt8] { (0..<6).map { UInt8($0 * 10 + index) } }
  }

  struct Failing: ImageDataset {
    struct Lost: Error {}
    let name = "failing"
    let count = 4
    let classNames = ["x", "y"]
    let imageShape: Shape = [2, 2, 1]
    var wrongLabel = 0
    var fails = true
    func label(at index: Int) throws -> Int { index == 2 ? wrongLabel : 1 }
    func image(at index: Int) throws -> [UInt8] {
      if fails, index == 2 { throw Lost() }
      return [UInt8](repeating: 1, count: index == 3 ? 5 : 4)
    }
  }

  @Test func aDataSetOfOnesOwnIsReadWhereItIsWanted() throws {
    let images = try LabeledImages(Stripes())
    #expect(images.count == 10 && images.labels == (0..<10).map { $0 % 2 } && images.name == "stripes")
    #expect(images.image(at: 3) == [3, 13, 23, 33, 43, 53])
    let batches = try Batches(of: Stripes(), size: 5)
    #expect(batches.batchCount == 2 && batches.epoch(0).flatMap(\.indices) == Array(0..<10))
    let split = try DatasetSplit(training: Stripes(), test: Stripes(count: 4))
    let held = try LabeledImages(
      name: "stripes", pixels: images.pixels, labels: images.labels, imageShape: [2, 3, 1], classNames: ["x", "y"])
    #expect(split.training.fingerprint == held.fingerprint && split.validation == nil)
  }

  @Test func aDataSetOfOnesOwnThatIsWrongSaysWhere() throws {
    let label = #expect(throws: DataError.self) { try LabeledImages(Failing(wrongLabel: 7)) }
    #expect(label?.problem == "failing: image 2 has label 7, there are 2 classes")
    let shape = #expect(throws: DataError.self) { try LabeledImages(Stripes(imageShape: [2, 3])) }
    #expect(shape?.problem.contains("it must be [height, width, channels]") == true)
    let lost = #expect(throws: DataError.self) {
      try throwingDataFaults { try Batches(of: Failing(), size: 3).epoch(0).map(\.labels) }
    }
    #expect(lost?.problem == "failing: image 2 cannot be read: Lost()")
    let short = #expect(throws: DataError.self) {
      try throwingDataFaults { try LabeledImages(Failing(fails: false)).image(at: 3) }
    }
    #expect(short?.problem == "failing: image 3 has 5 bytes, wanted 4, of shape [2, 2, 1]")
  }

  @Test func tensorsAreImagesOf256Levels() throws {
    let values = Tensor([0, 0.5, 1, 0.25, 0.1, 0.9, 0.2, 0.7], shape: [2, 2, 2, 1])
    let images = try LabeledImages(name: "own", images: values, labels: [0, 1], classNames: ["a", "b"])
    #expect(images.pixels == [0, 128, 255, 64, 26, 230, 51, 179] && images.imageShape == [2, 2, 1])
    let error = #expect(throws: DataError.self) {
      try LabeledImages(name: "own", images: values * 2, labels: [0, 1], classNames: ["a", "b"])
    }
    #expect(error?.problem == "own: value 2 of the images is 2.0, wanted values in 0...1")
  }
}

extension ImageOptions {
  fileprivate var skipping: ImageOptions {
    var options = self
    options.skipsUnreadable = true
    return options
  }
}
