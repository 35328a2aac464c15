import FileFormats
import Foundation

/// Image files without labels, to be classified.
public struct ImageFiles: Sendable {
  /// The files, in the order of the arguments, and in a folder of their names' code points.
  public private(set) var paths: [String] = []
  /// The same as the arguments have them.
  public private(set) var names: [String] = []
  /// What the folders have and was left out, a line each.
  public private(set) var notices: [String] = []
  /// What the files are, and which cannot be read.
  public private(set) var survey = ImageSurvey()

  /// The images that `arguments` name: files, or folders with all that lies in them.
  ///
  /// - Throws: Where a folder cannot be read, or, unless `skipsUnreadable`, a file is no image that is read: by its header, before
  ///   any is decoded.
  public init(_ arguments: [String], skipsUnreadable: Bool = false) throws(DataError) {
    for argument in arguments {
      let url = URL(fileURLWithPath: (argument as NSString).expandingTildeInPath)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
        add(SurveyedFile(url.path), url.path, argument)
        continue
      }
      var leftOut = LeftOut(root: url)
      let inside = try NestedFiles(url, &leftOut).paths
      let start = argument.hasSuffix("/") ? argument : argument + "/"
      for (path, file) in zip(inside, SurveyedFile.survey(inside)) {
        if case .other(let kind) = file {
          leftOut.add(kind, path)
        } else {
          add(file, path, start + path.dropFirst(url.path.count + 1))
        }
      }
      if let line = leftOut.line { notices.append("\(url.path): \(line)") }
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

  /// The images of some of the files, decoded on all threads, prepared, with so many channels; nil for those that cannot be decoded,
  /// which ``survey`` then counts.
  public mutating func images(
    _ range: Range<Int>, _ preparation: ImagePreparation, channels: Int
  ) -> [DecodedImage?] {
    let paths = Array(paths[range])
    let read = inParallel(paths.count) { index -> Result<DecodedImage, UnreadableImage> in
      Result { () throws(UnreadableImage) in
        try EncodedImage(contentsOf: paths[index]).prepared(by: preparation, channels: channels)
      }
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
