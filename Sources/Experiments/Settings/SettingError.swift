import Foundation

/// What is wrong with a setting in JSON, before its line is known.
package struct SettingError: Error {
  let path: String
  /// The rest of a sentence that begins with the path.
  let text: String

  package init(_ path: [any CodingKey], _ text: String) { (self.path, self.text) = (path.path, text) }
}

extension JSONOutline {
  package init(configuration json: Data) throws(ExperimentError) {
    do { try self.init(json) } catch { throw ExperimentError("the configuration cannot be read: \(error.problem)") }
  }

  /// The line, the path, what was found and what was wanted, of an error in decoding the text.
  package func located(_ error: any Error) -> ExperimentError {
    func at(_ path: String, _ text: (_ found: String) -> String) -> ExperimentError {
      let value = values[path]
      let place = path.isEmpty ? "the configuration" : "line \(value?.line ?? 1): '\(path)'"
      return ExperimentError(place + text(value?.text ?? "missing"))
    }
    switch error {
    case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
      return at(context.codingPath.path) { " is \($0), wanted \(words(for: type))" }
    case DecodingError.keyNotFound(let key, let context):
      return at(context.codingPath.path) { _ in " lacks '\(key.stringValue)'" }
    case DecodingError.dataCorrupted(let context):
      return at(context.codingPath.path) { " is \($0): \(context.debugDescription)" }
    case let error as SettingError: return at(error.path) { _ in error.text }
    case let error as ExperimentError: return error
    default: return ExperimentError("the configuration cannot be read: \(error)")
    }
  }
}

private func words(for type: Any.Type) -> String {
  switch type {
  case is Int.Type: "a whole number"
  case is UInt64.Type: "a whole number of at least 0"
  case is Double.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "a text"
  default: "\(type)".hasPrefix("Dictionary") ? "an object" : "\(type)".hasPrefix("Array") ? "a list" : "another value"
  }
}
