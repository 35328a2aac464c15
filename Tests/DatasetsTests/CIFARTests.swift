import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct CIFARTests {
  private let ten = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"

  /// A record whose red is 1, green is 2 and blue is 3, but for the first pixel of each plane.
  private func record(_ labels: [UInt8]) -> [UInt8] {
    labels + (1...3).flatMap { [UInt8($0 * 10)] + [UInt8](repeating: UInt8($0), count: 1023) }
  }
  private func writeTen(_ folder: URL) throws {
    for number in 1...5 {
      try folder.write("data_batch_\(number).bin", record([UInt8(number)]) + record([UInt8(number + 4)]))
    }
    try folder.write("test_batch.bin", record([0]) + record([3]))
    try folder.write("batches.meta.txt", Array(ten.utf8))
  }

  @Test(arguments: ["", "cifar-10-batches-bin"]) func theSixFilesOfCIFAR10AreRead(place: String) throws {
    try withFolder { folder in
      try writeTen(place.isEmpty ? folder : folder.appendingPathComponent(place))
      let data = try CIFAR.ten.load(folder, images: (10, 2))
      #expect(data.training.labels == [1, 5, 2, 6, 3, 7, 4, 8, 5, 9] && data.test.labels == [0, 3])
      #expect(data.training.image(at: 9).prefix(6) == [10, 20, 30, 1, 2, 3] && data.imageShape == [32, 32, 3])
      #expect(data.classNames[8] == "ship" && data.name == "CIFAR-10")
    }
  }

  @Test func bothLabelsOfCIFAR100AreRead() throws {
    try withFolder { folder in
      try folder.write("train.bin", record([4, 99]) + record([19, 0]))
      try folder.write("test.bin", record([0, 50]))
      try folder.write("fine_label_names.txt", Array((0..<100).map { "f\($0)" }.joined(separator: "\r\n").utf8))
      try folder.write("coarse_label_names.txt", Array((0..<20).map { "c\($0)" }.joined(separator: "\n").utf8))
      let fine = try CIFAR.hundred.load(folder, images: (2, 1))
      #expect(fine.training.labels == [99, 0] && fine.classNames[99] == "f99" && fine.training.subclasses == nil)
      let coarse = try CIFAR.superclasses.load(folder, images: (2, 1))
      #expect(coarse.training.labels == [4, 19] && coarse.training.subclasses == [99, 0])
      #expect(coarse.training.pixels == fine.training.pixels && coarse.classNames.count == 20)
      #expect(coarse.training.image(at: 0).prefix(6) == [10, 20, 30, 1, 2, 3])
      try folder.write("train.bin", record([4, 100]) + record([19, 0]))
      let error = #expect(throws: DataError.self) { try CIFAR.superclasses.load(folder, images: (2, 1)) }
      #expect(error?.problem == "label 100 of image 0, at byte 1, is not below 100")
    }
  }

  @Test(arguments: [
    ("data_batch_3.bin", 6145, "6145 bytes, not the 6146 of 2 images of 3073 bytes"),
    ("test_batch.bin", 0, "0 bytes, not"),
    ("test_batch.bin", 3073, "3073 bytes, not"), ("batches.meta.txt", 20, "2 names of classes, not 10"),
  ]) func aFileThatIsCutIsNamedWithItsSize(name: String, count: Int, says: String) throws {
    try withFolder { folder in
      try writeTen(folder)
      let file = folder.appendingPathComponent(name)
      try folder.write(name, Array([UInt8](Data(contentsOf: file)).prefix(count)))
      let error = #expect(throws: DataError.self) { try CIFAR.ten.load(folder, images: (10, 2)) }
      #expect(error?.file == file.path && error?.problem.contains(says) == true, "\(String(describing: error))")
    }
  }

  @Test func aLabelThatIsNoClassIsNamedWithItsPlace() throws {
    try withFolder { folder in
      try writeTen(folder)
      try folder.write("data_batch_2.bin", record([1]) + record([10]))
      let error = #expect(throws: DataError.self) { try CIFAR.ten.load(folder, images: (10, 2)) }
      #expect(error?.problem == "label 10 of image 1, at byte 3073, is not below 10")
    }
  }

  @Test func missingFilesAndPipesAreRefused() throws {
    try withFolder { folder in
      #expect(throws: DataError.self) { try CIFAR.ten.load(folder) }
      try writeTen(folder)
      // The public function wants the official counts.
      #expect(throws: DataError.self) { try CIFAR.ten.load(folder) }
      let file = folder.appendingPathComponent("test_batch.bin")
      try FileManager.default.removeItem(at: file)
      let missing = #expect(throws: DataError.self) { try CIFAR.ten.load(folder, images: (10, 2)) }
      #expect(missing?.problem.contains("there is no test_batch.bin or test_batch.bin.gz") == true)
      #expect(mkfifo(file.path, 0o600) == 0)
      #expect(throws: DataError("no regular file", in: file.path)) { try CIFAR.ten.load(folder, images: (10, 2)) }
    }
  }

  // MARK: Archives and pickles

  /// A batch as Python 2 wrote the published ones: protocol 2, strings of bytes, a NumPy array of bytes.
  private func batch(_ labels: [(key: String, labels: [UInt8])]) -> [UInt8] {
    let count = labels[0].labels.count
    let images = (0..<count).flatMap { _ in record([]) }
    func string(_ text: String) -> [UInt8] { [0x55, UInt8(text.utf8.count)] + Array(text.utf8) }
    var bytes: [UInt8] = [0x80, 2, 0x7d, 0x71, 1, 0x28] + string("batch_label") + string("testing batch 1 of 1")
    for (key, labels) in labels {
      bytes += string(key) + [0x5d, 0x71, 2, 0x28] + labels.flatMap { [0x4b, $0] } + [0x65]
    }
    bytes += string("data") + Array("cnumpy.core.multiarray\n_reconstruct\nq\u{3}cnumpy\nndarray\nq\u{4}K\u{0}".utf8)
    bytes += [0x85] + string("b") + [0x87, 0x52, 0x71, 5, 0x28, 0x4b, 1, 0x4b, UInt8(count), 0x4d, 0, 12, 0x86]
    bytes += Array("cnumpy\ndtype\nq\u{6}".utf8) + string("u1") + [0x4b, 0, 0x4b, 1, 0x87, 0x52, 0x71, 7]
    bytes += [0x28, 0x4b, 3] + string("|") + Array("NNN".utf8)
    bytes += [0x4a, 255, 255, 255, 255, 0x4a, 255, 255, 255, 255, 0x4b, 0, 0x74, 0x62, 0x89, 0x54]
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: images.count >> (8 * $0)) } + images + [0x74, 0x62]
    return bytes + string("filenames") + [0x5d] + string("x.png") + [0x61, 0x75, 0x2e]
  }
  private func names(_ lists: [(key: String, names: [String])]) -> [UInt8] {
    func string(_ text: String) -> [UInt8] { [0x55, UInt8(text.utf8.count)] + Array(text.utf8) }
    var bytes: [UInt8] = [0x80, 2, 0x7d, 0x28]
    for (key, names) in lists { bytes += string(key) + [0x5d, 0x28] + names.flatMap(string) + [0x65] }
    return bytes + [0x75, 0x2e]
  }
  private var tenInPython: [(name: String, content: [UInt8])] {
    let classes = ten.split(separator: "\n").map(String.init)
    var files = [(name: "cifar-10-batches-py/batches.meta", content: names([("label_names", classes)]))]
    // As the published archive has them, in no order.
    for number: UInt8 in [4, 1, 5, 2, 3] {
      files.append(("cifar-10-batches-py/data_batch_\(number)", batch([("labels", [number, number + 4])])))
    }
    return files + [
      ("cifar-10-batches-py/readme.html", [60]), ("cifar-10-batches-py/test_batch", batch([("labels", [0, 3])])),
    ]
  }

  @Test(arguments: ["binary", "python"]) func publishedArchivesAreReadAsTheyAre(form: String) throws {
    try withFolder { folder in
      try writeTen(folder.appendingPathComponent("plain/cifar-10-batches-bin"))
      let plain = try CIFAR.ten.load(folder.appendingPathComponent("plain"), images: (10, 2))
      var files = tenInPython
      if form == "binary" {
        files =
          try ["batches.meta.txt", "test_batch.bin"].map { ($0, try bytes($0)) }
          + [4, 1, 5, 2, 3].map { ("data_batch_\($0).bin", try bytes("data_batch_\($0).bin")) }
        func bytes(_ name: String) throws -> [UInt8] {
          [UInt8](try Data(contentsOf: folder.appendingPathComponent("plain/cifar-10-batches-bin/\(name)")))
        }
      }
      let name = "cifar-10-\(form).tar.gz"
      try folder.write("set/\(name)", tarArchive(files).gzipped)
      try folder.write("tar/cifar-10-\(form).tar", tarArchive(files))
      for place in ["set", "set/\(name)", "tar"] {
        let data = try CIFAR.ten.load(folder.appendingPathComponent(place), images: (10, 2))
        #expect(
          data.training.labels == plain.training.labels && data.training.pixels == plain.training.pixels, "\(place)")
        #expect(data.test.labels == plain.test.labels && data.test.pixels == plain.test.pixels)
        #expect(data.classNames == plain.classNames)
      }
      // The public function wants the official counts.
      let error = #expect(throws: DataError.self) { try CIFAR.ten.load(folder.appendingPathComponent("set")) }
      #expect(error?.file?.contains("\(name)/data_batch_1") == true, "\(String(describing: error))")
      let other = #expect(throws: DataError.self) {
        try CIFAR.hundred.load(folder.appendingPathComponent("set/\(name)"))
      }
      #expect(other?.problem == "holds neither train.bin nor train of CIFAR-100")
    }
  }

  @Test func picklesAreReadFromTheirFolderToo() throws {
    try withFolder { folder in
      for (name, content) in tenInPython { try folder.write(name, content) }
      #expect(try CIFAR.ten.load(folder, images: (10, 2)).training.labels == [1, 5, 2, 6, 3, 7, 4, 8, 5, 9])
      let fine = (key: "fine_labels", labels: [99, 0] as [UInt8])
      let coarse = (key: "coarse_labels", labels: [4, 19] as [UInt8])
      try folder.write("cifar-100-python/train", batch([fine, coarse]))
      try folder.write("cifar-100-python/test", batch([("fine_labels", [50]), ("coarse_labels", [0])]))
      let lists = [("fine_label_names", (0..<100).map { "f\($0)" }), ("coarse_label_names", (0..<20).map { "c\($0)" })]
      try folder.write("cifar-100-python/meta", names(lists))
      let data = try CIFAR.superclasses.load(folder, images: (2, 1))
      #expect(data.training.labels == [4, 19] && data.training.subclasses == [99, 0] && data.classNames[19] == "c19")
      #expect(try CIFAR.hundred.load(folder, images: (2, 1)).training.labels == [99, 0])
    }
  }

  @Test func aPickleThatIsNoBatchIsRefusedByName() throws {
    try withFolder { folder in
      for (name, content) in tenInPython { try folder.write(name, content) }
      for (content, says) in [
        (Array("cos\nsystem\n(S'id'\ntR.".utf8), "'os.system'"), (batch([("labels", [1, 10])]), "label 10 of image 1"),
        (batch([("labels", [1])]), "shape [1, 3072], not [2, 3072]"), (batch([("other", [1, 2])]), "has no 'labels'"),
        (Array("I1\n.".utf8), "instruction"), ([0x5d, 0x2e], "does not hold a dictionary"),
      ] {
        try folder.write("cifar-10-batches-py/data_batch_2", content)
        let error = #expect(throws: DataError.self) { try CIFAR.ten.load(folder, images: (10, 2)) }
        #expect(error?.problem.contains(says) == true, "\(String(describing: error))")
        #expect(error?.file?.hasSuffix("data_batch_2") == true)
      }
    }
  }
}
