import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct ImageFolderTests {
  private func picture(_ level: UInt8, _ shape: Shape = [4, 6, 1]) -> [UInt8] {
    DecodedImage(pixels: [UInt8](repeating: level, count: shape.count), shape: shape).png()
  }

  @Test func eachFolderIsAClass() throws {
    try withFolder { folder in
      for index in 0..<10 {
        try folder.write("dog/\(index).png", picture(UInt8(index)))
        try folder.write("cat/\(index).PNG", picture(UInt8(100 + index)))
      }
      try folder.write("cat/notes.txt", [1])
      try folder.write(".hidden/x.png", [1])
      let data = try ImageFolder.load(folder)
      #expect(data.classNames == ["cat", "dog"] && data.imageShape == [4, 6, 1])
      #expect(data.training.count == 16 && data.test.labels == [0, 0, 1, 1])
      for part in [data.training, data.test] {
        for index in 0..<part.count { #expect((part.image(at: index)[0] >= 100) == (part.labels[index] == 0)) }
      }
      #expect(try ImageFolder.load(folder, seed: 0).fingerprint == data.fingerprint)
      #expect(try ImageFolder.load(folder, seed: 1).fingerprint != data.fingerprint)
    }
  }

  @Test func foldersForTrainingAndTestingStayApart() throws {
    try withFolder { folder in
      for name in ["train/a/1.png", "train/b/1.png", "train/b/2.png", "val/a/1.png", "val/b/1.png"] {
        try folder.write(name, picture(9))
      }
      try folder.write("train/a/2.png", picture(30, [4, 6, 3]))
      let data = try ImageFolder.load(folder)
      #expect(data.training.labels == [0, 0, 1, 1] && data.test.labels == [0, 1])
      // One image with colour makes all have it, those for testing too.
      #expect(data.imageShape == [4, 6, 3] && data.test.imageShape == [4, 6, 3])
      try folder.write("val/c/1.png", picture(9))
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.problem.contains("the classes of the test images are a, b, c, those for training a, b") == true)
    }
  }

  @Test func nothingIsLeftOutWithoutALine() throws {
    try withFolder { folder in
      for index in 0..<5 {
        for name in ["a", "b"] { try folder.write("\(name)/\(index).png", picture(9)) }
      }
      #expect(try ImageFolder.load(folder).notices.isEmpty)
      try folder.write("a/w.jfif", picture(9))
      for name in ["a/inner/y.png", "a/._0.png", "b/.DS_Store", "b/Thumbs.db", "top.png", "__MACOSX/a/._0.png"] {
        try folder.write(name, picture(9))
      }
      for name in ["a/w0.mp4", "a/w1.MP4", "b/notes", "words.txt"] { try folder.write(name, [1, 2, 3]) }
      let data = try ImageFolder.load(folder)
      #expect(data.training.count + data.test.count == 12 && data.classNames == ["a", "b"] && data.notices.count == 1)
      for part in [
        "4 of kind 'hidden or system file' (__MACOSX)", "2 of kind '.mp4 file' (a/w0.mp4)",
        "1 of kind 'image outside the classes' (top.png)", "1 of kind '.txt file' (words.txt)",
        "1 of kind 'file without an ending' (b/notes)",
      ] { #expect(data.notices[0].contains(part), "\(part): \(data.notices)") }
    }
  }

  @Test func aClassMayBeALink() throws {
    try withFolder { folder in
      for name in ["data/a", "data/b", "real/c"] {
        for index in 0..<5 { try folder.write("\(name)/\(index).png", picture(9)) }
      }
      let data = folder.appendingPathComponent("data")
      func link(_ name: String, _ target: String) throws {
        try FileManager.default.createSymbolicLink(
          atPath: data.appendingPathComponent(name).path, withDestinationPath: target)
      }
      try link("c", "../real/c")
      #expect(try ImageFolder.load(data).classNames == ["a", "b", "c"])
      #expect(try ImageFolder.load(data).notices.isEmpty)
      // What leads back or nowhere is said, and so is a link that a version control wrote as text.
      try link("back", "..")
      try link("gone", "../none")
      try data.write("d", Array("../real/c".utf8))
      let loaded = try ImageFolder.load(data)
      #expect(loaded.classNames == ["a", "b", "c"])
      for kind in ["link that leads back", "link that leads nowhere", "link stored as text"] {
        #expect(loaded.notices.first?.contains("1 of kind '\(kind)'") == true, "\(loaded.notices)")
      }
    }
  }

  @Test(arguments: ["val", "valid", "validation", "Test"]) func testImagesHaveSeveralNames(name: String) throws {
    try withFolder { folder in
      for part in ["train", name] {
        for label in ["a", "b"] { try folder.write("\(part)/\(label)/0.png", picture(9)) }
      }
      #expect(try ImageFolder.load(folder).test.count == 2 && ImageFolder.load(folder).notices.isEmpty)
      // Images without labels are not for testing.
      guard name != "Test" else { return }
      for index in 0..<3 { try folder.write("test/\(index).png", picture(9)) }
      let data = try ImageFolder.load(folder)
      #expect(data.test.count == 2)
      #expect(data.notices == ["test is not used: it has 3 images and no folders of classes"])
    }
  }

  @Test func whatFiguresOnTheImagesMayNotMeanIsSaid() throws {
    try withFolder { folder in
      // One image is for training and testing, another in both classes.
      for index in 0..<5 {
        try folder.write("train/a/\(index).png", picture(UInt8(index)))
        try folder.write("train/b/\(index).png", picture(UInt8(10 + index)))
      }
      try folder.write("test/a/0.png", picture(30))
      try folder.write("test/a/1.png", picture(2))
      try folder.write("test/b/0.png", picture(31))
      #expect(
        try ImageFolder.load(folder).cautions == [
          "1 of 3 test images are training images as well: figures on them say little of new images"
        ])
      try folder.write("train/b/0.png", picture(4))
      #expect(
        try ImageFolder.load(folder).cautions.last
          == "2 images are in more than one class, and no classifier gets all of these right")
      // Whoever means to test on a folder tests on a fifth of it.
      let part = try ImageFolder.load(folder.appendingPathComponent("train"))
      #expect(
        part.cautions.first
          == "there are no images for testing, so 2 of 10 images, drawn from each class, are for testing")
    }
  }

  @Test func aLayoutThatIsNotReadIsNamed() throws {
    try withFolder { folder in
      for label in ["n01", "n02"] {
        try folder.write("train/\(label)/boxes/0.xml", [1])
        try folder.write("train/\(label)/boxes.txt", [1])
        try folder.write("val/\(label)/0.png", picture(9))
      }
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.file?.hasSuffix("train/n01") == true)
      #expect(error?.problem == "no images for the class; it has the folder 'boxes', and the file 'boxes.txt'")
    }
    try withFolder { folder in
      for name in ["train/a/0.png", "train/b/0.png", "test/0.png"] { try folder.write(name, picture(9)) }
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.problem.contains("test is not used: it has 1 images and no folders of classes") == true)
    }
    try withFolder { folder in
      for name in ["inner/a/0.png", "inner/b/0.png", "0.png"] { try folder.write(name, picture(9)) }
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.problem.hasSuffix("; 1 images lie in none; 'inner' in it has 2: give that") == true)
    }
  }

  @Test func classesAreInTheOrderOfCodePoints() throws {
    try withFolder { folder in
      // As macOS writes Äpfel: A and a mark.
      for name in ["Zitrone", "A\u{308}pfel", "Birne", "a", "\u{c4}pfel 2"] {
        try folder.write("\(name)/0.png", picture(9))
      }
      #expect(try ImageFolder.load(folder).classNames == ["A\u{308}pfel", "Birne", "Zitrone", "a", "\u{c4}pfel 2"])
    }
  }

  @Test func imagesOfDifferentSizesAreStretchedToTheSizeThatIsGiven() throws {
    try withFolder { folder in
      try folder.write("a/1.png", picture(50))
      try folder.write("b/1.png", picture(60, [8, 3, 1]))
      for index in 2..<6 { try folder.write("a/\(index).png", picture(50)) }
      let data = try ImageFolder.load(folder, size: (5, 5))
      #expect(data.imageShape == [5, 5, 1] && data.training.count + data.test.count == 6)
      #expect(data.training.pixels.allSatisfy { $0 == 50 || $0 == 60 })
      #expect(throws: DataError.self) { try ImageFolder.load(folder, size: (0, 5)) }
    }
  }

  @Test func whatIsMissingOrBrokenIsNamed() throws {
    try withFolder { folder in
      #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      try folder.write("a/1.png", picture(1))
      let one = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(one?.problem.contains("1 folders inside") == true)
      try folder.write("b/readme.md", [1])
      let empty = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(empty?.problem.contains("no images for the class") == true && empty?.file?.hasSuffix("/b") == true)
      try folder.write("b/1.jpg", Array("no jpeg".utf8))
      let broken = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(broken?.file?.hasSuffix("b/1.jpg") == true)
      let missing = folder.appendingPathComponent("none")
      #expect(throws: DataError("the folder cannot be read: is there one?", in: missing.path)) {
        try ImageFolder.load(missing)
      }
    }
  }

  @Test func linksThatLeadInACircleEndWithTheirName() throws {
    try withFolder { folder in
      for index in 1...5 {
        for name in ["a", "b"] { try folder.write("\(name)/\(index).png", picture(9)) }
      }
      func link(_ name: String, _ target: String) throws {
        try FileManager.default.createSymbolicLink(
          atPath: folder.appendingPathComponent(name).path, withDestinationPath: target)
      }
      // Neither a link to itself nor one to the folder above is a class or an image.
      try link("self", "self")
      try link("a/up", "..")
      #expect(try ImageFolder.load(folder).classNames == ["a", "b"])
      try link("b/6.png", "6.png")
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.file?.hasSuffix("b/6.png") == true, "\(String(describing: error))")
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything")) func aFolderWithoutPermissionIsNamed() throws {
    try withFolder { folder in
      for name in ["a/1.png", "b/1.png"] { try folder.write(name, picture(9)) }
      let locked = folder.appendingPathComponent("b")
      #expect(chmod(locked.path, 0) == 0)
      defer { chmod(locked.path, 0o700) }
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.file == locked.path)
    }
  }
}
