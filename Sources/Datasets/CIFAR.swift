import CImages
import FileFormats
import Foundation

/// The CIFAR sets as they are published: 32×32 in colour, 50,000 images to train on and 10,000 to test.
///
/// Krizhevsky: "Learning multiple layers of features from tiny images", 2009.
public enum CIFAR: Sendable {
  /// Ten classes.
  case ten
  /// A hundred classes, the fine labels.
  case hundred
  /// The twenty superclasses of the hundred, which are their known sub-classes.
  case superclasses

  private var name: String {
    switch self {
    case .ten: "CIFAR-10"
    case .hundred: "CIFAR-100"
    case .superclasses: "CIFAR-100 in superclasses"
    }
  }
  /// The number of classes of each label of a record.
  private var labelRanges: [Int] { self == .ten ? [10] : [20, 100] }
  private var labelIndex: Int { self == .hundred ? 1 : 0 }
  private static let imageBytes = 3 * 32 * 32

  /// Reads the set in its binary or its Python version.
  ///
  /// - Parameter location: A published archive such as `cifar-10-binary.tar.gz`, which need not be unpacked; or a folder with
  ///   the archive, with the folder that it unpacks to, or with that folder's files.
  /// - Throws: Where a file is missing, of the wrong size, or has a label out of range.
  public func load(_ location: URL) throws(DataError) -> DatasetSplit { try load(location, images: (50_000, 10_000)) }

  /// Reads a set of so many images.
  package func load(_ location: URL, images: (training: Int, test: Int)) throws(DataError) -> DatasetSplit {
    let source = try Source(location, of: self, images: images.training + images.test)
    let names = try classNames(source)
    let training = try part(trainingNames(source.form), source, names, count: images.training)
    let test = try part([testName(source.form)], source, names, count: images.test)
    return try DatasetSplit(training: training, test: test)
  }

  // MARK: Where the files are

  /// Records of bytes, or Python's pickles.
  fileprivate enum Form: CaseIterable {
    case binary, python
  }
  fileprivate func folder(_ form: Form) -> String {
    switch form {
    case .binary: self == .ten ? "cifar-10-batches-bin" : "cifar-100-binary"
    case .python: self == .ten ? "cifar-10-batches-py" : "cifar-100-python"
    }
  }
  fileprivate func archive(_ form: Form) -> String {
    "cifar-\(self == .ten ? 10 : 100)-\(form == .binary ? "binary" : "python").tar"
  }
  fileprivate func trainingNames(_ form: Form) -> [String] {
    let names = self == .ten ? (1...5).map { "data_batch_\($0)" } : ["train"]
    return form == .binary ? names.map { $0 + ".bin" } : names
  }
  fileprivate func testName(_ form: Form) -> String {
    (self == .ten ? "test_batch" : "test") + (form == .binary ? ".bin" : "")
  }
  fileprivate func namesName(_ form: Form) -> String {
    switch (form, self) {
    case (.python, .ten): "batches.meta"
    case (.python, _): "meta"
    case (.binary, .ten): "batches.meta.txt"
    case (.binary, .hundred): "fine_label_names.txt"
    case (.binary, .superclasses): "coarse_label_names.txt"
    }
  }

  /// The set's files, in a folder or unpacked from an archive.
  private struct Source {
    let location: URL
    let form: Form
    private let unpacked: [String: [UInt8]]?

    init(_ location: URL, of set: CIFAR, images: Int) throws(DataError) {
      func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder), !isFolder.boolValue {
        self = try Source(archive: location, of: set, images: images)
        return
      }
      for form in Form.allCases {
        let inner = location.appendingPathComponent(set.folder(form))
        for folder in [inner, location] {
          let file = folder.appendingPathComponent(set.trainingNames(form)[0])
          guard folder == inner ? exists(folder) : exists(file) || exists(file.appendingPathExtension("gz")) else {
            continue
          }
          (self.location, self.form, unpacked) = (folder, form, nil)
          return
        }
      }
      for form in Form.allCases {
        for ending in ["", ".gz"] {
          let archive = location.appendingPathComponent(set.archive(form) + ending)
          guard exists(archive) else { continue }
          self = try Source(archive: archive, of: set, images: images)
          return
        }
      }
      throw DataError(
        "\(set.name) not found: there is no \(set.trainingNames(.binary)[0]), no \(set.folder(.binary)) and no "
          + "\(set.archive(.binary)).gz, nor the Python version of them", in: location.path)
    }

    private init(archive: URL, of set: CIFAR, images: Int) throws(DataError) {
      // A pickle spends a few bytes more on each label, and holds the names of the images' files.
      let maximum = images * (CIFAR.imageBytes + 256) + 1 << 16
      let wanted = Set(Form.allCases.flatMap { set.trainingNames($0) + [set.testName($0), set.namesName($0)] })
      let contents = try TarArchive.contents(of: archive) { wanted.contains($0) ? maximum : nil }
      guard let form = Form.allCases.first(where: { contents[set.trainingNames($0)[0]] != nil }) else {
        throw DataError(
          "holds neither \(set.trainingNames(.binary)[0]) nor \(set.trainingNames(.python)[0]) of \(set.name)",
          in: archive.path)
      }
      (location, self.form, unpacked) = (archive, form, contents)
    }

    /// The bytes of the file `name`, and where it is, for errors.
    func bytes(_ name: String, limit: Int, for what: String) throws(DataError) -> (bytes: [UInt8], place: String) {
      guard let unpacked else {
        let url = try find([name, name + ".gz"], in: location, for: what)
        return (try readUnpacked(url, limit: limit), url.path)
      }
      guard let bytes = unpacked[name] else {
        throw DataError("\(what) not found: there is no \(name) in the archive", in: location.path)
      }
      guard bytes.count <= limit else {
        throw DataError("more than the \(limit) bytes that were expected", in: location.path + "/" + name)
      }
      return (bytes, location.path + "/" + name)
    }
  }

  // MARK: What is in them

  private func classNames(_ source: Source) throws(DataError) -> [String] {
    let count = labelRanges[labelIndex]
    let (bytes, place) = try source.bytes(namesName(source.form), limit: 1 << 16, for: "the classes' names")
    let names: [String]
    switch source.form {
    case .binary:
      names = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    case .python:
      let key = self == .ten ? "label_names" : self == .hundred ? "fine_label_names" : "coarse_label_names"
      names = try PickledDictionary(bytes, place).list(key, \.string)
    }
    guard names.count == count else { throw DataError("\(names.count) names of classes, not \(count)", in: place) }
    return names
  }

  /// Images as the files have them: each colour's plane by itself.
  private struct Records {
    /// For each of ``labelRanges`` the labels.
    var labels: [[Int]]
    var bytes: [UInt8]
    /// The byte at which the first image begins, and the distance to the next.
    var (start, stride): (Int, Int)
  }

  private func part(
    _ files: [String], _ source: Source, _ names: [String], count: Int
  ) throws(DataError) -> LabeledImages {
    var labels: [Int] = []
    var subclasses: [Int] = []
    var pixels = [UInt8](repeating: 0, count: count * Self.imageBytes)
    for file in files {
      let records = try self.records(file, source, count: count / files.count)
      records.bytes.withUnsafeBufferPointer { bytes in
        pixels.withUnsafeMutableBufferPointer { pixels in
          for i in 0..<count / files.count {
            ci_interleave(
              bytes.baseAddress! + records.start + i * records.stride, 32 * 32, 3,
              pixels.baseAddress! + (labels.count + i) * Self.imageBytes)
          }
        }
      }
      labels += records.labels[labelIndex]
      if self == .superclasses { subclasses += records.labels[1] }
    }
    return try LabeledImages(
      name: name, pixels: pixels, labels: labels, imageShape: [32, 32, 3], classNames: names,
      subclasses: self == .superclasses ? subclasses : nil)
  }

  private func records(_ file: String, _ source: Source, count: Int) throws(DataError) -> Records {
    switch source.form {
    case .binary:
      let labelBytes = labelRanges.count
      let record = labelBytes + Self.imageBytes
      let (bytes, place) = try source.bytes(file, limit: count * record, for: "CIFAR's images")
      guard bytes.count == count * record else {
        throw DataError(
          "\(bytes.count) bytes, not the \(count * record) of \(count) images of \(record) bytes", in: place)
      }
      let labels = labelRanges.indices.map { label in (0..<count).map { Int(bytes[$0 * record + label]) } }
      try check(labels, in: place) { "image \($0), at byte \($0 * record + $1)," }
      return Records(labels: labels, bytes: bytes, start: labelBytes, stride: record)
    case .python:
      let limit = count * (Self.imageBytes + 256) + 1 << 16
      let (bytes, place) = try source.bytes(file, limit: limit, for: "CIFAR's images")
      let pickled = try PickledDictionary(bytes, place)
      let images = try pickled.array("data")
      guard images.shape == [count, Self.imageBytes] else {
        throw DataError("its images have the shape \(images.shape), not [\(count), \(Self.imageBytes)]", in: place)
      }
      var labels: [[Int]] = []
      for key in self == .ten ? ["labels"] : ["coarse_labels", "fine_labels"] {
        labels.append(try pickled.list(key, \.integer))
        guard labels.last!.count == count else {
          throw DataError("\(labels.last!.count) '\(key)', not \(count)", in: place)
        }
      }
      try check(labels, in: place) { image, _ in "image \(image)" }
      return Records(labels: labels, bytes: images.elements, start: 0, stride: Self.imageBytes)
    }
  }

  private func check(
    _ labels: [[Int]], in file: String, place: (_ image: Int, _ label: Int) -> String
  ) throws(DataError) {
    for (index, range) in labelRanges.enumerated() {
      guard let image = labels[index].firstIndex(where: { !(0..<range).contains($0) }) else { continue }
      throw DataError("label \(labels[index][image]) of \(place(image, index)) is not below \(range)", in: file)
    }
  }
}

/// A dictionary of lists and arrays as Python stored it.
private struct PickledDictionary {
  private let pickle: Pickle
  private let pairs: [(key: PickleValue, value: PickleValue)]
  private let file: String

  init(_ bytes: [UInt8], _ file: String) throws(DataError) {
    pickle = try Unpickler.unpickle(bytes, .arrays, from: file)
    guard let pairs = pickle.dictionary(pickle.root) else { throw DataError("does not hold a dictionary", in: file) }
    (self.pairs, self.file) = (pairs, file)
  }

  private func value(_ key: String) throws(DataError) -> PickleValue {
    guard let pair = pairs.last(where: { $0.key.string == key }) else { throw DataError("has no '\(key)'", in: file) }
    return pair.value
  }

  func array(_ key: String) throws(DataError) -> PickledArray {
    guard let array = pickle.array(try value(key)) else { throw DataError("'\(key)' is no array of bytes", in: file) }
    return array
  }

  func list<Element>(_ key: String, _ element: (PickleValue) -> Element?) throws(DataError) -> [Element] {
    guard let items = pickle.items(try value(key)) else { throw DataError("'\(key)' is no list", in: file) }
    let elements = items.compactMap(element)
    guard elements.count == items.count else { throw DataError("'\(key)' holds other things than it should", in: file) }
    return elements
  }
}
