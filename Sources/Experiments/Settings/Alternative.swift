/// One of several alternatives as a person writes it in JSON: its name, or an object of its name and what it holds.
///
/// `"baseline"` and `{"weights": "FILE"}`; what version 0.1 wrote, `{"baseline": {}}` and `{"weights": {"_0": "FILE"}}`, is
/// read too.
package struct Alternative {
  package let name: String
  private let decoder: (any Swift.Decoder)?

  /// - Throws: For an object that has not exactly one name, or a name that is not one of `known`.
  package init(from decoder: any Swift.Decoder, of known: [String]) throws {
    if let name = try? decoder.singleValueContainer().decode(String.self) {
      (self.name, self.decoder) = (name, nil)
    } else {
      let values = try decoder.container(keyedBy: SettingName.self)
      guard values.allKeys.count == 1, let key = values.allKeys.first else {
        throw Self.mismatch(decoder, "\(values.allKeys.map(\.stringValue))", known)
      }
      (name, self.decoder) = (key.stringValue, try values.superDecoder(forKey: key))
    }
    guard known.contains(name) else { throw Self.mismatch(decoder, "'\(name)'", known) }
  }

  /// Decodes the value of the alternative.
  package func value<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    guard let decoder else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "'\(name)' says nothing more: write {\"\(name)\": …}"))
    }
    if let values = try? decoder.container(keyedBy: SettingName.self), values.allKeys.map(\.stringValue) == ["_0"] {
      return try values.decode(Value.self, forKey: SettingName("_0"))
    }
    return try Value(from: decoder)
  }

  /// Writes an alternative that holds `value`.
  package static func encode(_ name: String, _ value: some Encodable, to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: SettingName.self)
    try values.encode(value, forKey: SettingName(name))
  }

  private static func mismatch(_ decoder: any Swift.Decoder, _ found: String, _ known: [String]) -> DecodingError {
    .dataCorrupted(
      .init(
        codingPath: decoder.codingPath, debugDescription: "\(found) is none of \(known.joined(separator: ", "))"))
  }
}
