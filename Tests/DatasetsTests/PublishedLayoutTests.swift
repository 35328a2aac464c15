import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Folders as sets are published and people have them: their parts, and what lies beside the images.
@Suite struct PublishedLayoutTests {
  private func picture(_ level: UInt8) -> [UInt8] {
    DecodedImage(pixels: [UInt8](repeating: level, count: 192), shape: [8, 8, 3]).png()
  }

  /// Writes two images of each of `classes` into the folder `part`, their levels from `level` on.
  private func write(_ part: String, _ classes: [String] = ["a", "b"], level: Int, in folder: URL) throws {
    for (label, name) in classes.enumerated() {
      for index in 0..<2 { try folder.write("\(part)/\(name)/\(index).png", picture(UInt8(level + 2 * label + index))) }
    }
  }
  private func levels(_ images: LabeledImages?) -> [Int]? {
    images.map { images in (0..<images.count).map { Int(images.image(at: $0)[0]) } }
  }

  // MARK: Parts

  @Test(arguments: [
    ["train", "test", "val"], ["Train", "TEST", "Val"], ["training", "testing", "valid"],
    ["TRAIN", "Test", "Validation"],
  ]) func validationImagesBesideLabelledTestImagesAreForValidation(parts: [String]) throws {
    try withFolder { folder in
      for (index, part) in parts.enumerated() { try write(part, level: 10 * index, in: folder) }
      let data = try ImageFolder.load(folder)
      #expect(levels(data.training) == [0, 1, 2, 3] && levels(data.test) == [10, 11, 12, 13])
      #expect(levels(data.validation) == [20, 21, 22, 23] && data.validation?.labels == [0, 0, 1, 1])
      #expect(data.notices.isEmpty && data.cautions.isEmpty && data.survey?.formats == [.png: 12])
      // Scaled as the others are.
      let scaled = try ImageFolder.load(folder, ImageOptions(size: ImageSize(5)))
      #expect(scaled.validation?.imageShape == [5, 5, 3] && scaled.validation?.preparation == scaled.preparation)
    }
  }

  @Test(arguments: [["train", "val"], ["TRAIN", "Valid"], ["Training", "VALIDATION"], ["train", "Test"]])
  func theOnlyOtherPartIsForTesting(parts: [String]) throws {
    try withFolder { folder in
      for (index, part) in parts.enumerated() { try write(part, level: 10 * index, in: folder) }
      let data = try ImageFolder.load(folder)
      #expect(levels(data.test) == [10, 11, 12, 13] && data.validation == nil && data.notices.isEmpty)
    }
  }

  @Test func partsThatAreThereTwiceAreNamed() throws {
    try withFolder { folder in
      for (index, part) in ["train", "test", "testing", "val", "validation"].enumerated() {
        try write(part, level: 10 * index, in: folder)
      }
      let data = try ImageFolder.load(folder)
      #expect(levels(data.test)?.first == 10 && levels(data.validation)?.first == 30)
      #expect(
        data.notices == [
          "testing is not used: the test images are those of test",
          "validation is not used: the validation images are those of val",
        ])
    }
    try withFolder { folder in
      for (index, part) in ["train", "val", "valid", "extra"].enumerated() {
        try write(part, level: 10 * index, in: folder)
      }
      try folder.write("test/0.png", picture(9))
      let data = try ImageFolder.load(folder)
      #expect(levels(data.test)?.first == 10 && data.validation == nil)
      #expect(
        data.notices == [
          "test is not used: it has 1 images and no folders of classes",
          "valid is not used: the test images are those of val",
          "extra is not used: the images are those of train and val",
        ])
    }
  }

  @Test func classesOfTheValidationImagesAreThoseOfTheOthers() throws {
    try withFolder { folder in
      for (index, part) in ["train", "test"].enumerated() {
        try write(part, ["a", "b", "c"], level: 10 * index, in: folder)
      }
      try write("val", ["a", "b"], level: 20, in: folder)
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(
        error?.problem.contains("the classes of the validation images are a, b, those for training a, b, c") == true)
      try folder.write("val/c/notes.txt", [1])
      let empty = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(empty?.file?.hasSuffix("val/c") == true && empty?.problem.hasPrefix("no images for the class") == true)
      try folder.write("val/c/0.heic", [0, 0, 0, 24] + Array("ftypheic".utf8))
      let unread = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(unread?.file?.hasSuffix("val/c/0.heic") == true)
    }
  }

  @Test func imagesThatValidationHasAgainAreSaid() throws {
    try withFolder { folder in
      try write("train", level: 0, in: folder)
      try write("val", level: 3, in: folder)
      try write("test", level: 6, in: folder)
      #expect(
        try ImageFolder.load(folder).cautions == [
          "1 of 4 validation images are training images as well: what is chosen by them may not hold for new images",
          "1 of 4 test images are validation images as well, by which settings are chosen",
          "4 images are in more than one class, and no classifier gets all of these right",
        ])
    }
  }

  // MARK: Beside the images

  @Test func filesOfSystemsAreLeftOutInEveryPart() throws {
    try withFolder { folder in
      for (index, part) in ["train", "val", "test"].enumerated() { try write(part, level: 10 * index, in: folder) }
      for name in [
        "__MACOSX/train/a/._0.png", ".DS_Store", "train/.DS_Store", "train/a/._0.png", "val/._a", "val/b/.hidden/0.png",
        "test/a/deep/Thumbs.db", "test/b/__MACOSX/0.png", "train/b/desktop.ini",
      ] { try folder.write(name, picture(99)) }
      try folder.write("noisy_imagenette.csv", Array("path,label\n".utf8))
      let data = try ImageFolder.load(folder)
      #expect(levels(data.training) == [0, 1, 2, 3] && levels(data.validation) == [10, 11, 12, 13])
      #expect(levels(data.test) == [20, 21, 22, 23] && data.notices.count == 1)
      for says in ["9 of kind 'hidden or system file'", "1 of kind '.csv file' (noisy_imagenette.csv)"] {
        #expect(data.notices[0].contains(says), "\(data.notices)")
      }
    }
  }

  @Test func partsClassesAndImagesMayBeLinks() throws {
    try withFolder { folder in
      for (index, part) in ["one", "two", "three"].enumerated() {
        try write("real/\(part)", level: 10 * index, in: folder)
      }
      let data = folder.appendingPathComponent("data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      func link(_ name: String, _ target: String) throws {
        try FileManager.default.createSymbolicLink(
          atPath: data.appendingPathComponent(name).path, withDestinationPath: target)
      }
      try link("train", "../real/one")
      try link("val", folder.path + "/real/two")
      try FileManager.default.createDirectory(
        at: data.appendingPathComponent("test/a"), withIntermediateDirectories: true)
      try link("test/b", "../../real/three/b")
      try link("test/a/x.png", "../../../real/three/a/1.png")
      let loaded = try ImageFolder.load(data)
      #expect(levels(loaded.training) == [0, 1, 2, 3] && levels(loaded.validation) == [10, 11, 12, 13])
      #expect(levels(loaded.test) == [21, 22, 23] && loaded.notices.isEmpty)
      // The whole set behind a link too.
      try FileManager.default.createSymbolicLink(
        atPath: folder.appendingPathComponent("link").path, withDestinationPath: "data")
      #expect(try ImageFolder.load(folder.appendingPathComponent("link")).fingerprint == loaded.fingerprint)
    }
  }

  @Test(arguments: [
    ("GIF87a", "GIF", "convert 'IMAGE[0]' IMAGE.png"), ("GIF89a", "GIF", "convert 'IMAGE[0]' IMAGE.png"),
    ("II*\u{0}", "TIFF", "convert 'IMAGE[0]' IMAGE.png"), ("MM\u{0}*", "TIFF", "convert 'IMAGE[0]' IMAGE.png"),
    ("II+\u{0}", "TIFF", "convert 'IMAGE[0]' IMAGE.png"), ("MM\u{0}+", "TIFF", "convert 'IMAGE[0]' IMAGE.png"),
    ("\u{0}\u{0}\u{0}\u{18}ftypheic", "HEIC", "heif-convert IMAGE IMAGE.jpg"),
    ("\u{0}\u{0}\u{0}\u{18}ftypheix", "HEIC", "heif-convert IMAGE IMAGE.jpg"),
    ("\u{0}\u{0}\u{0}\u{18}ftypmif1", "HEIC", "heif-convert IMAGE IMAGE.jpg"),
    ("\u{0}\u{0}\u{0}\u{1c}ftypavif", "AVIF", "heif-convert IMAGE IMAGE.jpg"),
  ]) func formatsThatAreNotReadAreNamedWithACommand(bytes: String, format: String, command: String) throws {
    try withFolder { folder in
      try write("", level: 0, in: folder)
      // Whatever its name is.
      for name in ["a/x.jpg", "a/y.\(format.lowercased())", "b/z"] {
        try folder.write(name, Array(bytes.utf8) + [UInt8](repeating: 0, count: 40))
        let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
        #expect(error?.file?.hasSuffix(name) == true, "\(error?.description ?? "")")
        #expect(error?.problem.contains("\(format) image, which is not read: convert it: \(command)") == true)
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
    }
  }

  // MARK: MNIST, EMNIST and CIFAR as torchvision and Kaggle have them

  private func idx(_ labels: [UInt8]) -> (images: [UInt8], labels: [UInt8]) {
    let count = UInt8(labels.count)
    return (
      [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2] + labels.flatMap { [$0, 0, 0, 0] },
      [0, 0, 8, 1, 0, 0, 0, count] + labels
    )
  }

  @Test(arguments: ["MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", ""], ["-", "."])
  func theFamilyOfMNISTIsReadFromItsRoot(place: String, separator: String) throws {
    try withFolder { folder in
      let prefix = place.isEmpty ? "" : place + "/"
      for (part, labels) in [("train", [3, 0, 9]), ("t10k", [7])] as [(String, [UInt8])] {
        let files = idx(labels)
        // Packed beside unpacked, as torchvision leaves them; Kaggle's tables lie beside too.
        for (name, bytes) in [("images\(separator)idx3", files.images), ("labels\(separator)idx1", files.labels)] {
          try folder.write("\(prefix)\(part)-\(name)-ubyte", bytes)
          try folder.write("\(prefix)\(part)-\(name)-ubyte.gz", bytes.gzipped)
        }
      }
      try folder.write("\(prefix)fashion-mnist_train.csv", Array("label,pixel1\n".utf8))
      let data = try DataSource("mnist:\(folder.path)").load()
      #expect(data.training.labels == [3, 0, 9] && data.test.labels == [7] && levels(data.test) == [7])
    }
  }

  @Test(arguments: ["EMNIST/raw", "emnist_source_files", "gzip", ""], [false, true])
  func aSetOfEMNISTIsFoundByItsName(place: String, isPacked: Bool) throws {
    try withFolder { folder in
      for set in ["letters", "balanced"] {
        for part in ["train", "test"] {
          let files = idx(set == "letters" ? [1, 26] : [0, 46])
          for (name, bytes) in [("images-idx3", files.images), ("labels-idx1", files.labels)] {
            let file = "\(place.isEmpty ? "" : place + "/")emnist-\(set)-\(part)-\(name)-ubyte"
            if isPacked { try folder.write(file + ".gz", bytes.gzipped) } else { try folder.write(file, bytes) }
          }
        }
      }
      try folder.write("emnist-letters-train.csv", Array("1,0\n".utf8))
      let several = #expect(throws: DataError.self) { try DataSource("mnist:\(folder.path)").load() }
      #expect(several?.problem.contains("has 2 sets of EMNIST: give one, such as mnist:") == true)
      let letters = try DataSource("mnist:\(folder.path)/emnist-letters").load()
      #expect(letters.classNames.count == 26 && letters.training.labels == [0, 25])
      #expect(try DataSource("mnist:\(folder.path)/emnist-balanced").load().classNames.count == 47)
    }
  }

  @Test func kagglesLabelsOfCIFARAreAListWithoutEndings() throws {
    try withFolder { folder in
      for index in 1...10 { try folder.write("train/\(index).png", picture(UInt8(index))) }
      let rows = (1...10).map { "\($0),\($0 % 2 == 0 ? "frog" : "truck")" }
      try folder.write("trainLabels.csv", Array(("id,label\n" + rows.joined(separator: "\n") + "\n").utf8))
      let data = try DataSource("list:\(folder.path)/trainLabels.csv,\(folder.path)/train").load()
      #expect(data.classNames == ["frog", "truck"] && data.training.count == 8 && data.test.count == 2)
      for part in [data.training, data.test] {
        #expect(zip(levels(part)!, part.labels).allSatisfy { $0 % 2 == $1 })
      }
    }
  }

  @Test func aListsValidationImagesAreForValidation() throws {
    try withFolder { folder in
      for index in 0..<8 { try folder.write("\(index).png", picture(UInt8(index))) }
      func load(_ splits: [String]) throws -> DatasetSplit {
        let rows = splits.enumerated().map { "\($0).png,\($0 % 2),\($1)" }
        try folder.write("l.csv", Array(("path,label,split\n" + rows.joined(separator: "\n")).utf8))
        return try ImageList.load(folder.appendingPathComponent("l.csv"))
      }
      let all = try load(["train", "train", "val", "validation", "test", "test", "Train", "valid"])
      #expect(levels(all.validation) == [2, 3, 7] && levels(all.test) == [4, 5] && levels(all.training) == [0, 1, 6])
      // Without test images they are those.
      let two = try load(["train", "train", "val", "val", "train", "train", "train", "val"])
      #expect(two.validation == nil && levels(two.test) == [2, 3, 7])
      // A class may be missing there, as it may among the test images.
      let one = try load(["train", "train", "val", "train", "test", "test", "train", "train"])
      #expect(one.validation?.labels == [0] && one.validation?.classNames == ["0", "1"])
    }
  }
}
