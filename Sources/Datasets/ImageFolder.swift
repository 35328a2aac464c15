import Foundation

/// A folder with a folder of PNG and JPEG images for each class.
///
/// With folders `train` and `test` (or `val`) inside, each holds the classes; else a fifth of each class is for testing.
public enum ImageFolder {
  private static let maximumBytes = 1 << 34

  /// Reads the images in the order of their names; grey ones become colour where others are.
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
    let names = try folders(in: folder)
    let name = folder.standardizedFileURL.lastPathComponent
    if names.contains("train"), let test = ["test", "val"].first(where: names.contains) {
      let training = try decoded(folder.appendingPathComponent("train"), size)
      let test = try decoded(folder.appendingPathComponent(test), size)
      let isColour = training.isColour || test.isColour
      return try DatasetSplit(
        training: training.labeled(name, isColour: isColour), test: test.labeled(name, isColour: isColour))
    }
    let found = try decoded(folder, size)
    let all = try found.labeled(name, isColour: found.isColour)
    let (training, test) = try all.split(holdingOut: all.count / 5, seed: seed)
    return try DatasetSplit(training: training, test: test)
  }

  private static func folders(in folder: URL) throws(DataError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.isDirectoryKey], options: .skipsHiddenFiles
      ).filter { (try? $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false }
        .map(\.lastPathComponent).sorted()
    } catch {
      throw DataError("the folder cannot be read: is there one?", in: folder.path)
    }
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

  private static func decoded(_ folder: URL, _ size: (height: Int, width: Int)?) throws(DataError) -> Found {
    let classes = try folders(in: folder)
    guard classes.count > 1 else {
      throw DataError(
        "\(classes.count) folders inside; there must be one for each of at least two classes", in: folder.path)
    }
    var (decoded, labels, bytes): ([DecodedImage], [Int], Int) = ([], [], 0)
    var first: (file: String, shape: Shape)?
    for (label, name) in classes.enumerated() {
      let inside = folder.appendingPathComponent(name)
      let files =
        ((try? FileManager.default.contentsOfDirectory(atPath: inside.path)) ?? []).filter {
          ["png", "jpg", "jpeg"].contains(($0 as NSString).pathExtension.lowercased())
        }.sorted()
      guard !files.isEmpty else { throw DataError("no PNG or JPEG images for the class", in: inside.path) }
      for file in files {
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
}
