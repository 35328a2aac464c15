import Foundation

/// Each value of a JSON text by its path, with its line: Foundation's decoder says neither, and of two values with one key it
/// takes the last.
package struct JSONOutline {
  /// A value as it is written.
  package struct Value: Hashable, Sendable {
    /// Its line, from 1 on.
    package let line: Int
    /// Its text, cut after some characters.
    package let text: String
  }
  /// The values by their paths, such as `arms.0.recipe`; the whole text has the empty path.
  package private(set) var values: [String: Value] = [:]

  private let text: [UInt8]
  private var offset = 0
  private var line = 1
  private var lineStart = 0

  /// Reads a text.
  ///
  /// - Throws: For what is not JSON, with line and column, and for a key that an object has twice.
  package init(_ json: Data) throws(FileError) {
    text = Array(json)
    try readValue("", depth: 0)
    skipSpace()
    guard offset == text.count else { throw unexpected("the end") }
  }

  private mutating func readValue(_ path: String, depth: Int) throws(FileError) {
    skipSpace()
    guard depth < 64 else { throw problem("more than 64 objects and arrays in one another") }
    let (start, startLine) = (offset, line)
    switch next {
    case UInt8(ascii: "{"): try readObject(path, depth)
    case UInt8(ascii: "["): try readArray(path, depth)
    case UInt8(ascii: "\""): _ = try readString("a value")
    default: try readWord()
    }
    let written = text[start..<min(offset, start + 40)]
    let shown = String(decoding: written, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    values[path] = Value(line: startLine, text: offset - start > 40 ? "\(shown) …" : shown)
  }

  private mutating func readObject(_ path: String, _ depth: Int) throws(FileError) {
    var keys: Set<String> = []
    try readList(until: UInt8(ascii: "}")) { (outline) throws(FileError) in
      let before = outline
      let key = try outline.readString("a key in quotation marks")
      guard keys.insert(key).inserted else {
        throw before.problem("the key '\(key)' a second time", wanted: "each key once")
      }
      outline.skipSpace()
      guard outline.next == UInt8(ascii: ":") else { throw outline.unexpected("a colon") }
      outline.offset += 1
      try outline.readValue(path.isEmpty ? key : "\(path).\(key)", depth: depth + 1)
    }
  }

  private mutating func readArray(_ path: String, _ depth: Int) throws(FileError) {
    var index = 0
    try readList(until: UInt8(ascii: "]")) { (outline) throws(FileError) in
      try outline.readValue(path.isEmpty ? "\(index)" : "\(path).\(index)", depth: depth + 1)
      index += 1
    }
  }

  /// Reads what commas separate, from a bracket to its end.
  private mutating func readList(
    until end: UInt8, _ readItem: (inout JSONOutline) throws(FileError) -> Void
  ) throws(FileError) {
    let bracket = String(decoding: [end], as: UTF8.self)
    offset += 1
    skipSpace()
    if next == end {
      offset += 1
      return
    }
    while true {
      skipSpace()
      try readItem(&self)
      skipSpace()
      switch next {
      case UInt8(ascii: ","): offset += 1
      case end:
        offset += 1
        return
      default: throw unexpected("a comma or '\(bracket)'")
      }
    }
  }

  private mutating func readString(_ wanted: String) throws(FileError) -> String {
    guard next == UInt8(ascii: "\"") else { throw unexpected(wanted) }
    let start = offset
    offset += 1
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n") {
      offset += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    guard next == UInt8(ascii: "\"") else {
      offset = start
      throw problem("a text that does not end in its line")
    }
    offset += 1
    let literal = Data(text[start..<offset])
    guard let string = try? JSONDecoder().decode(String.self, from: literal) else {
      offset = start
      throw problem("\(String(decoding: literal.prefix(40), as: UTF8.self)), which is no text of JSON")
    }
    return string
  }

  /// Reads a number, `true`, `false` or `null`.
  private mutating func readWord() throws(FileError) {
    let before = self
    while let byte = next, byte >= 0x80 || "+-._".utf8.contains(byte) || isalnum(Int32(byte)) != 0 { offset += 1 }
    let word = String(decoding: text[before.offset..<offset], as: UTF8.self)
    guard !word.isEmpty else { throw before.unexpected("a value") }
    let isNumber = word.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil
    guard isNumber || ["true", "false", "null"].contains(word) else {
      throw before.problem(
        "'\(word.prefix(40))'", wanted: "a number, true, false, null, a text in quotation marks, a list or an object")
    }
  }

  private var next: UInt8? { offset < text.count ? text[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0d, 0x0a].contains(byte) {
      offset += 1
      if byte == 0x0a { (line, lineStart) = (line + 1, offset) }
    }
  }

  private func problem(_ found: String, wanted: String? = nil) -> FileError {
    FileError(found, wanted: wanted, at: "line \(line), column \(offset - lineStart + 1)")
  }

  private func unexpected(_ wanted: String) -> FileError {
    guard offset < text.count else { return problem("the end of the text", wanted: wanted) }
    let isComment = ["/", "#"].contains(text[offset...].prefix(1).map { Character(UnicodeScalar($0)) })
    let found = String(decoding: text[offset...].prefix { $0 != 0x0a }.prefix(20), as: UTF8.self)
    return problem("'\(found)'", wanted: wanted + (isComment ? " (JSON has no comments)" : ""))
  }
}
