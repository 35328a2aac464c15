extension String {
  /// The columns that the text takes in a terminal: two for a character of East Asian writing and for a picture.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// The text, or where it takes more columns its beginning and its end: names of a kind often differ in one of them alone.
  func shortened(to columns: Int) -> String {
    guard self.columns > columns else { return self }
    func beginning(_ text: some Sequence<Character>, _ limit: Int) -> [Character] {
      var left = limit
      return Array(
        text.prefix {
          left -= $0.columns
          return left >= 0
        })
    }
    let tail = (columns - 1) / 3
    return String(beginning(self, columns - 1 - tail)) + "…" + String(beginning(reversed(), tail).reversed())
  }
}

extension Character {
  /// The ranges of wide characters of Unicode's annex 11, and pictures.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
    0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD,
  ]
  fileprivate var columns: Int {
    let value = unicodeScalars.first!.value
    return value >= 0x1100 && Self.wide.contains { $0.contains(value) } ? 2 : 1
  }
}
