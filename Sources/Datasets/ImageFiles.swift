import FileFormats
import Foundation

/// Image files without labels, to be classified.
public struct ImageFiles: Sendable {
  /// The files, in the order of the arguments, and in a folder of their names' code points.
  public private(set) var paths: [String] = []
  /// The same as the arguments have them.
  public private(set) var names: [String] = []
  /// What the folders have and was left out, a line each.
  public var notices: [String] { folders.compactMap { folder in folder.leftOut.line.map { "\(folder.path): \($0)" } } }
  /// What the files are, and which cannot be read, as far as they are known.
  public private(set) var survey = ImageSurvey()

  private var folders: [(path: String, leftOut: LeftOut)] = []
  /// The folder of each file, nil of one that an argument names.
  private var owners: [Int?] = []

  /// The files that `arguments` name, none of which is opened before it is read: files, or folders with all that lies in them.
  ///
  /// - Throws: Where a folder cannot be read, or there are no files.
  public init(listing arguments: [String]) throws(DataError) {
    for argument in arguments {
      let found = try add(argument)
      owners += found.map { _ in found.first?.isNamed == true ? nil : folders.count - 1 }
      paths += found.map(\.path)
      names += found.map(\.name)
    }
    guard !paths.isEmpty else { throw DataError("there are no images in it", in: arguments.first) }
  }

  /// The files that an argument names; of a folder, what lies in it and is left out is counted.
  private mutating func add(_ argument: String) throws(DataError) -> [(path: String, name: String, isNamed: Bool)] {
    let url = URL(fileURLWithPath: (argument as NSString).expandingTildeInPath)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
      return [(url.path, argument, true)]
    }
    var leftOut = LeftOut(root: url)
    let inside = try NestedFiles(url, &leftOut).paths
    folders.append((url.path, leftOut))
    let start = argument.hasSuffix("/") ? argument : argument + "/"
    return inside.map { ($0, start + $0.dropFirst(url.path.count + 1), false) }
  }

  /// The images that `arguments` name: files, or folders with all that lies in them.
  ///
  /// - Throws: Where a folder cannot be read, or, unless `skipsUnreadable`, a file is no image that is read: by its header, before
  ///   any is decoded.
  public init(_ arguments: [String], skipsUnreadable: Bool = false) throws(DataError) {
    for argument in arguments {
      let found = try add(argument)
      for (file, content) in zip(found, SurveyedFile.survey(found.map(\.path))) {
        if !file.isNamed, case .other(let kind) = content {
          folders[folders.count - 1].leftOut.add(kind, file.path)
        } else {
          add(content, file.path, file.name)
        }
      }
    }
    if !skipsUnreadable { try survey.check(in: arguments.first ?? "") }
    guard !paths.isEmpty || survey.unreadableCount > 0 else {
      throw DataError("there are no images in it", in: arguments.first)
    }
  }

  private mutating func add(_ file: SurveyedFile, _ path: String, _ name: String) {
    switch file {
    case .image(let header):
      survey.formats[header.format, default: 0] += 1
      survey.sizes[[header.storedHeight, header.storedWidth], default: 0] += 1
      paths.append(path)
      names.append(name)
    case .unreadable(let problem): survey.add(problem, path)
    case .other(let kind):
      survey.add(UnreadableImage(kind: "file that is no image", problem: "a \(kind), which is no image"), path)
    }
  }

  /// What a file turned out to be.
  public enum Content: Sendable {
    case image(DecodedImage)
    /// What is wrong with it, and what to do.
    case unreadable(String)
    /// A file in a folder that is no image, such as a text; ``notices`` count it.
    case other
  }

  /// Reads some of the files on all threads, and prepares the images, with so many channels.
  ///
  /// In memory are as many whole images as there are threads, however many files are read.
  public mutating func read(_ range: Range<Int>, _ preparation: ImagePreparation, channels: Int) -> [Content] {
    zip(range, readings(range, preparation, channels: channels)).map { index, reading in
      switch add(reading.file, at: index) {
      case .image: .image(reading.image!)
      case .unreadable(let problem): .unreadable(problem)
      case .other: .other
      }
    }
  }

  /// What a file turned out to be, without its pixels, as ranks tell each other.
  package enum FileKind: Codable, Sendable {
    case image(format: ImageFormat, height: Int, width: Int)
    case unreadable(kind: String, problem: String)
    case other(kind: String)
  }

  /// Reads some of the files as ``read(_:_:channels:)`` does, and adds nothing to the survey.
  package func readings(
    _ range: Range<Int>, _ preparation: ImagePreparation, channels: Int
  ) -> [(file: FileKind, image: DecodedImage?)] {
    let (paths, start) = (self.paths, range.lowerBound)
    return inParallel(range.count) { Self.read(paths[start + $0], preparation, channels) }
  }

  /// Adds what the file `index` turned out to be, which says whether it is one of those to be classified.
  package mutating func add(_ file: FileKind, at index: Int) -> FileOutcome {
    switch file {
    case .image(let format, let height, let width):
      survey.formats[format, default: 0] += 1
      survey.sizes[[height, width], default: 0] += 1
      return .image
    case .unreadable(let kind, let problem):
      survey.add(UnreadableImage(kind: kind, problem: problem), paths[index])
      return .unreadable(problem)
    case .other(let kind):
      guard let owner = owners[index] else {
        let problem = "a \(kind), which is no image"
        survey.add(UnreadableImage(kind: "file that is no image", problem: problem), paths[index])
        return .unreadable(problem)
      }
      folders[owner].leftOut.add(kind, paths[index])
      return .other
    }
  }

  /// ``Content`` without the pixels.
  package enum FileOutcome: Sendable {
    case image
    case unreadable(String)
    case other
  }

  private static func read(
    _ path: String, _ preparation: ImagePreparation, _ channels: Int
  ) -> (file: FileKind, image: DecodedImage?) {
    switch SurveyedFile(path) {
    case .unreadable(let problem): return (.unreadable(kind: problem.kind, problem: problem.problem), nil)
    case .other(let kind): return (.other(kind: kind), nil)
    case .image(let header):
      do throws(UnreadableImage) {
        let image = try prepared(path, preparation, channels)
        return (.image(format: header.format, height: header.storedHeight, width: header.storedWidth), image)
      } catch { return (.unreadable(kind: error.kind, problem: error.problem), nil) }
    }
  }

  private static func prepared(
    _ path: String, _ preparation: ImagePreparation, _ channels: Int
  ) throws(UnreadableImage) -> DecodedImage {
    try EncodedImage(contentsOf: path).prepared(by: preparation, channels: channels)
  }

  /// The images of some of the files, decoded on all threads, prepared, with so many channels; nil for those that cannot be decoded,
  /// which ``survey`` then counts.
  public mutating func images(
    _ range: Range<Int>, _ preparation: ImagePreparation, channels: Int
  ) -> [DecodedImage?] {
    let paths = Array(paths[range])
    let read = inParallel(paths.count) { index -> Result<DecodedImage, UnreadableImage> in
      Result { () throws(UnreadableImage) in try Self.prepared(paths[index], preparation, channels) }
    }
    return zip(paths, read).map { path, result in
      switch result {
      case .success(let image): return image
      case .failure(let problem):
        survey.add(problem, path)
        return nil
      }
    }
  }
}
