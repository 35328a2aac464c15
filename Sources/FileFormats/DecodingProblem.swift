/// What is wrong with a JSON text that could not be decoded, in a few words.
package func problem(inDecoding error: any Error) -> String {
  func place(_ context: DecodingError.Context) -> String {
    "'\(context.codingPath.map { $0.stringValue.escaped(80) }.joined(separator: "."))'"
  }
  return switch error {
  case DecodingError.typeMismatch(let type, let context), DecodingError.valueNotFound(let type, let context):
    "\(place(context)) is no \(type): \(context.debugDescription)"
  case DecodingError.keyNotFound(let key, let context) where context.codingPath.isEmpty:
    "it lacks '\(key.stringValue.escaped(80))'"
  case DecodingError.keyNotFound(let key, let context):
    "\(place(context)) lacks '\(key.stringValue.escaped(80))'"
  case DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty:
    "it is cut off, or no JSON: \(context.debugDescription)"
  case DecodingError.dataCorrupted(let context): "\(place(context)): \(context.debugDescription)"
  default: "\(error)"
  }
}
