/// The orientation in the EXIF data of an image, 1...8: 1 is upright.
///
/// CIPA DC-008 (EXIF), tag 0x0112.
enum Orientation {
  /// That of a file's bytes, or of its first; 1 where there is none, or it is damaged.
  static func of(_ bytes: [UInt8], _ format: ImageFormat) -> Int {
    let found: Int? =
      switch format {
      case .jpeg: inJPEG(bytes)
      case .png: inPNG(bytes)
      case .webp: inWebP(bytes)
      case .bmp, .netpbm: nil
      }
    return found.flatMap { (1...8).contains($0) ? $0 : nil } ?? 1
  }

  private static func inJPEG(_ bytes: [UInt8]) -> Int? {
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xff {
      let (marker, length) = (bytes[place + 1], bigEndian(bytes, place + 2, 2))
      // Behind the start of scan are pixels.
      guard marker != 0xda, length >= 2 else { return nil }
      let content = place + 4
      if marker == 0xe1, bytes.dropFirst(content).starts(with: Array("Exif".utf8) + [0, 0]) {
        return inTIFF(bytes, from: content + 6, to: min(place + 2 + length, bytes.count))
      }
      place += 2 + length
    }
    return nil
  }

  private static func inPNG(_ bytes: [UInt8]) -> Int? {
    var place = 8
    while place + 12 <= bytes.count {
      let length = bigEndian(bytes, place, 4)
      let content = place + 8
      if bytes[place + 4..<content].elementsEqual("eXIf".utf8) {
        return inTIFF(bytes, from: content, to: min(content + length, bytes.count))
      }
      place = content + length + 4
    }
    return nil
  }

  private static func inWebP(_ bytes: [UInt8]) -> Int? {
    var place = 12
    while place + 8 <= bytes.count {
      let length = bytes[place + 4..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let content = place + 8
      if bytes[place..<place + 4].elementsEqual("EXIF".utf8) {
        // Some programs write JPEG's prefix there too.
        let prefix = bytes.dropFirst(content).starts(with: Array("Exif".utf8) + [0, 0]) ? 6 : 0
        return inTIFF(bytes, from: content + prefix, to: min(content + length, bytes.count))
      }
      place = content + length + length % 2
    }
    return nil
  }

  /// The value of the tag in the first directory of TIFF data.
  private static func inTIFF(_ bytes: [UInt8], from start: Int, to end: Int) -> Int? {
    guard start + 8 <= end else { return nil }
    let isLittle = bytes[start] == UInt8(ascii: "I")
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, start + offset + size <= end else { return nil }
      let part = bytes[start + offset..<start + offset + size]
      return isLittle ? part.reversed().reduce(0) { $0 << 8 | Int($1) } : part.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for entry in 0..<count {
      let place = directory + 2 + 12 * entry
      guard let tag = number(place, 2), let value = number(place + 8, 2) else { return nil }
      if tag == 0x0112 { return value }
    }
    return nil
  }

  private static func bigEndian(_ bytes: [UInt8], _ place: Int, _ size: Int) -> Int {
    bytes[place..<place + size].reduce(0) { $0 << 8 | Int($1) }
  }
}
