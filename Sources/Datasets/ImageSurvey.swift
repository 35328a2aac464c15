import FileFormats
import Foundation

/// What the files of a set of images are: their formats and sizes, and what cannot be read.
public struct ImageSurvey: Sendable {
  /// The number of images of each format.
  public internal(set) var formats: [ImageFormat: Int] = [:]
  /// The number of images, or parts of images, of each size, as `[height, width]`.
  public internal(set) var sizes: [[Int]: Int] = [:]
  /// The files that cannot be read: a kind, their number, and what is wrong with the first.
  public internal(set) var unreadable: [Unreadable] = []

  /// Files of one kind that cannot be read.
  public struct Unreadable: Sendable, Hashable {
    /// The kind, such as "damaged JPEG" or "HEIC image".
    public let kind: String
    /// The number of files.
    public internal(set) var count: Int
    /// The first of them.
    public let example: String
    /// What is wrong with it, and what to do.
    public let problem: String
  }

  /// The number of files that cannot be read.
  public var unreadableCount: Int { unreadable.reduce(0) { $0 + $1.count } }

  mutating func add(_ unreadable: UnreadableImage, _ path: String) {
    if let index = self.unreadable.firstIndex(where: { $0.kind == unreadable.kind }) {
      self.unreadable[index].count += 1
    } else {
      self.unreadable.append(
        Unreadable(kind: unreadable.kind, count: 1, example: path, problem: unreadable.problem))
    }
  }

  /// One line that names and counts what cannot be read.
  public var unreadableLine: String? {
    guard !unreadable.isEmpty else { return nil }
    let list = unreadable.sorted { ($1.count, $0.kind) < ($0.count, $1.kind) }.map {
      "\($0.count) of kind '\($0.kind)' (\($0.example.escaped(120)): \($0.problem))"
    }
    return "\(unreadableCount) file\(unreadableCount == 1 ? "" : "s") cannot be read: \(list.joined(separator: ", "))"
  }

  /// Throws where something cannot be read, with what to do.
  func check(in root: String) throws(DataError) {
    let advice = "--skip-unreadable leaves it out"
    guard let first = unreadable.first else { return }
    guard unreadableCount > 1 else { throw DataError("\(first.problem); \(advice)", in: first.example) }
    throw DataError("\(unreadableLine!); \(advice)", in: root)
  }
}

/// What a file in a set of images turned out to be.
enum SurveyedFile: Sendable {
  case image(ImageHeader)
  case unreadable(UnreadableImage)
  /// No image, by neither name nor content.
  case other(kind: String)

  /// The bytes that most headers lie in.
  private static let prefix = 1 << 16

  /// Reads the beginnings of files on all threads.
  static func survey(_ paths: [String]) -> [SurveyedFile] {
    inParallel(paths.count) { SurveyedFile(paths[$0]) }
  }

  init(_ path: String) {
    let url = URL(fileURLWithPath: path)
    let ending = url.pathExtension.lowercased()
    do {
      let bytes = try readFile(path: path, upTo: Self.prefix)
      let isNamedAsImage = FolderEntries.endings.contains(ending)
      if ImageFormat(bytes) == nil, !isNamedAsImage, ImageFormat.unread(bytes) == nil {
        let isLink = ending.isEmpty && FolderEntries.isLinkAsText(bytes)
        self = .other(
          kind: isLink ? "link stored as text" : ending.isEmpty ? "file without an ending" : ".\(ending) file")
        return
      }
      self = try Self.header(bytes, url)
    } catch {
      let isMissing = !FileManager.default.fileExists(atPath: path)
      self = .unreadable(
        UnreadableImage(kind: isMissing ? "missing file" : UnreadableImage.unopened, problem: error.problem))
    }
  }

  private static func header(_ bytes: [UInt8], _ url: URL) throws(DataError) -> SurveyedFile {
    do throws(UnreadableImage) { return .image(try ImageHeader(bytes)) } catch {
      guard bytes.count == prefix, ImageFormat(bytes) != nil else { return .unreadable(error) }
    }
    // A large profile may lie before the header.
    let all = try readFile(url, upTo: EncodedImage.maximumFileBytes)
    do throws(UnreadableImage) { return .image(try ImageHeader(all)) } catch { return .unreadable(error) }
  }
}

/// The results of `body` for 0..<count, in their order, computed on all threads.
func inParallel<Result: Sendable>(_ count: Int, _ body: (Int) -> Result) -> [Result] {
  [Result](unsafeUninitializedCapacity: count) { results, initialized in
    let start = results.baseAddress
    Parallel.forEach(count) { range in for index in range { (start! + index).initialize(to: body(index)) } }
    initialized = count
  }
}
