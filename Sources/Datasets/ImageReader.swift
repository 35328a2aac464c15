import FileFormats
import Foundation

/// Reads the images of a listing: first what their headers say, then on all threads their pixels, of which only those of the
/// prepared images stay, in memory or in a file.
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
    let prepared = PreparedFiles.Form(preparation: preparation, channels: isColour ? 3 : 1)
    var place = place(parts.reduce(0) { $0 + $1.items.count } * prepared.shape.count, &listing)
    var read: [LabeledImages] = []
    for (part, name) in zip(parts, ["training", "test", "validation"]) {
      read.append(try images(PreparedFiles(part.items, prepared, listing.name), part, name, &place, &listing))
    }
    if !options.skipsUnreadable { try survey.check(in: root) }
    var split = try DatasetSplit(training: read[0], validation: read.count > 2 ? read[2] : nil, test: read[1])
    split.notices = listing.notices + [leftOut.line, survey.unreadableLine.map { "left out: \($0)" }].compactMap { $0 }
    split.cautions = try split.repetitions()
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

  // MARK: Pixels

  /// Where prepared images are kept.
  private enum Place {
    case memory
    case packed(in: URL)
    case files
  }

  /// The place of so many bytes of images, which `listing` tells of where it is not memory.
  private func place(_ bytes: Int, _ listing: inout ImageListing) -> Place {
    guard !options.holds(bytes) else { return .memory }
    func inWords(_ bytes: Int) -> String {
      bytes < 1_000_000_000
        ? "\((bytes + 999_999) / 1_000_000) MB" : String(format: "%.1f GB", Double(bytes) / 1e9)
    }
    let size = "the images need \(inWords(bytes)), more than --cache allows in memory"
    guard let folder = options.cacheFolder else {
      listing.notices.append("\(size): they are decoded anew in each epoch")
      return .files
    }
    // A folder that cannot be made has no free bytes that are known, and the file in it says why.
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Space for hashes, and for what a run saves besides.
    if let free = OpenFile.freeBytes(at: folder.path), free <= bytes + bytes / 20 + 1 << 28 {
      listing.notices.append(
        "\(size), and \(folder.path) has \(inWords(free)) free, too little to pack them there: they are decoded anew in each epoch"
      )
      return .files
    }
    listing.notices.append("\(size): they are packed in \(folder.path)")
    return .packed(in: folder)
  }

  private mutating func images(
    _ files: PreparedFiles, _ part: ImageListing.Part, _ name: String, _ place: inout Place,
    _ listing: inout ImageListing
  ) throws(DataError) -> LabeledImages {
    let (kept, store) = try pixels(files, name, &place, &listing)
    let labels = kept.map { files.items[$0].label }
    // A class that has lost its last image: others may have had none here, where few were drawn.
    let lost = Set(files.items.map(\.label)).subtracting(labels)
    try requireEachClass(part, Set(part.places.indices).subtracting(lost))
    return try LabeledImages(
      name: listing.name, store: store, labels: labels, imageShape: files.imageShape, classNames: part.classNames,
      preparation: files.form.preparation)
  }

  /// The items that could be read, and their images.
  private mutating func pixels(
    _ files: PreparedFiles, _ name: String, _ place: inout Place, _ listing: inout ImageListing
  ) throws(DataError) -> (kept: [Int], ImageStore) {
    var (file, key, writer): (URL?, String, PackedImages.Writer?) = (nil, "", nil)
    // Without the file the images are still there.
    func giveUp(_ error: any Error) {
      listing.notices.append("\(error): the \(name) images are not packed but decoded anew in each epoch")
      (writer, place) = (nil, .files)
    }
    if case .packed(let folder) = place {
      let url = folder.appendingPathComponent("\(name).images")
      key = files.key
      if let packed = PackedImages.open(
        url, key: key, items: files.items.count, imageSize: files.imageShape.count)
      {
        for file in packed.source.unreadable {
          survey.add(UnreadableImage(kind: file.kind, problem: file.problem), file.path)
        }
        return (packed.source.kept, .packed(packed))
      }
      do { (file, writer) = (url, try PackedImages.Writer(url)) } catch { giveUp(error) }
    }
    var (pixels, hasher): ([UInt8], ImageDigests.Hasher) = ([], ImageDigests.Hasher())
    if case .memory = place { pixels.reserveCapacity(files.items.count * files.imageShape.count) }
    var source = PackedImages.Source(key: key, kept: [])
    try files.forEachRead { (item, image) throws(DataError) in
      source.kept.append(item)
      if case .memory = place { pixels += image } else { hasher.append(image) }
      do { try writer?.append(image) } catch { giveUp(error) }
    } unreadable: { item, problem in
      let path = files.items[item].path
      survey.add(problem, path)
      source.unreadable.append(.init(path: path, kind: problem.kind, problem: problem.problem))
    }
    if case .memory = place { return (source.kept, .memory(pixels)) }
    if !options.skipsUnreadable { try survey.check(in: root) }
    // One that could not be opened may be there the next time.
    let mayReturn = source.unreadable.contains { $0.kind == UnreadableImage.unopened }
    if let writer, let file, !mayReturn {
      do {
        try writer.finish(source, hasher.finished())
        if let packed = PackedImages.open(
          file, key: key, items: files.items.count, imageSize: files.imageShape.count)
        {
          return (source.kept, .packed(packed))
        }
        giveUp(DataError("the images were packed, and cannot be read back", in: file.path))
      } catch { giveUp(error) }
    }
    return (source.kept, .source(ReadImages(files.kept(source.kept), digests: hasher.finished())))
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
