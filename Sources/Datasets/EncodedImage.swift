import CImages
import FileFormats
import Foundation

/// The bytes of an image's file, and what its header says.
struct EncodedImage {
  let bytes: [UInt8]
  let header: ImageHeader

  static let maximumFileBytes = 1 << 28

  init(_ bytes: [UInt8]) throws(UnreadableImage) {
    (self.bytes, header) = (bytes, try ImageHeader(bytes))
  }

  /// Reads a file, or says of what kind it is.
  init(contentsOf path: String) throws(UnreadableImage) {
    let bytes: [UInt8]
    do { bytes = try readFile(path: path, upTo: Self.maximumFileBytes + 1) } catch {
      throw UnreadableImage(kind: UnreadableImage.unopened, problem: error.problem)
    }
    guard bytes.count <= Self.maximumFileBytes else {
      throw UnreadableImage(kind: "too large file", problem: "more than \(Self.maximumFileBytes) bytes")
    }
    try self.init(bytes)
  }

  // MARK: Whole

  /// The pixels; those of a JPEG at 1 / reduction of the size, rounded up.
  func decoded(appliesOrientation: Bool, reduction: Int = 1) throws(UnreadableImage) -> DecodedImage {
    let area = header.storedHeight * header.storedWidth
    let isLarge = area / (reduction * reduction) > Self.largeArea || (area > Self.largeArea && isHeldWhole)
    let image = try alone(isLarge) { () throws(UnreadableImage) in try stored(reduction) }
    return appliesOrientation ? image.turned(by: header.orientation) : image
  }

  private static let largeArea = 1 << 23
  private static let largeImages = NSLock()

  /// Whether decoding a JPEG takes memory for the whole image, whatever is made of it.
  private var isHeldWhole: Bool { header.format == .jpeg && ci_jpeg_is_whole(bytes, bytes.count) == 1 }

  /// One large image at a time, however many threads decode.
  private func alone<Result>(
    _ isLarge: Bool, _ body: () throws(UnreadableImage) -> Result
  ) throws(UnreadableImage) -> Result {
    guard isLarge else { return try body() }
    Self.largeImages.lock()
    defer { Self.largeImages.unlock() }
    return try body()
  }

  private func stored(_ reduction: Int) throws(UnreadableImage) -> DecodedImage {
    let bytes = header.format == .png ? Self.withoutColourSpace(bytes) : bytes
    let (count, channels) = (bytes.count, header.channels)
    let height = (header.storedHeight + reduction - 1) / reduction
    let width = (header.storedWidth + reduction - 1) / reduction
    let (rows, columns, colours) = (Int32(height), Int32(width), Int32(channels))
    var error = ci_image_error()
    var status: Int32 = 0
    let pixels = [UInt8](unsafeUninitializedCapacity: height * width * channels) { pixels, initialized in
      let out = pixels.baseAddress!
      status =
        switch header.format {
        case .png: ci_png_decode(bytes, count, colours, out, &error)
        case .jpeg: ci_jpeg_decode(bytes, count, Int32(reduction), rows, columns, colours, out, &error)
        case .webp: ci_webp_decode(bytes, count, rows, columns, out, &error)
        case .bmp: ci_bmp_decode(bytes, count, rows, columns, colours, out, &error)
        case .netpbm: ci_netpbm_decode(bytes, count, rows, columns, colours, out, &error)
        }
      initialized = status == 1 ? height * width * channels : 0
    }
    guard status == 1 else { throw header.format.damaged(error.message) }
    return DecodedImage(pixels: pixels, shape: [height, width, channels])
  }

  /// The PNG `bytes` without the chunks by which libpng would change the stored values, as no library of Python does.
  private static func withoutColourSpace(_ bytes: [UInt8]) -> [UInt8] {
    let removed = Set(["gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI"].map { Array($0.utf8) })
    var (parts, kept, place): ([ArraySlice<UInt8>], Int, Int) = ([], 0, 8)
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let kind = Array(bytes[place + 4..<place + 8])
      let end = place + 12 + length
      // A damaged chunk is libpng's affair, and after the first pixels such chunks change nothing.
      guard end <= bytes.count, kind != Array("IDAT".utf8) else { break }
      if removed.contains(kind) {
        parts.append(bytes[kept..<place])
        kept = end
      }
      place = end
    }
    return parts.isEmpty ? bytes : Array((parts + [bytes[kept...]]).joined())
  }

  // MARK: Prepared

  /// The image in the size wanted, with the file's channels.
  func prepared(by preparation: ImagePreparation) throws(UnreadableImage) -> DecodedImage {
    try prepared(by: preparation, channels: header.channels)
  }

  /// The image in the size wanted, with so many channels, 1 or 3.
  func prepared(by preparation: ImagePreparation, channels: Int) throws(UnreadableImage) -> DecodedImage {
    let size = preparation.size
    var pixels = [UInt8](repeating: 0, count: size.height * size.width * channels)
    var problem: UnreadableImage?
    pixels.withUnsafeMutableBufferPointer { pixels in
      do throws(UnreadableImage) { try write([nil], preparation, channels: channels) { _ in pixels } } catch {
        problem = error
      }
    }
    if let problem { throw problem }
    return DecodedImage(pixels: pixels, shape: [size.height, size.width, channels])
  }

  /// Writes the image, or those parts of it, in the size wanted to places that have zeros.
  ///
  /// - Parameters:
  ///   - boxes: Parts of the image as it is stored; nil is the whole image.
  ///   - channels: 1 or 3, whichever the file has.
  func write(
    _ boxes: [PixelBox?], _ preparation: ImagePreparation, channels: Int,
    to place: (Int) -> UnsafeMutableBufferPointer<UInt8>
  ) throws(UnreadableImage) {
    let isWhole = boxes.allSatisfy { $0 == nil }
    let turns = isWhole && preparation.appliesOrientation && header.orientation != 1
    if header.format == .jpeg, isWhole, !turns {
      for index in boxes.indices { try resizeRows(preparation, channels, place(index)) }
      return
    }
    // A part of an image is seldom so much larger than the size wanted that less of it would do.
    let (height, width) = header.size(upright: turns)
    let reduces = header.format == .jpeg && isWhole
    let reduction = reduces ? preparation.reduction(height: height, width: width, divides: true) : 1
    let decoded = try decoded(appliesOrientation: turns, reduction: reduction)
    let image = channels > header.channels ? decoded.inColour : decoded
    for (index, box) in boxes.enumerated() {
      let box = box ?? PixelBox(top: 0, left: 0, height: height, width: width)
      try inChannels(channels, image.shape[2], preparation.size, place(index)) { result throws(UnreadableImage) in
        guard preparation.apply(to: image, box, reduction: reduction, result) else { throw Self.noMemory }
      }
    }
  }

  /// Decodes and resizes a JPEG row by row.
  private func resizeRows(
    _ preparation: ImagePreparation, _ channels: Int, _ place: UnsafeMutableBufferPointer<UInt8>
  ) throws(UnreadableImage) {
    let (height, width) = (header.storedHeight, header.storedWidth)
    let reduction = preparation.reduction(height: height, width: width, divides: false)
    try inChannels(channels, header.channels, preparation.size, place) { result throws(UnreadableImage) in
      var (sizes, offset) = preparation.resizing(
        height: height, width: width, channels: header.channels, reduction: reduction)
      let isLarge = height * width > Self.largeArea && isHeldWhole
      try alone(isLarge) { () throws(UnreadableImage) in
        var error = ci_image_error()
        let status = ci_jpeg_resize(
          bytes, bytes.count, Int32(reduction), &sizes, result.baseAddress! + offset,
          preparation.size.width * header.channels, &error)
        guard status == 1 else {
          throw error.message == ci_no_memory ? Self.noMemory : header.format.damaged(error.message)
        }
      }
    }
  }

  /// Lets `body` write an image of `found` channels, and makes one of `channels` of it.
  private func inChannels(
    _ channels: Int, _ found: Int, _ size: ImageSize, _ place: UnsafeMutableBufferPointer<UInt8>,
    _ body: (UnsafeMutableBufferPointer<UInt8>) throws(UnreadableImage) -> Void
  ) throws(UnreadableImage) {
    guard channels != found else { return try body(place) }
    let area = size.height * size.width
    let other = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: area * found)
    defer { other.deallocate() }
    other.initialize(repeating: 0)
    try body(other)
    if channels == 3 {
      ci_repeat(other.baseAddress!, area, place.baseAddress!)
    } else {
      ci_grey(other.baseAddress!, area, place.baseAddress!)
    }
  }

  private static let noMemory = UnreadableImage(
    kind: "image too large for the memory", problem: "there is no memory to scale it")
}
