import FileFormats
import Foundation

/// A list of image files and their classes: CSV, JSON or JSON lines.
///
/// A CSV file has a column `path` (or `file`, `filename`, `file_name`, `filepath`, `image`, `image_path`, `id`) and a column `label`
/// (or `class`, `class_name`, `category`, `target`), and may have `split` (or `set`, `subset`) of `train`, `val` and `test`; without
/// such a header these are its first columns. Commas, tabs or semicolons separate. JSON is a list of objects with such names, an
/// object after the other, or one object of labels by path.
public enum ImageList {
  private static let pathNames = [
    "path", "file", "filename", "file_name", "filepath", "image", "image_path", "id",
  ]
  private static let labelNames = ["label", "class", "class_name", "category", "target"]
  private static let splitNames = ["split", "set", "subset"]

  /// Reads the images that the list at `url` names.
  ///
  /// Classes are in the order of their names' code points, or of their numbers where all are numbers. Images of the split `val` are
  /// for validation, or where there are none of `test` for testing. Without a split a fifth of each class, drawn by `seed`, is for
  /// testing.
  ///
  /// - Parameter folder: Where the paths begin; nil for the folder of the list. A name without an ending may be that of a file
  ///   with one.
  /// - Throws: Where the list is none, or an image is missing or cannot be read.
  public static func load(
    _ url: URL, images folder: URL? = nil, _ options: ImageOptions = ImageOptions(), seed: UInt64 = 0
  ) throws(DataError) -> DatasetSplit {
    let listing = try listing(url, folder ?? url.deletingLastPathComponent())
    return try ImageReader.read(listing, options, seed: seed)
  }

  /// A row of the list.
  private struct Row {
    var path: String
    var label: String
    var split: String?
    /// Its line or number, for errors.
    var place: String
  }

  private static let maximumBytes = 1 << 30

  private static func listing(_ url: URL, _ folder: URL) throws(DataError) -> ImageListing {
    let rows = try rows(url)
    let names = Set(rows.map(\.label))
    let areNumbers = names.allSatisfy { Int($0) != nil }
    let classes = names.sorted { areNumbers ? Int($0)! < Int($1)! : inOrderOfCodePoints($0, $1) }
    guard classes.count > 1 else {
      throw DataError("\(rows.count) images of \(classes.count) classes; there must be at least two", in: url.path)
    }
    let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    var parts: [String: ImageListing.Part] = [:]
    var seen: [String: Row] = [:]
    for row in rows {
      let path = resolved(row.path, folder)
      if let before = seen.updateValue(row, forKey: path), before.label != row.label {
        throw DataError(
          "'\(row.path.escaped(80))' has the label '\(row.label.escaped(40))', and '\(before.label.escaped(40))' in \(before.place)",
          at: row.place, in: url.path)
      }
      let item = ImageListing.Item(path: path, label: labels[row.label]!)
      parts[try part(row, url), default: ImageListing.Part(classNames: classes)].items.append(item)
    }
    guard let training = parts["train"] else { throw DataError("no row is of the split 'train'", in: url.path) }
    let trained = Set(training.items.map(\.label))
    if let label = classes.indices.first(where: { !trained.contains($0) }) {
      throw DataError("class '\(classes[label].escaped(80))' has no images for training", in: url.path)
    }
    var listing = ImageListing(
      name: url.deletingPathExtension().lastPathComponent, root: folder, training: training,
      validation: parts["test"] == nil ? nil : parts["val"], test: parts["test"] ?? parts["val"],
      leftOut: LeftOut(root: folder))
    listing.isExplicit = true
    return listing
  }

  private static func part(_ row: Row, _ url: URL) throws(DataError) -> String {
    switch row.split?.lowercased() ?? "train" {
    case "train", "training": return "train"
    case "test", "testing": return "test"
    case "val", "valid", "validation": return "val"
    default:
      throw DataError(
        "the split '\(row.split!.escaped(40))'", wanted: "train, val or test", at: row.place, in: url.path)
    }
  }

  /// The path of a file, with the ending that it lacks.
  private static func resolved(_ path: String, _ folder: URL) -> String {
    let whole = path.hasPrefix("/") ? path : "\(folder.path)/\(path)"
    guard !FolderEntries.endings.contains((path as NSString).pathExtension.lowercased()),
      !FileManager.default.fileExists(atPath: whole)
    else { return whole }
    return ["png", "jpg", "jpeg", "webp"].map { "\(whole).\($0)" }
      .first { FileManager.default.fileExists(atPath: $0) } ?? whole
  }

  // MARK: The rows

  private static func rows(_ url: URL) throws(DataError) -> [Row] {
    let bytes = try readFile(url, upTo: maximumBytes + 1)
    guard bytes.count <= maximumBytes else { throw DataError("more than \(maximumBytes) bytes", in: url.path) }
    let start = bytes.first { ![0x20, 0x0a, 0x0d, 0x09, 0xef, 0xbb, 0xbf].contains($0) }
    let isJSON = start == UInt8(ascii: "[") || start == UInt8(ascii: "{")
    let rows = try isJSON ? jsonRows(url) : csvRows(bytes, url)
    guard !rows.isEmpty else { throw DataError("there are no images in the list", in: url.path) }
    return rows
  }

  private static func csvRows(_ bytes: [UInt8], _ url: URL) throws(DataError) -> [Row] {
    let records = try CSV.records(bytes, file: url.path)
    guard let first = records.first else { return [] }
    let names = first.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
    func column(_ known: [String]) -> Int? { known.compactMap { names.firstIndex(of: $0) }.first }
    var (path, label, split): (Int, Int, Int?) = (0, 1, first.fields.count == 3 ? 2 : nil)
    let header = (column(pathNames), column(labelNames))
    if let pathColumn = header.0, let labelColumn = header.1 {
      (path, label, split) = (pathColumn, labelColumn, column(splitNames))
    }
    let hasHeader = header.0 != nil && header.1 != nil
    guard hasHeader || (2...3).contains(names.count) else {
      throw DataError(
        "\(names.count) columns without the names of a path and a label", wanted: "a header with 'path' and 'label'",
        at: "line 1", in: url.path)
    }
    var rows: [Row] = []
    for record in records.dropFirst(hasHeader ? 1 : 0) {
      let place = "line \(record.line)"
      guard record.fields.count > max(path, label, split ?? 0) else {
        throw DataError(
          "\(record.fields.count) columns", wanted: "\(max(path, label, split ?? 0) + 1) with a path and a label",
          at: place, in: url.path)
      }
      rows.append(
        try row(record.fields[path], record.fields[label], split.map { record.fields[$0] }, place, url))
    }
    return rows
  }

  private static func row(
    _ path: String, _ label: String, _ split: String?, _ place: String, _ url: URL
  ) throws(DataError) -> Row {
    let (path, label) = (path.trimmingCharacters(in: .whitespaces), label.trimmingCharacters(in: .whitespaces))
    guard !path.isEmpty, !label.isEmpty else {
      throw DataError("an empty \(path.isEmpty ? "path" : "label")", at: place, in: url.path)
    }
    return Row(path: path, label: label, split: split?.trimmingCharacters(in: .whitespaces), place: place)
  }

  private static func jsonRows(_ url: URL) throws(DataError) -> [Row] {
    try JSONCursor.withContents(of: url) { (cursor) throws(DataError) in
      var rows: [Row] = []
      func add(_ cursor: inout JSONCursor) throws(DataError) {
        let before = cursor
        var values: [(key: String, value: String)] = []
        try cursor.object { (cursor, key) throws(DataError) in
          switch cursor.peek() {
          case UInt8(ascii: "{"), UInt8(ascii: "["): try cursor.skip()
          default: values.append((key, try cursor.scalar()))
          }
        }
        func value(_ known: [String]) -> String? {
          known.lazy.compactMap { name in values.first { $0.key.lowercased() == name }?.value }.first
        }
        if let path = value(pathNames), let label = value(labelNames) {
          rows.append(try row(path, label, value(splitNames), "image \(rows.count + 1)", url))
        } else if rows.isEmpty, values.count > 1 {
          // Labels by path.
          for (path, label) in values { rows.append(try row(path, label, nil, "image \(rows.count + 1)", url)) }
        } else {
          throw before.problem("an object with 'path' and 'label'")
        }
      }
      while let start = cursor.peek() {
        if start == UInt8(ascii: "[") { try cursor.array(add) } else { try add(&cursor) }
      }
      return rows
    }
  }
}

/// Fields with separators between, as RFC 4180 has them; the first of tab, semicolon and comma in the first line separates.
enum CSV {
  struct Record {
    var line: Int
    var fields: [String]
  }

  static func records(_ bytes: [UInt8], file: String) throws(DataError) -> [Record] {
    let (newline, quote) = (UInt8(ascii: "\n"), UInt8(ascii: "\""))
    let bytes = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    let firstLine = bytes.prefix { $0 != newline }
    let separator = [UInt8(ascii: "\t"), UInt8(ascii: ";")].first { firstLine.contains($0) } ?? UInt8(ascii: ",")
    var records: [Record] = []
    var (fields, field): ([String], [UInt8]) = ([], [])
    var (line, start, place) = (1, 1, 0)
    func endRecord() {
      if field.last == UInt8(ascii: "\r") { field.removeLast() }
      fields.append(String(decoding: field, as: UTF8.self))
      if fields != [""] { records.append(Record(line: start, fields: fields)) }
      (fields, field) = ([], [])
    }
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      switch byte {
      case separator:
        fields.append(String(decoding: field, as: UTF8.self))
        field = []
      case newline:
        endRecord()
        line += 1
        start = line
      case quote where field.isEmpty:
        var isOpen = true
        while isOpen, place < bytes.count {
          if bytes[place] == quote {
            guard place + 1 < bytes.count, bytes[place + 1] == quote else {
              (isOpen, place) = (false, place + 1)
              continue
            }
            place += 1
          }
          if bytes[place] == newline { line += 1 }
          field.append(bytes[place])
          place += 1
        }
        guard !isOpen else { throw DataError("a quotation mark that is not closed", at: "line \(start)", in: file) }
      default: field.append(byte)
      }
    }
    if !field.isEmpty || !fields.isEmpty { endRecord() }
    return records
  }
}
