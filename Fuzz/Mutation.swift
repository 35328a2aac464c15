import Tensors

/// A well-formed input with some of its bytes changed, moved or lost.
func mutated(_ corpus: [[UInt8]], _ g: inout SplittableGenerator) -> [UInt8] {
  var bytes = corpus.randomElement(using: &g)!
  let interesting: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, 1 << 63, .max,
  ]
  // Most other damage to JSON is a mistake in its grammar, and seen at once.
  let isJSON = bytes.first.map { "{[".utf8.contains($0) } ?? false
  let kinds = isJSON && Bool.random(using: &g) ? 8..<9 : 0..<9
  for _ in 0..<Int.random(in: 1...6, using: &g) {
    guard !bytes.isEmpty else { break }
    // Headers matter most.
    let end = Bool.random(using: &g) ? bytes.count : min(bytes.count, 96)
    let place = Int.random(in: 0..<end, using: &g)
    switch Int.random(in: kinds, using: &g) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &g)
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &g)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &g), at: place)
    case 3: bytes.remove(at: place)
    case 4: bytes.removeSubrange(place...)
    case 5:
      let value = interesting.randomElement(using: &g)!
      for (offset, index) in (place..<min(place + 8, bytes.count)).enumerated() {
        bytes[index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))
      }
    case 6:
      let from = Int.random(in: 0..<bytes.count, using: &g)
      let piece = Array(bytes[from..<min(from + Int.random(in: 1...64, using: &g), bytes.count)])
      bytes.insert(contentsOf: piece, at: place)
    case 7:
      let other = corpus.randomElement(using: &g)!
      bytes = bytes.prefix(place) + other.suffix(max(0, other.count - place))
    default:
      // Numbers decide shapes and lengths in text.
      let isDigit: (UInt8) -> Bool = { (48...57).contains($0) }
      guard let first = bytes[place...].firstIndex(where: isDigit) else { continue }
      let end = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.endIndex
      let numbers = interesting.map { "\($0)" } + ["-1", "2", "3", "1e-9", "1e308", "9007199254740993"]
      bytes.replaceSubrange(first..<end, with: Array(numbers.randomElement(using: &g)!.utf8))
    }
  }
  return bytes
}
