import FileFormats
import Foundation

/// The entries of a folder of images, each kind in the order of code points, as Python sorts names.
struct FolderEntries {
  /// Folders, also those behind symbolic links, but for links that lead back.
  private(set) var folders: [String] = []
  /// Files whose name ends as that of a PNG or JPEG.
  private(set) var images: [String] = []
  /// The kind and name of every other entry, such as a hidden file.
  private(set) var others: [Other] = []

  /// An entry that is not read.
  typealias Other = (kind: String, name: String)

  private static let endings: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif"]
  private static let systemNames: Set<String> = ["thumbs.db", "desktop.ini", "__macosx"]

  /// Whether its folders hold images by class.
  var hasClasses: Bool { !folders.isEmpty && images.isEmpty }

  init(_ folder: URL) throws(DataError) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw DataError("the folder cannot be read: is there one?", in: folder.path)
    }
    let root = folder.resolvingSymlinksInPath().path
    for name in names.sorted(by: { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }) {
      if name.hasPrefix(".") || Self.systemNames.contains(name.lowercased()) {
        others.append(("hidden or system file", name))
        continue
      }
      let ending = (name as NSString).pathExtension.lowercased()
      if Self.endings.contains(ending) {
        images.append(name)
        continue
      }
      let path = folder.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      if !FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) {
        others.append(("link that leads nowhere", name))
      } else if !isFolder.boolValue {
        let isLink = ending.isEmpty && Self.isLinkAsText(path)
        others.append(
          (isLink ? "link stored as text" : ending.isEmpty ? "file without an ending" : ".\(ending) file", name))
      } else if (root + "/").hasPrefix(path.resolvingSymlinksInPath().path + "/") {
        others.append(("link that leads back", name))
      } else {
        folders.append(name)
      }
    }
  }
}

extension FolderEntries {
  /// Whether a file holds the path of a symbolic link, as Git and others write one where there are no links.
  private static func isLinkAsText(_ file: URL) -> Bool {
    guard let bytes = try? readFile(file, upTo: 256), bytes.count < 256 else { return false }
    return bytes.starts(with: Array("../".utf8)) && !bytes.contains(UInt8(ascii: "\n"))
  }
}

/// Counts what a folder of images has and was left out.
struct LeftOut {
  private let root: URL
  private var kinds: [String: (count: Int, example: String)] = [:]

  init(root: URL) { self.root = root }

  mutating func add(_ others: [FolderEntries.Other], in folder: URL) {
    for (kind, name) in others { add(kind, folder.appendingPathComponent(name)) }
  }

  mutating func add(_ kind: String, _ url: URL) {
    let path = url.path.hasPrefix(root.path + "/") ? String(url.path.dropFirst(root.path.count + 1)) : url.path
    kinds[kind, default: (0, path)].count += 1
  }

  /// One line that names and counts it; none where it is nothing.
  var line: String? {
    guard !kinds.isEmpty else { return nil }
    let list = kinds.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { kind, found in
      "\(found.count) of kind '\(kind.escaped(40))' (\(found.example.escaped(120)))"
    }
    return "left out, as only PNG and JPEG images in a folder for each class are read: \(list.joined(separator: ", "))"
  }
}
