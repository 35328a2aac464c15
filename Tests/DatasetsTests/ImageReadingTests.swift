import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Sizes, what cannot be read, and memory.
@Suite struct ImageReadingTests {
  private func picture(_ level: UInt8, _ height: Int, _ width: Int) -> [UInt8] {
    DecodedImage(pixels: [UInt8](repeating: level, count: height * width), shape: [height, width, 1]).png()
  }

  /// Five images of each of two classes.
  private func write(_ folder: URL, _ sizes: [(Int, Int)]) throws {
    for index in 0..<5 {
      for name in ["a", "b"] {
        let size = sizes[index % sizes.count]
        try folder.write("\(name)/\(index).png", picture(name == "a" ? 20 : 200, size.0, size.1))
      }
    }
  }

  @Test func imagesOfSeveralSizesGetTheNetworksSize() throws {
    try withFolder { folder in
      try write(folder, [(40, 30), (20, 50)])
      let data = try ImageFolder.load(folder)
      #expect(data.imageShape == [32, 32, 1])
      #expect(data.preparation == ImagePreparation(size: ImageSize(32)))
      #expect(data.training.pixels.allSatisfy { $0 == 20 || $0 == 200 })
      var options = ImageOptions()
      options.usualSize = ImageSize(224)
      #expect(try ImageFolder.load(folder, options).imageShape == [224, 224, 1])
      options.size = ImageSize(height: 10, width: 12)
      options.fit = .pad
      let padded = try ImageFolder.load(folder, options)
      #expect(padded.imageShape == [10, 12, 1] && padded.training.pixels.contains(0))
      #expect(padded.preparation == ImagePreparation(size: ImageSize(height: 10, width: 12), fit: .pad))
      #expect(padded.training.subset([0]).preparation == padded.preparation)
      #expect(data.survey?.sizes == [[40, 30]: 6, [20, 50]: 4] && data.survey?.formats == [.png: 10])
    }
  }

  @Test func smallImagesOfOneSizeKeepIt() throws {
    for (size, wanted) in [
      ((12, 20), [12, 20, 1]), ((64, 64), [64, 64, 1]), ((65, 65), [32, 32, 1]), ((4, 6), [32, 32, 1]),
    ] {
      try withFolder { folder in
        try write(folder, [size])
        var options = ImageOptions()
        options.usualSize = ImageSize(32)
        #expect(try ImageFolder.load(folder, options).imageShape == Shape(wanted), "\(size)")
      }
    }
  }

  @Test func setsWithoutFilesAreScaledWhereASizeIsWanted() throws {
    #expect(try DataSource.digits.load().preparation == nil)
    let data = try DataSource.digits.load(ImageOptions(size: ImageSize(16), fit: .stretch))
    #expect(data.imageShape == [16, 16, 1] && data.training.count == 1297 && data.test.count == 500)
    #expect(data.preparation == ImagePreparation(size: ImageSize(16), fit: .stretch))
  }

  @Test func whatCannotBeReadIsCountedByKindAndAnErrorUnlessSkipped() throws {
    try withFolder { folder in
      try write(folder, [(8, 8)])
      var heic: [UInt8] = [0, 0, 0, 24] + Array("ftypheic".utf8) + [0, 0, 0, 0]
      heic += [UInt8](repeating: 0, count: 40)
      try folder.write("a/x.heic", heic)
      let one = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(one?.file?.hasSuffix("a/x.heic") == true && one?.problem.contains("heif-convert") == true)
      #expect(one?.problem.contains("--skip-unreadable") == true)
      try folder.write("b/y.jpg", heic)
      try folder.write("b/z.gif", Array("GIF89a".utf8) + [0, 0])
      try folder.write("b/t.tiff", [0x49, 0x49, 0x2a, 0])
      try folder.write("b/empty.png", [])
      try folder.write("b/page.jpeg", Array("<html>".utf8))
      try folder.write("b/pointer.jpg", Array("version https://git-lfs.github.com/spec/v1\noid sha256:aa\n".utf8))
      try folder.write("b/cut.png", Array(picture(7, 40, 40).dropLast(30)))
      let many = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      for says in [
        "7 files cannot be read", "2 of kind 'HEIC image'", "1 of kind 'GIF image'", "1 of kind 'TIFF image'",
        "1 of kind 'empty file'", "1 of kind 'file that is no image'", "1 of kind 'Git LFS pointer'",
      ] { #expect(many?.problem.contains(says) == true, "\(says): \(many?.problem ?? "")") }
      var options = ImageOptions(size: ImageSize(8))
      options.skipsUnreadable = true
      let data = try ImageFolder.load(folder, options)
      #expect(data.training.count + data.test.count == 10 && data.survey?.unreadableCount == 8)
      #expect(data.notices.contains { $0.contains("left out: 8 files cannot be read") && $0.contains("damaged PNG") })
      #expect((data.training.pixels + data.test.pixels).allSatisfy { $0 == 20 || $0 == 200 })
      for part in [data.training, data.test] {
        for index in 0..<part.count { #expect((part.image(at: index)[0] == 20) == (part.labels[index] == 0)) }
      }
      // A damaged one alone is found with its pixels.
      for name in ["a/x.heic", "b/y.jpg", "b/z.gif", "b/t.tiff", "b/empty.png", "b/page.jpeg", "b/pointer.jpg"] {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
      let damaged = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(damaged?.file?.hasSuffix("b/cut.png") == true && damaged?.problem.hasPrefix("a damaged PNG") == true)
      for index in 0..<5 { try FileManager.default.removeItem(at: folder.appendingPathComponent("b/\(index).png")) }
      let empty = #expect(throws: DataError.self) { try ImageFolder.load(folder, options) }
      #expect(empty?.problem.hasPrefix("no images for the class") == true, "\(empty?.problem ?? "")")
    }
  }

  @Test func contentDecidesAndNotTheName() throws {
    try withFolder { folder in
      try write(folder, [(8, 8)])
      let png = picture(20, 8, 8)
      for name in ["a/x.jpg", "a/y.webp", "a/z", "a/w.dat"] { try folder.write(name, png) }
      let pgm: [UInt8] = Array("P5 8 8 255\n".utf8) + [UInt8](repeating: 20, count: 64)
      try folder.write("a/v.png", pgm)
      try folder.write("a/notes.txt", Array("BMW and others".utf8))
      let data = try ImageFolder.load(folder)
      #expect(data.training.count + data.test.count == 15)
      #expect(data.survey?.formats == [.png: 14, .netpbm: 1])
      #expect(data.notices == ["left out: 1 of kind '.txt file' (a/notes.txt)"])
    }
  }

  @Test func theSameImagesComeWhateverTheNumberOfThreads() throws {
    try withFolder { folder in
      for index in 0..<40 {
        try folder.write("\(index % 2)/\(index).png", picture(UInt8(index), 8 + index, 9 + index % 7))
      }
      let one = try Parallel.withThreads(1) { try ImageFolder.load(folder).fingerprint }
      #expect(try Parallel.withThreads(7) { try ImageFolder.load(folder).fingerprint } == one)
    }
  }

  @Test func controlGroupsLimitTheMemory() throws {
    #expect(MachineMemory.limit > 1 << 20)
    try withFolder { root in
      try root.write("memory.max", Array("max\n".utf8))
      try root.write("a/memory.max", Array("5000000\n".utf8))
      try root.write("a/b/memory.max", Array("7000000\n".utf8))
      try root.write("memory/c/memory.limit_in_bytes", Array("3000\n".utf8))
      #expect(MachineMemory.limits(groups: "0::/a/b\n", in: root.path) == [5_000_000, 7_000_000])
      #expect(MachineMemory.limits(groups: "4:memory:/c\n3:cpu:/a\n", in: root.path) == [3000])
      #expect(MachineMemory.limits(groups: "nonsense", in: root.path).isEmpty)
    }
  }

  @Test func aContactSheetHasARowForEachClass() throws {
    let sheet = DatasetSplit.digits.training.contactSheet(columns: 3, rows: 4, side: 16)
    #expect(sheet.classes == [0, 2, 5, 7])
    #expect(sheet.picture.shape == [4 * 20 + 4, 3 * 20 + 4, 1])
    let first = DatasetSplit.digits.training.indices(ofClass: 0)[0]
    #expect(sheet.picture.pixels[4 * 64 + 4] == DatasetSplit.digits.training.image(at: first)[0])
  }

  @Test func filesToClassifyAreFoundAndPrepared() throws {
    try withFolder { folder in
      try folder.write("in/b.png", picture(5, 20, 10))
      try folder.write("in/deep/a.PNG", picture(6, 8, 8))
      try folder.write("in/.hidden.png", picture(6, 8, 8))
      try folder.write("in/notes.txt", [1])
      try folder.write("single.png", picture(7, 8, 8))
      var files = try ImageFiles([folder.path + "/single.png", folder.path + "/in"])
      #expect(files.names == ["single.png", "in/b.png", "in/deep/a.PNG"].map { "\(folder.path)/\($0)" })
      #expect(files.notices.count == 1 && files.notices[0].contains("1 of kind '.txt file' (notes.txt)"))
      let images = files.images(0..<3, ImagePreparation(size: ImageSize(4)), channels: 3)
      #expect(images.map { $0?.pixels } == [7, 5, 6].map { [UInt8](repeating: $0, count: 48) })
      #expect(throws: DataError.self) { try ImageFiles(["\(folder.path)/in/notes.txt"]) }
      #expect(throws: DataError.self) { try ImageFiles(["\(folder.path)/none.png"]) }
      try folder.write("in/cut.png", Array(picture(7, 40, 40).dropLast(30)))
      var cut = try ImageFiles(["\(folder.path)/in/cut.png"])
      #expect(cut.images(0..<1, ImagePreparation(size: ImageSize(4)), channels: 1) == [nil])
      #expect(cut.survey.unreadableLine?.contains("damaged PNG") == true)
    }
  }
}
