import Foundation
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
}
