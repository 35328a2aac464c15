import CImages

/// Why a file's image cannot be read: its kind, such as "damaged JPEG", and what is wrong with this one.
struct UnreadableImage: Error {
  let kind: String
  let problem: String

  /// The kind of a file that may be read another time.
  static let unopened = "file that cannot be opened"
}

/// What the beginning of an image's file says of it.
struct ImageHeader: Sendable {
  let format: ImageFormat
  /// The extents as they are stored.
  let storedHeight: Int
  let storedWidth: Int
  /// 1 or 3.
  let channels: Int
  /// That of EXIF, 1...8.
  let orientation: Int

  private static let maximumPixels = 1 << 26
  private static let maximumSide = 1 << 16

  /// Reads the header in the first bytes of a file, or in all of it.
  init(_ bytes: [UInt8]) throws(UnreadableImage) {
    guard let format = ImageFormat(bytes) else { throw Self.unknown(bytes) }
    var error = ci_image_error()
    var (height, width, channels): (Int32, Int32, Int32) = (0, 0, 0)
    let read =
      switch format {
      case .png: ci_png_header
      case .jpeg: ci_jpeg_header
      case .webp: ci_webp_header
      case .bmp: ci_bmp_header
      case .netpbm: ci_netpbm_header
      }
    guard read(bytes, bytes.count, &height, &width, &channels, &error) == 1 else {
      guard error.message != ci_animated else {
        throw UnreadableImage(
          kind: "animated WebP",
          problem: "an animated WebP, which is not read: take a picture out: webpmux -get frame 1 IMAGE -o IMAGE.webp")
      }
      throw format.damaged(error.message)
    }
    let (rows, columns) = (Int(height), Int(width))
    guard rows > 0, columns > 0, rows * columns <= Self.maximumPixels, max(rows, columns) <= Self.maximumSide else {
      throw UnreadableImage(
        kind: "too large \(format.rawValue)",
        problem:
          "a \(format.rawValue) of \(columns) by \(rows) pixels; at most \(Self.maximumPixels) are read, and \(Self.maximumSide) a side"
      )
    }
    (self.format, storedHeight, storedWidth, self.channels) = (format, rows, columns, Int(channels))
    orientation = Orientation.of(bytes, format)
  }

  /// The error of bytes that are no image, or one that is not read.
  static func unknown(_ bytes: [UInt8]) -> UnreadableImage {
    if bytes.isEmpty { return UnreadableImage(kind: "empty file", problem: "the file is empty") }
    if let (name, advice) = ImageFormat.unread(bytes) {
      return UnreadableImage(
        kind: "\(name) image",
        problem: "\(name == "icon" || name.hasPrefix("AV") ? "an" : "a") \(name) image, which is not read: \(advice)")
    }
    if bytes.starts(with: "version https://git-lfs".utf8) {
      return UnreadableImage(
        kind: "Git LFS pointer", problem: "a Git LFS pointer and not the image: run 'git lfs pull' in the repository")
    }
    return UnreadableImage(
      kind: "file that is no image",
      problem:
        "none of \(ImageFormat.list): the first bytes are \(bytes.prefix(4).map(String.init).joined(separator: " "))")
  }

  /// The extents of the upright image, or as stored.
  func size(upright: Bool) -> (height: Int, width: Int) {
    upright && orientation > 4 ? (storedWidth, storedHeight) : (storedHeight, storedWidth)
  }
}

extension ImageFormat {
  func damaged(_ text: String) -> UnreadableImage {
    UnreadableImage(kind: "damaged \(rawValue)", problem: "a damaged \(rawValue): \(text)")
  }
}

extension ci_image_error {
  var message: String { withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) } }
}
