import FileFormats
import Foundation

/// A folder with a folder of PNG and JPEG images for each class.
///
/// With folders `train` and `test` (or `val`, `valid`, `validation`) inside, each holds the classes; else a fifth of each class
/// is for testing. A class may be a symbolic link. What is left out is counted in ``DatasetSplit/notices``.
public enum ImageFolder {
  private static let maximumBytes = 1 << 34
  private static let trainingNames = ["train", "training"]
  private static let testNames = ["test", "testing", "val", "valid", "validation"]

  /// Reads the images in the order of their names' code points; grey ones become colour where others are.
  ///
  /// - Parameters:
  ///   - size: The size that all are resized to; with nil they must have one size.
  ///   - seed: Draws the images for testing where they have no folder.
  /// - Throws: Where there are no classes or images, a file is no image, or sizes differ.
  public static func load(_ folder: URL, size: (height: Int, width: Int)? = nil, seed: UInt64 = 0) throws(DataError)
    -> DatasetSplit
  {
    if let size, size.height < 1 || size.width < 1 {
      throw DataError("images cannot be resized to \(size.width) by \(size.height)", in: folder.path)
    }
    let name = folder.standardizedFileURL.lastPathComponent
    var leftOut = LeftOut(root: folder)
    let parts = try parts(of: folder, &leftOut)
    let training = try decoded(parts.training, size, &leftOut)
    let test = try parts.test.map { url throws(DataError) in try decoded(url, size, &leftOut) }
    let isColour = training.isColour || test?.isColour ?? false
    let all = try training.labeled(name, isColour: isColour)
    var split: DatasetSplit
    if let test {
      split = try DatasetSplit(training: all, test: test.labeled(name, isColour: isColour))
    } else {
      let (rest, heldOut) = try all.split(holdingOut: all.count / 5, seed: seed)
      split = try DatasetSplit(training: rest, test: heldOut)
    }
    split.cautions = split.repetitions
    if test == nil {
      split.cautions.insert(
        "there is no folder of test images, so \(split.test.count) of \(all.count) images, drawn from each class, are for testing",
        at: 0)
    }
    split.notices = parts.notices + [leftOut.line].compactMap { $0 }
    return split
  }

  /// The folders with the classes of the images for training and testing, and which others are not used.
  private static func parts(
    of folder: URL, _ leftOut: inout LeftOut
  ) throws(DataError) -> (training: URL, test: URL?, notices: [String]) {
    let entries = try FolderEntries(folder)
    func first(_ names: [String]) -> [String] {
      names.flatMap { name in entries.folders.filter { $0.lowercased() == name } }
    }
    func content(_ name: String) throws(DataError) -> FolderEntries {
      try FolderEntries(folder.appendingPathComponent(name))
    }
    guard let training = first(trainingNames).first, try content(training).hasClasses else {
      return (folder, nil, [])
    }
    var (test, notices): (String?, [String]) = (nil, [])
    for name in first(testNames) {
      let inside = try content(name)
      if let test {
        notices.append("\(name) is not used: the test images are those of \(test)")
      } else if inside.hasClasses {
        test = name
      } else {
        notices.append("\(name) is not used: it has \(inside.images.count) images and no folders of classes")
      }
    }
    guard let test else {
      guard entries.folders.count > 1 || !notices.isEmpty else { return (folder, nil, []) }
      throw DataError(
        "beside '\(training)' there is no folder of test images: "
          + (notices + ["add 'test' or 'val' with the same classes"])
          .joined(separator: "; ") + ", or give '\(training)' itself, of which a fifth is then for testing",
        in: folder.path)
    }
    let names = [training, test]
    leftOut.add(entries.others, in: folder)
    for image in entries.images { leftOut.add("image outside the classes", folder.appendingPathComponent(image)) }
    for other in entries.folders where !names.contains(other) && !testNames.contains(other.lowercased()) {
      notices.append("\(other) is not used: the images are those of \(training) and \(test)")
    }
    return (folder.appendingPathComponent(training), folder.appendingPathComponent(test), notices)
  }

  private struct Found {
    var images: [DecodedImage]
    var labels: [Int]
    var classNames: [String]
    var isColour: Bool { images.contains { $0.shape[2] == 3 } }

    func labeled(_ name: String, isColour: Bool) throws(DataError) -> LabeledImages {
      var pixels: [UInt8] = []
      for image in images { pixels += isColour ? image.inColour.pixels : image.pixels }
      var shape = images[0].shape
      shape[2] = isColour ? 3 : 1
      return try LabeledImages(name: name, pixels: pixels, labels: labels, imageShape: shape, classNames: classNames)
    }
  }

  private static func decoded(
    _ folder: URL, _ size: (height: Int, width: Int)?, _ leftOut: inout LeftOut
  ) throws(DataError) -> Found {
    let entries = try FolderEntries(folder)
    let classes = entries.folders
    guard classes.count > 1 else { throw fewClasses(entries, folder) }
    leftOut.add(entries.others, in: folder)
    for image in entries.images { leftOut.add("image outside the classes", folder.appendingPathComponent(image)) }
    var (decoded, labels, bytes): ([DecodedImage], [Int], Int) = ([], [], 0)
    var first: (file: String, shape: Shape)?
    for (label, name) in classes.enumerated() {
      let inside = folder.appendingPathComponent(name)
      let content = try FolderEntries(inside)
      guard !content.images.isEmpty else { throw noImages(content, inside) }
      leftOut.add(content.others, in: inside)
      for folder in content.folders { leftOut.add("folder inside a class", inside.appendingPathComponent(folder)) }
      for file in content.images {
        let url = inside.appendingPathComponent(file)
        var image = try DecodedImage(contentsOf: url)
        if let size { image = image.resized(height: size.height, width: size.width) }
        if let first, first.shape[0] != image.shape[0] || first.shape[1] != image.shape[1] {
          throw DataError(
            "an image of \(image.shape[1]) by \(image.shape[0]); \(first.file) has \(first.shape[1]) by \(first.shape[0]), "
              + "and all must have one size, or one must be given", in: url.path)
        }
        first = first ?? (url.path, image.shape)
        bytes += 3 * image.pixels.count
        guard bytes <= maximumBytes else {
          throw DataError("more than \(maximumBytes) bytes of images", in: folder.path)
        }
        decoded.append(image)
        labels.append(label)
      }
    }
    return Found(images: decoded, labels: labels, classNames: classes)
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

  private static func noImages(_ content: FolderEntries, _ folder: URL) -> DataError {
    var inside: [String] = []
    if let first = content.folders.first {
      inside.append(
        "the folder '\(first.escaped(80))'\(content.folders.count > 1 ? " and \(content.folders.count - 1) more" : ""): images must lie "
          + "directly in the folder of their class")
    }
    if let first = content.others.first {
      inside.append(
        "the file '\(first.name.escaped(80))'\(content.others.count > 1 ? " and \(content.others.count - 1) more" : "")"
      )
    }
    let has = inside.isEmpty ? "" : "; it has \(inside.joined(separator: ", and "))"
    return DataError("no PNG or JPEG images for the class\(has)", in: folder.path)
  }
}
