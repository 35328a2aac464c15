import Foundation

/// Settings that JSON may give in part: what it leaves out stays as it is.
///
/// One table of a type's settings is how they are read, written, checked for misspelt names, and described by a schema:
/// ```swift
/// static var settings: [Setting<Self>] { [Setting("epochs", \.epochs), Setting("pairing", \.pairing)] }
/// ```
public protocol Settings: Codable, DecodableWithConfiguration, Sendable, Hashable where DecodingConfiguration == Self {
  /// Every setting, by the name that JSON has for it.
  static var settings: [Setting<Self>] { get }
  /// The defaults.
  init()
}

extension Settings {
  /// The settings of a JSON object over the defaults.
  public init(from decoder: any Swift.Decoder) throws {
    try self.init(from: decoder, configuration: Self())
  }

  /// The settings of a JSON object over those of `base`.
  public init(from decoder: any Swift.Decoder, configuration base: Self) throws {
    self = base
    try merge(from: decoder)
  }

  /// Changes what a JSON object names.
  ///
  /// - Throws: For a setting that there is none of, and for a value that does not fit, with its path.
  public mutating func merge(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: SettingName.self)
    for name in values.allKeys.sorted(by: { $0.stringValue < $1.stringValue }) {
      guard let setting = Self.settings.first(where: { $0.names.contains(name.stringValue) }) else {
        let known = Self.settings.map(\.name).sorted().joined(separator: ", ")
        throw SettingError(decoder.codingPath + [name], " is no setting; there are \(known)")
      }
      do { try setting.read(&self, values.superDecoder(forKey: name)) } catch let error as ExperimentError {
        throw SettingError(decoder.codingPath + [name], ": \(error)")
      }
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: SettingName.self)
    for setting in Self.settings { try setting.write(self, &values) }
  }

  /// These settings with those of a JSON object.
  ///
  /// - Throws: For what is not JSON, an unknown setting, or a value that does not fit, with its path.
  public func merging(_ json: Data) throws(ExperimentError) -> Self {
    let outline = try JSONOutline(configuration: json)
    do { return try JSONDecoder().decode(Self.self, from: json, configuration: self) } catch {
      throw outline.located(error)
    }
  }

  /// A JSON schema of an object that may leave any setting out.
  package static var schema: String {
    let properties = settings.map { "\"\($0.name)\": \($0.schema)" }
    return
      "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\(properties.joined(separator: ", "))}}"
  }
}

/// One setting of `Root`: how it is called, read, written and described.
public struct Setting<Root>: Sendable {
  /// The name in JSON.
  public let name: String
  let names: Set<String>
  let read: @Sendable (inout Root, any Swift.Decoder) throws -> Void
  let write: @Sendable (Root, inout KeyedEncodingContainer<SettingName>) throws -> Void
  let schema: String

  fileprivate init(
    _ name: String, _ earlier: [String], _ schema: String,
    read: @escaping @Sendable (inout Root, any Swift.Decoder) throws -> Void,
    write: @escaping @Sendable (Root, inout KeyedEncodingContainer<SettingName>) throws -> Void
  ) {
    (self.name, names, self.schema, self.read, self.write) = (name, Set([name] + earlier), schema, read, write)
  }

  /// Returns the setting for a type whose `Root` is at `place`.
  public func inside<Outer>(_ place: WritableKeyPath<Outer, Root> & Sendable) -> Setting<Outer> {
    Setting<Outer>(name, Array(names), schema) { outer, decoder in
      try read(&outer[keyPath: place], decoder)
    } write: { outer, values in
      try write(outer[keyPath: place], &values)
    }
  }

  /// A name that something else reads.
  public init(readElsewhere name: String) {
    self.init(name, [], "{}", read: { _, _ in }, write: { _, _ in })
  }

  /// A value, given as a whole, or in part where it is ``Settings``.
  ///
  /// - Parameter earlier: Names that versions before had for it, which are read too.
  public init<Value: Codable & SendableMetatype>(
    _ name: String, _ place: WritableKeyPath<Root, Value> & Sendable, earlier: String..., schema: String? = nil
  ) {
    self.init(name, earlier, schema ?? schemaOf(Value.self)) { root, decoder in
      root[keyPath: place] = try value(from: decoder, over: root[keyPath: place])
    } write: { root, values in
      try values.encode(root[keyPath: place], forKey: SettingName(name))
    }
  }

  /// A value that may be absent, as `null`; ``Settings`` given in part are over the defaults where there are none yet.
  public init<Value: Codable & SendableMetatype>(
    _ name: String, _ place: WritableKeyPath<Root, Value?> & Sendable, earlier: String..., schema: String? = nil
  ) {
    self.init(name, place, earlier, schema) { try Value(from: $0) }
  }

  /// A value that may be absent, as `null`, and is written in more ways than its own.
  init<Value: Codable & SendableMetatype>(
    _ name: String, _ place: WritableKeyPath<Root, Value?> & Sendable, _ earlier: [String] = [],
    _ schema: String? = nil,
    decode: @escaping @Sendable (any Swift.Decoder) throws -> Value
  ) {
    let schema = schema ?? schemaOf(Value.self)
    self.init(name, earlier, "{\"anyOf\": [\(schema), {\"type\": \"null\"}]}") { root, decoder in
      let isNull = try decoder.singleValueContainer().decodeNil()
      root[keyPath: place] = try isNull ? nil : value(from: decoder, over: root[keyPath: place], decode)
    } write: { root, values in
      try values.encodeIfPresent(root[keyPath: place], forKey: SettingName(name))
    }
  }
}

/// A name in JSON.
package struct SettingName: CodingKey {
  package let stringValue: String
  package var intValue: Int? { nil }
  package init(_ name: String) { stringValue = name }
  package init?(stringValue: String) { self.init(stringValue) }
  package init?(intValue: Int) { nil }
}

extension [any CodingKey] {
  /// "arms.0.recipe.rho"
  package var path: String {
    map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
  }
}

/// A value, with an error of its path where a number does not fit: Foundation's is none of `DecodingError` and has no path.
private func value<Value: Decodable>(
  from decoder: any Swift.Decoder, over present: Value?,
  _ decode: (any Swift.Decoder) throws -> Value = { try Value(from: $0) }
) throws -> Value {
  if var settings = present as? any Settings {
    try settings.merge(from: decoder)
    return settings as! Value
  }
  do { return try decode(decoder) } catch {
    let path = decoder.codingPath
    if Value.self is any Numeric.Type {
      throw DecodingError.typeMismatch(Value.self, .init(codingPath: path, debugDescription: ""))
    }
    if error is DecodingError || error is SettingError { throw error }
    // Foundation's own error of a number, which is not public.
    let isOfNumber = "\(type(of: error))" == "JSONError"
    throw SettingError(path, isOfNumber ? " has a number that does not fit" : ": \(error)")
  }
}

/// The JSON schema of a value; anything where its type says nothing.
private func schemaOf<Value>(_ type: Value.Type) -> String {
  switch type {
  case is Bool.Type: "{\"type\": \"boolean\"}"
  case is String.Type: "{\"type\": \"string\"}"
  case is Double.Type: "{\"type\": \"number\"}"
  case is Int.Type, is UInt64.Type: "{\"type\": \"integer\"}"
  case is [UInt64].Type: "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}"
  case let type as any Settings.Type: type.schema
  case let type as any CaseIterable.Type: "{\"enum\": [\(names(of: type).joined(separator: ", "))]}"
  default: "{}"
  }
}

private func names<Cases: CaseIterable>(of type: Cases.Type) -> [String] {
  type.allCases.map { "\"\(($0 as? any RawRepresentable)?.rawValue ?? $0)\"" }
}
