import FileFormats
import Foundation

/// Reads the images of a listing: first what their headers say, then on all threads their pixels, of which only those of the
/// prepared images stay in memory.
struct ImageReader {
  private let options: ImageOptions
  private let root: String
  private var leftOut: LeftOut
  private var survey = ImageSurvey()
  private var headers: [String: ImageHeader] = [:]

  /// The images of `listing`, with a fifth of those for training, drawn by `seed`, for testing where it has no others.
  static func read(_ listing: ImageListing, _ options: ImageOptions, seed: UInt64) throws(DataError) -> DatasetSplit {
    var reader = ImageReader(options: options, root: listing.root.path, leftOut: listing.leftOut)
    return try reader.read(listing, seed)
  }

  private init(options: ImageOptions, root: String, leftOut: LeftOut) {
    (self.options, self.root, self.leftOut) = (options, root, leftOut)
  }

  private mutating func read(_ listing: ImageListing, _ seed: UInt64) throws(DataError) -> DatasetSplit {
    var listing = listing
    keepImages(&listing)
    if !options.skipsUnreadable { try survey.check(in: root) }
    for part in [listing.training] + [listing.test, listing.validation].compactMap({ $0 }) {
      try requireEachClass(part, Set(part.items.map(\.label)))
    }
    let drawsTest = listing.test == nil
    if drawsTest { listing.drawTest(seed: seed) }
    let parts = [listing.training, listing.test!] + [listing.validation].compactMap { $0 }
    let preparation = options.preparation(ofAll: commonSize)
    let isColour = headers.values.contains { $0.channels == 3 }
    try checkMemory(parts, preparation, channels: isColour ? 3 : 1)
    var read: [LabeledImages] = []
    for part in parts { read.append(try images(part, listing.name, preparation, channels: isColour ? 3 : 1)) }
    if !options.skipsUnreadable { try survey.check(in: root) }
    var split = try DatasetSplit(training: read[0], validation: read.count > 2 ? read[2] : nil, test: read[1])
    split.notices = listing.notices + [leftOut.line, survey.unreadableLine.map { "left out: \($0)" }].compactMap { $0 }
    split.cautions = split.repetitions
    if drawsTest {
      split.cautions.insert(
        "there are no images for testing, so \(split.test.count) of \(split.test.count + split.training.count) images, drawn from "
          + "each class, are for testing", at: 0)
    }
    split.survey = survey
    return split
  }

  // MARK: Headers

  /// Keeps of the items those whose files are images.
  private mutating func keepImages(_ listing: inout ImageListing) {
    var seen: Set<String> = []
    let all = listing.training.items + (listing.test?.items ?? []) + (listing.validation?.items ?? [])
    let paths = all.map(\.path).filter { seen.insert($0).inserted }
    for (path, found) in zip(paths, SurveyedFile.survey(paths)) {
      switch found {
      case .image(let header): headers[path] = header
      case .unreadable(let problem): survey.add(problem, path)
      case .other(let kind):
        if listing.isExplicit || listing.isOfBoxes {
          survey.add(UnreadableImage(kind: "file that is no image", problem: "a \(kind), which is no image"), path)
        } else {
          leftOut.add(kind, path)
        }
      }
    }
    keep(&listing.training)
    if listing.test != nil { keep(&listing.test!) }
    if listing.validation != nil { keep(&listing.validation!) }
  }

  private mutating func keep(_ part: inout ImageListing.Part) {
    var kept: [ImageListing.Item] = []
    var counted: Set<String> = []
    for var item in part.items {
      guard let header = headers[item.path] else { continue }
      var size = header.size(upright: options.appliesOrientation)
      if let box = item.box {
        // Boxes are of the image as it is stored.
        item.box = box.within(height: header.storedHeight, width: header.storedWidth)
        guard let box = item.box, box.height >= COCO.smallestSide, box.width >= COCO.smallestSide else {
          leftOut.add("box that leaves its image", item.path)
          continue
        }
        size = (box.height, box.width)
      }
      if counted.insert(item.path).inserted { survey.formats[header.format, default: 0] += 1 }
      survey.sizes[[size.height, size.width], default: 0] += 1
      kept.append(item)
    }
    part.items = kept
  }

  private var commonSize: (height: Int, width: Int)? {
    guard survey.sizes.count == 1, let size = survey.sizes.keys.first else { return nil }
    return (size[0], size[1])
  }

  private func checkMemory(
    _ parts: [ImageListing.Part], _ preparation: ImagePreparation, channels: Int
  ) throws(DataError) {
    let count = parts.reduce(0) { $0 + $1.items.count }
    let bytes = count * preparation.size.height * preparation.size.width * channels
    let limit = options.memoryLimit ?? MachineMemory.limit
    guard bytes > limit / 2 else { return }
    func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
    throw DataError(
      "\(count) images of \(preparation.size.width) by \(preparation.size.height) pixels need \(gigabytes(bytes)), and this process "
        + "may use \(gigabytes(limit)), of which half is for images: give a smaller --image-size, or fewer images",
      in: root)
  }

  // MARK: Pixels

  private mutating func images(
    _ part: ImageListing.Part, _ name: String, _ preparation: ImagePreparation, channels: Int
  ) throws(DataError) -> LabeledImages {
    let items = part.items
    let count = preparation.size.height * preparation.size.width * channels
    // Consecutive parts of one image are decoded together.
    let starts = items.indices.filter { $0 == 0 || items[$0 - 1].path != items[$0].path }
    var problems: [UnreadableImage?] = []
    var pixels = [UInt8](repeating: 0, count: items.count * count)
    pixels.withUnsafeMutableBufferPointer { pixels in
      nonisolated(unsafe) let pixels = pixels
      problems = inParallel(starts.count) { index in
        let group = starts[index]..<(index + 1 < starts.count ? starts[index + 1] : items.count)
        return Self.write(items[group], preparation, channels, count, pixels)
      }
    }
    var kept = [Bool](repeating: true, count: items.count)
    for (index, problem) in problems.enumerated() {
      guard let problem else { continue }
      survey.add(problem, items[starts[index]].path)
      for item in starts[index]..<(index + 1 < starts.count ? starts[index + 1] : items.count) { kept[item] = false }
    }
    let labels = items.indices.filter { kept[$0] }.map { items[$0].label }
    if labels.count < items.count {
      // Out of the way of the images that are there.
      var end = 0
      pixels.withUnsafeMutableBytes { bytes in
        for item in items.indices where kept[item] {
          if item * count != end {
            (bytes.baseAddress! + end).copyMemory(from: bytes.baseAddress! + item * count, byteCount: count)
          }
          end += count
        }
      }
      pixels.removeLast(pixels.count - end)
    }
    // A class that has lost its last image: others may have had none here, where few were drawn.
    let lost = Set(items.map(\.label)).subtracting(labels)
    try requireEachClass(part, Set(part.places.indices).subtracting(lost))
    return try LabeledImages(
      name: name, pixels: pixels, labels: labels,
      imageShape: [preparation.size.height, preparation.size.width, channels], classNames: part.classNames,
      preparation: preparation)
  }

  /// Decodes a file and writes the images that are parts of it.
  private static func write(
    _ items: ArraySlice<ImageListing.Item>, _ preparation: ImagePreparation, _ channels: Int, _ count: Int,
    _ pixels: UnsafeMutableBufferPointer<UInt8>
  ) -> UnreadableImage? {
    do throws(UnreadableImage) {
      try EncodedImage(contentsOf: items.first!.path).write(items.map(\.box), preparation, channels: channels) { part in
        let index = items.startIndex + part
        return UnsafeMutableBufferPointer(rebasing: pixels[index * count..<(index + 1) * count])
      }
      return nil
    } catch { return error }
  }

  /// Refuses a class that is not among those `found` where it has a place for images.
  private func requireEachClass(_ part: ImageListing.Part, _ found: Set<Int>) throws(DataError) {
    guard let label = part.places.indices.first(where: { !found.contains($0) }) else { return }
    let place = part.places[label]
    let content = try? FolderEntries(URL(fileURLWithPath: place))
    var inside: [String] = []
    if let first = content?.folders.first { inside.append("the folder '\(first.escaped(80))'") }
    if let first = content?.files.first ?? content?.others.first?.name {
      inside.append("the file '\(first.escaped(80))'")
    }
    throw DataError(
      "no images for the class\(inside.isEmpty ? "" : "; it has \(inside.joined(separator: ", and "))")", in: place)
  }
}

extension ImageListing {
  /// Sets a fifth of the training images apart for testing: of each class, or where images are parts of files whole files.
  fileprivate mutating func drawTest(seed: UInt64) {
    let items = training.items
    var isTest = Set<Int>()
    if isOfBoxes {
      var generator = SplittableGenerator(seed: seed)
      var groups: [[Int]] = []
      for index in items.indices {
        if index > 0, items[index - 1].path == items[index].path {
          groups[groups.count - 1].append(index)
        } else {
          groups.append([index])
        }
      }
      for group in groups.shuffled(using: &generator) {
        guard isTest.count < items.count / 5 else { break }
        isTest.formUnion(group)
      }
    } else {
      isTest = Set(
        LabeledImages.stratified(
          items.count / 5, of: items.map(\.label), classes: training.classNames.count, seed: seed))
    }
    var drawn = Part(classNames: training.classNames)
    drawn.items = items.indices.filter { isTest.contains($0) }.map { items[$0] }
    training.items = items.indices.filter { !isTest.contains($0) }.map { items[$0] }
    test = drawn
  }
}
