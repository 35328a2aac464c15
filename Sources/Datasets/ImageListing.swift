import Foundation

/// The files of a set of images with their classes, before any is read.
struct ImageListing {
  /// An image: a file, or a part of one.
  struct Item {
    var path: String
    var label: Int
    var box: PixelBox?
  }
  /// The images for training, validation or testing.
  struct Part {
    var items: [Item] = []
    var classNames: [String]
    /// Where the images of each class are, for errors; empty where a class may have none.
    var places: [String] = []
  }
  let name: String
  /// Where it is.
  let root: URL
  var training: Part
  var validation: Part?
  /// With nil a fifth of the training images is for testing.
  var test: Part?
  var notices: [String] = []
  var leftOut: LeftOut
  /// Whether images are parts of files: then whole files are drawn for testing.
  var isOfBoxes = false
  /// Whether each file was named as an image, so that one that is none is an error.
  var isExplicit = false
}

/// Counts what a set of images has and was left out.
struct LeftOut {
  private let root: String
  private var kinds: [String: (count: Int, example: String)] = [:]

  init(root: URL) { self.root = root.path }

  mutating func add(_ others: [FolderEntries.Other], in folder: String) {
    for (kind, name) in others { add(kind, "\(folder)/\(name)") }
  }

  mutating func add(_ kind: String, _ path: String) {
    let before = kinds[kind] ?? (0, shown(path))
    kinds[kind] = (before.count + 1, before.example)
  }

  /// A path, from the root on.
  func shown(_ path: String) -> String {
    path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : path
  }

  /// One line that names and counts it; none where it is nothing.
  var line: String? {
    guard !kinds.isEmpty else { return nil }
    let list = kinds.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { kind, found in
      "\(found.count) of kind '\(kind.escaped(40))' (\(found.example.escaped(120)))"
    }
    return "left out: \(list.joined(separator: ", "))"
  }
}
