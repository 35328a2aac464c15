import Foundation

/// A folder with a folder of PNG and JPEG images for each class.
///
/// With folders `train` and `test` (or `val`) inside, each holds the classes; else a fifth of each class is for testing.
public enum ImageFolder {
  private static let mostBytes = 1 << 34

  /// Reads the images in the order of their names; all must have one size, grey ones become colour where others are.
  ///
  /// - Throws: Where there are no classes or images, a file is no image, or sizes differ.
  public static func load(_ folder: URL, seed: UInt64 = 0) throws(DataError) -> DatasetSplit {
    let names = try folders(in: folder)
    let name = folder.standardizedFileURL.lastPathComponent
    if names.contains("train"), let test = ["test", "val"].first(where: names.contains) {
      let training = try images(folder.appendingPathComponent("train"), name)
      return try DatasetSplit(training: training, test: images(folder.appendingPathComponent(test), name))
    }
    let all = try images(folder, name)
    let (training, test) = try all.split(holding: all.count / 5, seed: seed)
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

  private static func images(_ folder: URL, _ name: String) throws(DataError) -> LabeledImages {
    let classes = try folders(in: folder)
    guard classes.count > 1 else {
      throw DataError(
        "\(classes.count) folders inside; there must be one for each of at least two classes", in: folder.path)
    }
    var (decoded, labels, bytes): ([DecodedImage], [Int], Int) = ([], [], 0)
    var first: (file: String, shape: Shape)?
    for (label, own) in classes.enumerated() {
      let inside = folder.appendingPathComponent(own)
      let files =
        ((try? FileManager.default.contentsOfDirectory(atPath: inside.path)) ?? []).filter {
          ["png", "jpg", "jpeg"].contains(($0 as NSString).pathExtension.lowercased())
        }.sorted()
      guard !files.isEmpty else { throw DataError("no PNG or JPEG images for the class", in: inside.path) }
      for file in files {
        let url = inside.appendingPathComponent(file)
        let image = try DecodedImage(contentsOf: url)
        if let first, first.shape[0] != image.shape[0] || first.shape[1] != image.shape[1] {
          throw DataError(
            "an image of \(image.shape[1]) by \(image.shape[0]); \(first.file) has \(first.shape[1]) by \(first.shape[0]), "
              + "and all must have one size", in: url.path)
        }
        first = first ?? (url.path, image.shape)
        bytes += 3 * image.pixels.count
        guard bytes <= mostBytes else { throw DataError("more than \(mostBytes) bytes of images", in: folder.path) }
        decoded.append(image)
        labels.append(label)
      }
    }
    let channels = decoded.contains { $0.shape[2] == 3 } ? 3 : 1
    var pixels: [UInt8] = []
    for image in decoded {
      if image.shape[2] == channels {
        pixels += image.pixels
      } else {
        for byte in image.pixels { pixels += [byte, byte, byte] }
      }
    }
    let shape = decoded[0].shape
    return try LabeledImages(
      name: name, pixels: pixels, labels: labels, imageShape: [shape[0], shape[1], channels], classNames: classes)
  }
}
