import FileFormats
import Foundation

/// The entries of a folder of images, each kind in the order of code points, as Python sorts names.
struct FolderEntries {
  /// Folders, also those behind symbolic links, but for links that lead back.
  private(set) var folders: [String] = []
  /// Every file that is not hidden: what it is, its content decides.
  private(set) var files: [String] = []
  /// The kind and name of every other entry, such as a hidden file.
  private(set) var others: [Other] = []

  /// An entry that is not read.
  typealias Other = (kind: String, name: String)

  /// How the names of images end.
  static let endings: Set<String> = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "ppm", "pgm", "pbm", "pnm",
  ]
  private static let systemNames: Set<String> = ["thumbs.db", "desktop.ini", "__macosx"]

  /// The files that are named as images.
  var images: [String] { files.filter { Self.endings.contains(($0 as NSString).pathExtension.lowercased()) } }

  /// Whether its folders hold images by class.
  var hasClasses: Bool { !folders.isEmpty && images.isEmpty }

  init(_ folder: URL) throws(DataError) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw DataError("the folder cannot be read: is there one?", in: folder.path)
    }
    let root = folder.resolvingSymlinksInPath().path
    for name in names.sorted(by: inOrderOfCodePoints) {
      if name.hasPrefix(".") || Self.systemNames.contains(name.lowercased()) {
        others.append(("hidden or system file", name))
        continue
      }
      let path = folder.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      if !FileManager.default.fileExists(atPath: path.path, isDirectory: &isFolder) {
        // A picture that a link promises is missed, and read in vain.
        if Self.endings.contains(path.pathExtension.lowercased()) {
          files.append(name)
        } else {
          others.append(("link that leads nowhere", name))
        }
      } else if !isFolder.boolValue {
        files.append(name)
      } else if (root + "/").hasPrefix(path.resolvingSymlinksInPath().path + "/") {
        others.append(("link that leads back", name))
      } else {
        folders.append(name)
      }
    }
  }

  /// Whether a file holds the path of a symbolic link, as Git and others write one where there are no links.
  static func isLinkAsText(_ bytes: [UInt8]) -> Bool {
    bytes.count < 256 && bytes.starts(with: Array("../".utf8)) && !bytes.contains(UInt8(ascii: "\n"))
  }
}

/// Python's order of names.
func inOrderOfCodePoints(_ a: String, _ b: String) -> Bool {
  a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
}

/// Every file in a folder and the folders inside, a folder's own first.
struct NestedFiles {
  private(set) var paths: [String] = []
  private var visited: Set<String> = []

  /// - Throws: Where a folder cannot be read, or folders lie too deep in one another.
  init(_ folder: URL, _ leftOut: inout LeftOut) throws(DataError) { try add(folder, &leftOut, depth: 0) }

  private mutating func add(_ folder: URL, _ leftOut: inout LeftOut, depth: Int) throws(DataError) {
    guard depth < 64 else { throw DataError("more than 64 folders in one another", in: folder.path) }
    // Links may lead to one folder twice, or in a circle.
    guard visited.insert(folder.resolvingSymlinksInPath().path).inserted else {
      leftOut.add("link to a folder that is read already", folder.path)
      return
    }
    let entries = try FolderEntries(folder)
    leftOut.add(entries.others, in: folder.path)
    paths += entries.files.map { "\(folder.path)/\($0)" }
    for name in entries.folders { try add(folder.appendingPathComponent(name), &leftOut, depth: depth + 1) }
  }
}
