import Foundation

/// Finds the first of `names` that is in `folder`.
func find(_ names: [String], in folder: URL, for content: String) throws(DataError) -> URL {
  for name in names {
    let url = folder.appendingPathComponent(name)
    // An archive may unpack to a folder of the file's name.
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue { return url }
  }
  throw DataError("\(content) not found: there is no \(names.joined(separator: " or "))", in: folder.path)
}
