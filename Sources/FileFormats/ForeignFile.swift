/// Files that are often found under the name of a file of weights, told by their content.
package enum ForeignFile {
  /// The kind of file that begins with `bytes`, or is them, and what to do with it, in one line; nil for one that is not known.
  package static func description(of bytes: [UInt8]) -> String? {
    if bytes.isEmpty { return "is empty: it has 0 bytes" }
    for (offset, magic, description) in magics where bytes.dropFirst(offset).starts(with: magic) { return description }
    if let archive = try? ZipArchive(bytes, file: "") { return zip(archive) }
    if isPickle(bytes) {
      return
        "is a plain pickle of Python's, not a file of torch.save: load it in Python and save it with torch.save or as "
        + "safetensors"
    }
    if isONNX(bytes) {
      return "is an ONNX network, which is written here but not read: give the weights as PyTorch, safetensors or .npz"
    }
    return text(bytes)
  }

  private static let unpack = "unpack it, and give the file inside"
  private static let magics: [(offset: Int, bytes: [UInt8], description: String)] = [
    (0, [0x1f, 0x8b], "is gzipped: \(unpack) (gunzip)"),
    (0, Array("BZh".utf8), "is packed by bzip2: \(unpack) (bunzip2)"),
    (0, [0xfd] + Array("7zXZ".utf8) + [0], "is packed by xz: \(unpack) (unxz)"),
    (0, [0x28, 0xb5, 0x2f, 0xfd], "is packed by zstd: \(unpack) (unzstd)"),
    (0, Array("7z".utf8) + [0xbc, 0xaf, 0x27, 0x1c], "is a 7z archive: \(unpack)"),
    (0, Array("Rar!".utf8), "is a RAR archive: \(unpack)"),
    (
      257, Array("ustar".utf8),
      "is a tar archive: \(unpack); where torch.save of a PyTorch before 0.1.12 wrote it, load and save it in PyTorch"
    ),
    (0, [0x89, 0x50, 0x4e, 0x47], "is a PNG image, not weights"),
    (0, [0xff, 0xd8, 0xff], "is a JPEG image, not weights"),
    (0, [0x93] + Array("NUMPY".utf8), "is one array of NumPy without a name: save the arrays by name with numpy.savez"),
    (0, [0x89] + Array("HDF\r\n".utf8), "is an HDF5 file, such as Keras writes"),
    (0, Array("GGUF".utf8), "is a GGUF file, which is not read"),
    (4, Array("TFL3".utf8), "is a TensorFlow Lite network, which is not read"),
    (0, Array("MATLAB 5.0".utf8), "is a MATLAB file, which is not read: save the arrays with numpy.savez"),
    (0, Array("PAR1".utf8), "is a Parquet table, not weights"),
    (0, Array("%PDF".utf8), "is a PDF document, not weights"),
    (8, Array("{\"".utf8), "is a safetensors file"),
  ]

  private static func zip(_ archive: ZipArchive) -> String {
    let names = archive.members.keys
    func has(_ ending: String) -> Bool { names.contains { $0 == ending || $0.hasSuffix("/\(ending)") } }
    if has("data.pkl") { return "is a PyTorch file (of torch.save)" }
    if has("archive_format") || has("models/model.json") || has("serialized_exported_program.json") {
      return "is a program of torch.export (.pt2), not a file of weights: save model.state_dict() with torch.save"
    }
    if has("model.weights.h5") {
      return
        "is a whole model of Keras 3 (.keras): unpack 'model.weights.h5' out of it (it is a zip archive), and give that"
    }
    if !names.isEmpty, names.allSatisfy({ $0.hasSuffix(".npy") }) { return "is an archive of NumPy's arrays (.npz)" }
    let some = names.sorted().prefix(3).map { "'\($0.escaped(80))'" }.joined(separator: ", ")
    return
      "is a zip archive of \(names.count) members\(some.isEmpty ? "" : ", such as \(some)"), none of them PyTorch's "
      + "data.pkl or NumPy's .npy: unpack it, and give the file of weights inside"
  }

  /// Whether `bytes` begin as a pickle of protocol 2 to 5 does.
  private static func isPickle(_ bytes: [UInt8]) -> Bool {
    bytes.count > 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
  }

  /// Whether `bytes` begin with the version of ONNX's format and then one of the fields that follow it: the producer, the
  /// domain, the graph or the operator sets.
  private static func isONNX(_ bytes: [UInt8]) -> Bool {
    bytes.count > 8 && bytes[0] == 0x08 && (1...20).contains(bytes[1]) && [0x12, 0x22, 0x3a, 0x42].contains(bytes[2])
  }

  private static func text(_ bytes: [UInt8]) -> String? {
    let start = bytes.prefix(4096)
    guard start.allSatisfy({ $0 >= 0x20 || (9...13).contains($0) }) else { return nil }
    let text = String(decoding: start, as: UTF8.self)
    let trimmed = text.drop { $0.isWhitespace || $0 == "\u{feff}" }
    let lowered = trimmed.lowercased()
    if trimmed.hasPrefix("version https://git-lfs.github.com/") {
      let size = text.firstMatch(of: /size ([0-9]+)/).map { " of \($0.1) bytes" } ?? ""
      return
        "is a Git LFS pointer to a file\(size), not the file itself: run 'git lfs pull' in the repository, or download "
        + "the file"
    }
    if lowered.hasPrefix("<!doctype html") || lowered.hasPrefix("<html") || lowered.contains("<head>") {
      let title = text.firstMatch(of: /<title>([^<]*)/.ignoresCase()).map { " ('\(String($0.1).escaped(80))')" } ?? ""
      return "is an HTML page\(title), not weights: the download gave a web page, download the file itself"
    }
    if lowered.hasPrefix("<") { return "is XML or HTML text, not weights" }
    if lowered.contains("\"weight_map\"") {
      return "is the index of weights in several safetensors files: give those, or merge them into one"
    }
    if lowered.hasPrefix("{") || lowered.hasPrefix("[") { return "is JSON text, not weights" }
    return "is text, not weights: it begins with '\(String(trimmed.prefix(60)).escaped(60))'"
  }
}

extension String {
  /// This text on one line, without control characters and of at most `limit` characters, for a message.
  package func escaped(_ limit: Int = 200) -> String {
    var result = ""
    for (index, scalar) in unicodeScalars.enumerated() {
      guard index < limit else { return result + "…" }
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      // Control characters, and those that turn or hide text.
      case _
      where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        || scalar.properties.generalCategory == .lineSeparator
        || scalar.properties.generalCategory == .paragraphSeparator:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
