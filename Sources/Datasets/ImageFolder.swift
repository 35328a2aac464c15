import FileFormats
import Foundation

/// A folder with a folder of images for each class.
///
/// With folders `train` and `test` inside, each holds the classes, and so may `val` (or `valid`, `validation`), whose images are then
/// for validation, or where there is no labelled `test` for testing. Else a fifth of each class is for testing. Images may lie in folders inside that of their class, which may be a symbolic link. Tiny-ImageNet is read as it
/// is published. What is left out is counted in ``DatasetSplit/notices``.
public enum ImageFolder {
  private static let trainingNames = ["train", "training"]
  private static let testNames = ["test", "testing"]
  private static let validationNames = ["val", "valid", "validation"]

  /// Reads the images in the order of their names' code points; grey ones become colour where others are.
  ///
  /// - Parameters:
  ///   - options: How images of other sizes, and those that cannot be read, are treated.
  ///   - seed: Draws the images for testing where they have no folder.
  /// - Throws: Where there are no classes or images, a file is no image, or memory does not suffice.
  public static func load(
    _ folder: URL, _ options: ImageOptions = ImageOptions(), seed: UInt64 = 0
  ) throws(DataError) -> DatasetSplit {
    if let published = try TinyImageNet.listing(folder) {
      return try ImageReader.read(published, options, seed: seed)
    }
    return try ImageReader.read(try listing(folder), options, seed: seed)
  }

  /// The same with images of one size, which all are stretched to; nil for that which they have.
  public static func load(
    _ folder: URL, size: (height: Int, width: Int)?, seed: UInt64 = 0
  ) throws(DataError) -> DatasetSplit {
    guard let size else { return try load(folder, seed: seed) }
    guard ImageSize.sides.contains(size.height), ImageSize.sides.contains(size.width) else {
      throw DataError("images cannot be resized to \(size.width) by \(size.height)", in: folder.path)
    }
    return try load(
      folder, ImageOptions(size: ImageSize(height: size.height, width: size.width), fit: .stretch), seed: seed)
  }

  private static func listing(_ folder: URL) throws(DataError) -> ImageListing {
    var leftOut = LeftOut(root: folder)
    let parts = try parts(of: folder, &leftOut)
    let training = try part(parts.training, &leftOut)
    var (test, validation): (ImageListing.Part?, ImageListing.Part?)
    if let url = parts.test { test = try part(url, &leftOut) }
    if let url = parts.validation { validation = try part(url, &leftOut) }
    return ImageListing(
      name: folder.standardizedFileURL.lastPathComponent, root: folder, training: training, validation: validation,
      test: test, notices: parts.notices, leftOut: leftOut)
  }

  /// The folders with the classes of each part, and which others are not used.
  private struct Parts {
    var training: URL
    var validation: URL?
    var test: URL?
    var notices: [String] = []
  }

  private static func parts(of folder: URL, _ leftOut: inout LeftOut) throws(DataError) -> Parts {
    let entries = try FolderEntries(folder)
    func first(_ names: [String]) -> [String] {
      names.flatMap { name in entries.folders.filter { $0.lowercased() == name } }
    }
    func content(_ name: String) throws(DataError) -> FolderEntries {
      try FolderEntries(folder.appendingPathComponent(name))
    }
    guard let training = first(trainingNames).first, try content(training).hasClasses else {
      return Parts(training: folder)
    }
    var (test, validation, notices): (String?, String?, [String]) = (nil, nil, [])
    for name in first(testNames + validationNames) {
      let inside = try content(name)
      guard inside.hasClasses, try !isUnlabelled(inside, content(training)) else {
        notices.append("\(name) is not used: it has \(inside.images.count) images and no folders of classes")
        continue
      }
      if test == nil {
        test = name
      } else if validation == nil, testNames.contains(test!.lowercased()), validationNames.contains(name.lowercased()) {
        validation = name
      } else {
        let what = testNames.contains(name.lowercased()) || validation == nil ? "test" : "validation"
        notices.append("\(name) is not used: the \(what) images are those of \((what == "test" ? test : validation)!)")
      }
    }
    guard let test else {
      guard entries.folders.count > 1 || !notices.isEmpty else { return Parts(training: folder) }
      throw DataError(
        "beside '\(training)' there is no folder of test images: "
          + (notices + ["add 'test' or 'val' with the same classes"])
          .joined(separator: "; ") + ", or give '\(training)' itself, of which a fifth is then for testing",
        in: folder.path)
    }
    leftOut.add(entries.others, in: folder.path)
    for file in entries.files { leftOut.add(outside: file, folder) }
    let names = [training, validation, test].compactMap { $0 }
    for other in entries.folders
    where !names.contains(other) && !(testNames + validationNames).contains(other.lowercased()) {
      let list = names.dropLast().joined(separator: ", ")
      notices.append("\(other) is not used: the images are those of \(list) and \(test)")
    }
    return Parts(
      training: folder.appendingPathComponent(training), validation: validation.map(folder.appendingPathComponent),
      test: folder.appendingPathComponent(test), notices: notices)
  }

  /// Whether a folder has one folder alone, which is no class: that of images without labels.
  private static func isUnlabelled(_ inside: FolderEntries, _ training: FolderEntries) -> Bool {
    inside.folders.count == 1 && !training.folders.contains(inside.folders[0])
  }

  private static func part(_ folder: URL, _ leftOut: inout LeftOut) throws(DataError) -> ImageListing.Part {
    let entries = try FolderEntries(folder)
    guard entries.folders.count > 1 else { throw fewClasses(entries, folder) }
    leftOut.add(entries.others, in: folder.path)
    for file in entries.files { leftOut.add(outside: file, folder) }
    var part = ImageListing.Part(classNames: entries.folders)
    for (label, name) in entries.folders.enumerated() {
      let inside = folder.appendingPathComponent(name)
      part.places.append(inside.path)
      part.items += try NestedFiles(inside, &leftOut).paths.map { ImageListing.Item(path: $0, label: label) }
    }
    return part
  }

  private static func fewClasses(_ entries: FolderEntries, _ folder: URL) -> DataError {
    var problem = "\(entries.folders.count) folders inside; there must be one for each of at least two classes"
    if !entries.images.isEmpty { problem += "; \(entries.images.count) images lie in none" }
    if let only = entries.folders.first, let inside = try? FolderEntries(folder.appendingPathComponent(only)),
      inside.folders.count > 1
    {
      problem += "; '\(only.escaped(80))' in it has \(inside.folders.count): give that"
    }
    return DataError(problem, in: folder.path)
  }
}

extension LeftOut {
  /// Counts a file beside the folders of the classes.
  fileprivate mutating func add(outside file: String, _ folder: URL) {
    let ending = (file as NSString).pathExtension.lowercased()
    if FolderEntries.endings.contains(ending) {
      add("image outside the classes", "\(folder.path)/\(file)")
    } else if case .other(let kind) = SurveyedFile("\(folder.path)/\(file)") {
      add(kind, "\(folder.path)/\(file)")
    } else {
      add("image outside the classes", "\(folder.path)/\(file)")
    }
  }
}
