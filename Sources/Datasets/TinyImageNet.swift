import FileFormats
import Foundation

/// Tiny-ImageNet as it is published: `train/WNID/images`, `val/images` with their classes in `val/val_annotations.txt`, names in
/// `words.txt`, and test images without labels.
///
/// Le, Yang: "Tiny ImageNet visual recognition challenge", 2015, http://cs231n.stanford.edu/tiny-imagenet-200.zip.
enum TinyImageNet {
  /// The files in `folder`; nil where it is not laid out so.
  static func listing(_ folder: URL) throws(DataError) -> ImageListing? {
    let annotations = folder.appendingPathComponent("val/val_annotations.txt")
    let train = folder.appendingPathComponent("train")
    guard FileManager.default.fileExists(atPath: annotations.path),
      let classes = try? FolderEntries(train).folders, classes.count > 1
    else { return nil }
    var leftOut = LeftOut(root: folder)
    let names = try names(of: classes, in: folder)
    var training = ImageListing.Part(classNames: names)
    for (label, id) in classes.enumerated() {
      let inside = train.appendingPathComponent(id)
      training.places.append(inside.path)
      training.items += try NestedFiles(inside, &leftOut).paths.map { ImageListing.Item(path: $0, label: label) }
    }
    let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    var test = ImageListing.Part(classNames: names)
    for (index, line) in try lines(annotations).enumerated() {
      let words = line.split(separator: "\t")
      guard words.count > 1, let label = labels[String(words[1])] else {
        throw DataError(
          "'\(line.escaped(60))'", wanted: "an image and one of the \(classes.count) classes, with a tab between",
          at: "line \(index + 1)", in: annotations.path)
      }
      let image = folder.appendingPathComponent("val/images/\(words[0])")
      test.items.append(ImageListing.Item(path: image.path, label: label))
    }
    var listing = ImageListing(
      name: folder.standardizedFileURL.lastPathComponent, root: folder, training: training, test: test,
      leftOut: leftOut)
    if FileManager.default.fileExists(atPath: folder.appendingPathComponent("test").path) {
      listing.notices = ["test is not used: its images have no labels, so those of val are for testing"]
    }
    return listing
  }

  /// The first word of each class in `words.txt`, with its number where another has the same, or the number alone.
  private static func names(of classes: [String], in folder: URL) throws(DataError) -> [String] {
    let file = folder.appendingPathComponent("words.txt")
    guard FileManager.default.fileExists(atPath: file.path) else { return classes }
    let wanted = Set(classes)
    var words: [String: String] = [:]
    for line in try lines(file) {
      let parts = line.split(separator: "\t", maxSplits: 1)
      guard parts.count == 2, wanted.contains(String(parts[0])) else { continue }
      words[String(parts[0])] = parts[1].split(separator: ",").first.map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let counts = words.values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return classes.map { id in
      guard let word = words[id], !word.isEmpty else { return id }
      return counts[word] == 1 ? word : "\(word) (\(id))"
    }
  }

  private static func lines(_ file: URL) throws(DataError) -> [String] {
    let bytes = try readFile(file, upTo: 1 << 26)
    return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
  }
}
