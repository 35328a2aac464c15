import Foundation
import Testing

/// The file `name` of a test target's folder `Fixtures`.
package func fixture(_ name: String, in bundle: Bundle) throws -> URL {
  try #require(
    bundle.url(forResource: name, withExtension: nil, subdirectory: "Fixtures"), "there is no fixture '\(name)'")
}

/// The values in the JSON fixture `name`.
package func fixture<T: Decodable>(_ name: String, in bundle: Bundle, as type: T.Type = T.self) throws -> T {
  try JSONDecoder().decode(type, from: Data(contentsOf: fixture("\(name).json", in: bundle)))
}

/// An empty folder for the time of `body`.
package func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
