import Foundation

/// Finds the first of `names` that is in `folder`.
func find(_ names: [String], in folder: URL, for content: String) throws(DataError) -> URL {
  for name in names {
    let url = folder.appendingPathComponent(name)
    if FileManager.default.fileExists(atPath: url.path) { return url }
  }
  throw DataError("\(content) not found: there is no \(names.joined(separator: " or "))", in: folder.path)
}
