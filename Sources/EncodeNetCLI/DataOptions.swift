import ArgumentParser
import Reports

/// How the files of images are read.
struct DataOptions: ParsableArguments {
  @Option(
    help:
      "The images as a list of paths and labels, CSV or JSON: the same as --data list:FILE.")
  var list: String?
  @Option(
    help:
      "The size that images are scaled to: a number, or height and width as 48x64, up to 1024 (default: that of the weights, else the network's, 32; images that all have one size of 8 to 64 keep it).",
    transform: readImageSize
  )
  var imageSize: ImageSize?
  @Option(
    help:
      "What becomes of images of another ratio of sides: resize (the shorter side, then the centre), stretch, or pad with black (default: resize)."
  )
  var fit: ImagePreparation.Fit?
  @Flag(help: "Take images as they are stored, also where their EXIF data say that the camera was turned.")
  var ignoreOrientation = false
  @Flag(
    help:
      "Decode JPEGs in full: by default those of at least four times the size wanted are decoded at 1/2, 1/4 or 1/8 of theirs, with twice the pixels that are wanted."
  )
  var fullDecoding = false
  @Flag(help: "Leave out images that cannot be read, with a line that counts them.")
  var skipUnreadable = false
  @Option(
    help:
      "The number of classes of mnist:DIR, or of an import without images, at least 1 (default: what the files say, else 10)."
  )
  var classes: Int?
  @Option(
    help:
      "The bytes of prepared images held in memory, as 2GB: more are packed into a file in the folder of the results, once, or where there is none decoded anew in each epoch (default: a quarter of the memory)."
  )
  var cache: ByteCount?

  func validate() throws {
    if let classes, classes < 1 { throw ValidationError("--classes is \(classes), it must be at least 1") }
  }

  /// The source of the images, of which `data` is the other option.
  func source(_ data: DataSource?) throws -> DataSource? {
    guard let list else { return data }
    guard data == nil else { throw ValidationError("--list stands for --data: give one of them") }
    return .list(fileURL(list), images: nil)
  }

  /// Sets what the options say.
  func set(_ options: inout ImageOptions) {
    if let imageSize { options.size = imageSize }
    if let fit { options.fit = fit }
    if ignoreOrientation { options.appliesOrientation = false }
    if fullDecoding { options.decoding = .full }
    if skipUnreadable { options.skipsUnreadable = true }
    if let classes { options.classes = classes }
    if let cache { options.cache = cache.bytes }
  }

  /// The images for a network.
  func load(_ source: DataSource, for choice: ModelChoice?) throws -> DatasetSplit {
    var options = ImageOptions()
    options.usualSize = choice?.usualImageSize
    set(&options)
    return try source.load(options)
  }

  /// The images, prepared as those that a saved classifier was trained on.
  func load(_ source: DataSource, for saved: SavedClassifier?, _ file: String) throws -> DatasetSplit {
    guard let saved else { return try load(source, for: nil as ModelChoice?) }
    // What has no files comes as it is, unless the classifier was trained on images of another size.
    var options = source.hasFiles || saved.preparation != nil ? ImageOptions(saved.imagePreparation) : ImageOptions()
    let before = options
    set(&options)
    guard (options.size, options.fit) == (before.size, before.fit) else {
      throw ExperimentError(
        "\(file): it was trained on images of \(saved.imagePreparation), and --image-size or --fit ask for others: leave them out"
      )
    }
    return try source.load(options)
  }
}

/// A number of bytes, as 500MB, 2GB or 1.5GiB.
struct ByteCount: ExpressibleByArgument {
  let bytes: Int

  private static let units: [(name: String, bytes: Double)] = [
    ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40), ("kb", 1e3), ("mb", 1e6), ("gb", 1e9),
    ("tb", 1e12), ("b", 1), ("", 1),
  ]

  init?(argument: String) {
    let text = argument.lowercased().replacing(" ", with: "")
    let unit = Self.units.first { text.hasSuffix($0.name) }!
    guard let number = Double(text.dropLast(unit.name.count)), number >= 0, number * unit.bytes < 1e18 else {
      return nil
    }
    bytes = Int(number * unit.bytes)
  }
}

@Sendable private func readImageSize(_ argument: String) throws -> ImageSize {
  guard let size = ImageSize(argument) else {
    throw ValidationError("it must be a number, or height and width as 48x64, from 1 to 1024")
  }
  return size
}
extension ImagePreparation.Fit: ExpressibleByArgument {}
