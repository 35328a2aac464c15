import Foundation

/// A data set by name and folder, as it is written on a command line.
public enum DataSource: Sendable, Hashable, CustomStringConvertible {
  case digits
  case synthetic
  case cifar10(URL)
  case cifar100(URL)
  case mnist(URL)
  case folder(URL)
  /// A list of files, and the folder in which their paths begin.
  case list(URL, images: URL?)
  /// COCO's annotations and images, for training and, where they are given, for testing.
  case coco(annotations: URL, images: URL, testAnnotations: URL?, testImages: URL?)

  /// The forms that can be written.
  public static let forms =
    "digits, synthetic, cifar10:DIR, cifar100:DIR, mnist:DIR, folder:DIR, list:FILE[,IMAGES] or coco:ANNOTATIONS,IMAGES"

  /// Reads one of ``forms``.
  public init(_ description: String) throws(DataError) {
    let parts = description.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let path = parts.count == 2 && !parts[1].isEmpty ? parts[1] : nil
    switch (parts[0], path) {
    case ("digits", nil) where parts.count == 1: self = .digits
    case ("synthetic", nil) where parts.count == 1: self = .synthetic
    case ("cifar10", let path?): self = .cifar10(Self.url(path))
    case ("cifar100", let path?): self = .cifar100(Self.url(path))
    case ("mnist", let path?): self = .mnist(Self.url(path))
    case ("folder", let path?): self = .folder(Self.url(path))
    case ("list", let path?): self = Self.list(path)
    case ("coco", let path?): self = try Self.coco(path)
    case ("cifar10", nil), ("cifar100", nil), ("mnist", nil), ("folder", nil):
      throw DataError("'\(description)' needs the folder of its files, \(parts[0]):DIR: write \(Self.forms)")
    case ("list", nil), ("coco", nil):
      throw DataError("'\(description)' needs its files: write \(Self.forms)")
    default: throw DataError("'\(description)' is no data set: write \(Self.form(of: description) ?? Self.forms)")
    }
  }

  /// How a folder or a list is written of which the path alone was given; nil where there is none.
  private static func form(of path: String) -> String? {
    var isFolder: ObjCBool = false
    guard !path.isEmpty, FileManager.default.fileExists(atPath: url(path).path, isDirectory: &isFolder) else {
      return nil
    }
    return isFolder.boolValue
      ? "folder:\(path) for images in a folder for each class, or \(forms)"
      : "list:\(path) for a list of images, or \(forms)"
  }

  /// A comma may be part of the list's name.
  private static func list(_ text: String) -> DataSource {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, !FileManager.default.fileExists(atPath: url(text).path) else {
      return .list(url(text), images: nil)
    }
    return .list(url(parts.dropLast().joined(separator: ",")), images: url(parts.last!))
  }

  private static func coco(_ text: String) throws(DataError) -> DataSource {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { url(String($0)) }
    guard parts.count == 2 || parts.count == 4, !text.hasSuffix(","), !text.hasPrefix(","), !text.contains(",,") else {
      throw DataError(
        "'coco:\(text)'", wanted: "coco:ANNOTATIONS.json,IMAGES, and behind that a second pair for testing, if any")
    }
    return .coco(
      annotations: parts[0], images: parts[1], testAnnotations: parts.count > 2 ? parts[2] : nil,
      testImages: parts.count > 2 ? parts[3] : nil)
  }

  private static func url(_ path: String) -> URL { URL(fileURLWithPath: (path as NSString).expandingTildeInPath) }

  public var description: String {
    switch self {
    case .digits: "digits"
    case .synthetic: "synthetic"
    case .cifar10(let url): "cifar10:\(url.path)"
    case .cifar100(let url): "cifar100:\(url.path)"
    case .mnist(let url): "mnist:\(url.path)"
    case .folder(let url): "folder:\(url.path)"
    case .list(let url, let images): "list:\(url.path)\(images.map { ",\($0.path)" } ?? "")"
    case .coco(let annotations, let images, let testAnnotations, let testImages):
      "coco:" + [annotations, images, testAnnotations, testImages].compactMap { $0?.path }.joined(separator: ",")
    }
  }

  /// Whether images have files of their own, which may be of any size.
  public var hasFiles: Bool {
    switch self {
    case .folder, .list, .coco: true
    case .digits, .synthetic, .cifar10, .cifar100, .mnist: false
    }
  }

  /// Reads the images.
  ///
  /// - Throws: Where a file or folder is missing or not what it should be.
  public func load(_ options: ImageOptions = ImageOptions()) throws(DataError) -> DatasetSplit {
    if options.classes != nil, case .mnist = self {
    } else if options.classes != nil {
      throw DataError("--classes goes with mnist:DIR: \(self) says its classes itself")
    }
    switch self {
    case .digits: return try DatasetSplit.digits.prepared(options)
    case .synthetic: return try DatasetSplit.synthetic().prepared(options)
    case .cifar10(let url): return try CIFAR.ten.load(url).prepared(options)
    case .cifar100(let url): return try CIFAR.hundred.load(url).prepared(options)
    case .mnist(let url): return try IDX.load(url, classes: options.classes).prepared(options)
    case .folder(let url): return try ImageFolder.load(url, options)
    case .list(let url, let images): return try ImageList.load(url, images: images, options)
    case .coco(let annotations, let images, let testAnnotations, let testImages):
      let test = testAnnotations.flatMap { annotations in testImages.map { (annotations, $0) } }
      return try COCO.load(annotations: annotations, images: images, test: test, options)
    }
  }
}
