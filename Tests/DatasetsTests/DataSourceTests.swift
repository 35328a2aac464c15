import Foundation
import Testing

@testable import Datasets

@Suite struct DataSourceTests {
  @Test(arguments: ["digits", "synthetic", "cifar10:/a/b", "cifar100:/x", "mnist:/y:z", "folder:/data"])
  func whatIsWrittenIsRead(text: String) throws {
    #expect(try DataSource(text).description == text)
  }

  @Test func theHomeFolderMayBeShort() throws {
    guard case .cifar10(let folder) = try DataSource("cifar10:~/data") else { return #expect(Bool(false)) }
    #expect(!folder.path.contains("~") && folder.path.hasSuffix("/data"))
  }

  @Test(arguments: ["", "digit", "digits:/x", "cifar10", "cifar10:", ":", "CIFAR10:/x"])
  func anythingElseIsRefusedWithWhatThereIs(text: String) {
    let error = #expect(throws: DataError.self) { try DataSource(text) }
    #expect(error?.description.contains("cifar10:DIR") == true)
  }

  @Test(arguments: ["cifar10", "cifar100", "mnist", "folder", "folder:"]) func aSetWithoutItsFolderSaysSo(text: String)
  {
    let error = #expect(throws: DataError.self) { try DataSource(text) }
    #expect(
      error?.problem.contains("needs the folder of its files") == true
        && error?.problem.contains(DataSource.forms) == true)
  }

  @Test func whatIsBuiltInLoads() throws {
    #expect(try DataSource.digits.load().training.count == 1297)
    #expect(try DataSource.synthetic.load().training.subclasses != nil)
    #expect(throws: DataError.self) { try DataSource("mnist:/nowhere").load() }
  }

  @Test func syntheticImagesLieWithTheirSubclass() throws {
    func data(_ seed: UInt64) throws -> DatasetSplit {
      try .synthetic(classes: 3, patterns: 2, training: 48, test: 12, seed: seed)
    }
    let split = try data(4)
    #expect(split.training.count == 48 && split.test.count == 12 && split.imageShape == [16, 16, 3])
    #expect(try split.fingerprint == data(4).fingerprint && split.fingerprint != data(5).fingerprint)
    // The nearest other image is of the same class and sub-class.
    let (images, subclasses) = (split.training, split.training.subclasses!)
    for index in 0..<images.count {
      let own = images.image(at: index)
      func distance(_ other: Int) -> Int {
        zip(own, images.image(at: other)).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
      }
      let nearest = (0..<images.count).filter { $0 != index }.map { (distance($0), $0) }.min { $0.0 < $1.0 }!.1
      #expect(images.labels[nearest] == images.labels[index] && subclasses[nearest] == subclasses[index])
    }
  }
}
