/// A format of image files that is read, told by a file's first bytes and not by its name.
public enum ImageFormat: String, Sendable, Hashable, Codable, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case webp = "WebP"
  case bmp = "BMP"
  /// Netpbm's PBM, PGM and PPM.
  case netpbm = "PPM"

  /// The formats that are read, for a message.
  static let list = "PNG, JPEG, WebP, BMP and PPM"

  /// The format of a file that begins with `bytes`; nil where it is none of these.
  public init?(_ bytes: [UInt8]) {
    func has(_ text: String, at offset: Int = 0) -> Bool { bytes.dropFirst(offset).starts(with: text.utf8) }
    if bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]) {
      self = .png
    } else if bytes.starts(with: [0xff, 0xd8]) {
      self = .jpeg
    } else if has("RIFF"), has("WEBP", at: 8) {
      self = .webp
    } else if has("BM"), bytes.count > 17, bytes[14] >= 12, bytes[15...17].allSatisfy({ $0 == 0 }) {
      // The size of the second header: words may begin with BM too.
      self = .bmp
    } else if has("P"), bytes.count > 2, (0x31...0x36).contains(bytes[1]),
      bytes[2] == 0x23 || bytes[2] == 0x20 || (9...13).contains(bytes[2])
    {
      self = .netpbm
    } else {
      return nil
    }
  }

  /// The name of an image format that is not read, and how to convert it, where a file begins so.
  static func unread(_ bytes: [UInt8]) -> (name: String, advice: String)? {
    for (offset, magic, name, advice) in others where bytes.dropFirst(offset).starts(with: magic) {
      return (name, advice)
    }
    return nil
  }

  private static let magick = "convert it: convert 'IMAGE[0]' IMAGE.png (of ImageMagick)"
  private static let heif = "convert it: heif-convert IMAGE IMAGE.jpg (of libheif)"
  private static let others: [(offset: Int, magic: [UInt8], name: String, advice: String)] =
    ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].map {
      (4, Array("ftyp\($0)".utf8), "HEIC", heif)
    }
    + ["avif", "avis"].map { (4, Array("ftyp\($0)".utf8), "AVIF", heif) } + [
      (0, Array("GIF8".utf8), "GIF", magick), (0, [0x49, 0x49, 0x2a, 0], "TIFF", magick),
      (0, [0x4d, 0x4d, 0, 0x2a], "TIFF", magick), (0, [0x49, 0x49, 0x2b, 0], "TIFF", magick),
      (0, [0x4d, 0x4d, 0, 0x2b], "TIFF", magick), (0, Array("8BPS".utf8), "Photoshop", magick),
      (0, [0xff, 0x0a], "JPEG XL", "convert it: djxl IMAGE IMAGE.png"),
      (0, [0, 0, 0, 12] + Array("JXL ".utf8), "JPEG XL", "convert it: djxl IMAGE IMAGE.png"),
      (0, [0, 0, 0, 12] + Array("jP  ".utf8), "JPEG 2000", magick), (0, [0xff, 0x4f, 0xff, 0x51], "JPEG 2000", magick),
      (0, [0, 0, 1, 0], "icon", magick), (0, Array("P7\n".utf8), "PAM", magick),
    ]
}
