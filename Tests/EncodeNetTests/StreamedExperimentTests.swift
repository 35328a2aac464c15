import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// Experiments on images that are read each time they are wanted.
@Suite struct StreamedExperimentTests {
  /// The images of another data set, of which one may fail at one reading.
  private final class Source: ImageDataset {
    struct Lost: Error {}
    private let images: LabeledImages
    private let readings = Mutex(0)
    private let failure: Int?
    init(_ images: LabeledImages, failsAt failure: Int? = nil) { (self.images, self.failure) = (images, failure) }

    var name: String { images.name }
    var count: Int { images.count }
    var imageShape: Shape { images.imageShape }
    var classNames: [String] { images.classNames }
    func label(at index: Int) -> Int { images.label(at: index) }
    func image(at index: Int) throws -> [UInt8] {
      if index == 7 {
        let number = readings.withLock { count in
          count += 1
          return count
        }
        if number == failure { throw Lost() }
      }
      return images.image(at: index)
    }
  }

  private func report(_ data: DatasetSplit, in folder: URL) throws -> ExperimentReport {
    try Experiment(smallConfiguration()).run(on: data, in: folder, model: { Tiny(&$0) })
  }

  @Test func figuresAreThoseOfImagesInMemory() throws {
    try withFolder { folder in
      let data = try plantedData()
      let streamed = try DatasetSplit(training: Source(data.training), test: Source(data.test))
      let one = try report(data, in: folder.appendingPathComponent("a"))
      let other = try report(streamed, in: folder.appendingPathComponent("b"))
      #expect(other.arms.map(\.accuracies) == one.arms.map(\.accuracies))
      #expect(other.seeds.map(\.diagnostics) == one.seeds.map(\.diagnostics))
      // The same folder goes on with either.
      let again = try report(streamed, in: folder.appendingPathComponent("a"))
      #expect(again.arms.map(\.accuracies) == one.arms.map(\.accuracies))
    }
  }

  /// Whenever an image cannot be read once, the run ends with its name, and the next one ends as one that never failed.
  @Test(arguments: [1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 20, 23, 26])
  func anImageThatCannotBeReadEndsTheRunAndLeavesNothingWrong(reading: Int) throws {
    try withFolder { folder in
      let data = try plantedData()
      let whole = try report(data, in: folder.appendingPathComponent("whole"))
      let failing = try DatasetSplit(training: Source(data.training, failsAt: reading), test: Source(data.test))
      let place = folder.appendingPathComponent("failed")
      let error = #expect(throws: (any Error).self) { try report(failing, in: place) }
      #expect("\(try #require(error))".contains("planted: image 7 cannot be read: Lost()"))
      let resumed = try report(data, in: place)
      #expect(resumed.arms.map(\.accuracies) == whole.arms.map(\.accuracies))
      #expect(resumed.seeds.map(\.diagnostics) == whole.seeds.map(\.diagnostics))
    }
  }
}
