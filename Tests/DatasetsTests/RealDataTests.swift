import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite(.enabled(if: PublishedData.folder != nil, "ENCODENET_DATA names no folder with real data"), .serialized)
struct RealDataTests {
  private static let folder = Result { try PublishedData.unpacked() }

  private func expectNormalization(_ images: LabeledImages, mean: [Double], deviation: [Double]) {
    let own = Normalization.computed(from: images)
    for (found, wanted) in zip(own.mean + own.deviation, mean + deviation) { #expect(abs(found - wanted) < 6e-5) }
  }

  @Test func cifar10HasItsPublishedMeans() throws {
    let data = try CIFAR.ten.load(Self.folder.get())
    #expect(data.training.count == 50_000 && data.test.count == 10_000 && data.imageShape == [32, 32, 3])
    #expect(data.classNames.first == "airplane" && data.classNames.last == "truck")
    for label in 0..<10 {
      #expect(data.training.indices(ofClass: label).count == 5000 && data.test.indices(ofClass: label).count == 1000)
    }
    expectNormalization(
      data.training, mean: [0.49140, 0.48216, 0.44653], deviation: [0.24703, 0.24349, 0.26159])
    // The first images of the official files: a frog, two trucks; a cat, two ships.
    #expect(data.training.labels.prefix(3) == [6, 9, 9] && data.test.labels.prefix(3) == [3, 8, 8])
    #expect(data.training.image(at: 0).prefix(6) == [59, 62, 63, 43, 46, 45])
  }

  @Test func cifar100HasItsPublishedMeans() throws {
    let folder = try Self.folder.get()
    let data = try CIFAR.hundred.load(folder)
    #expect(data.training.count == 50_000 && data.test.count == 10_000 && data.classNames.count == 100)
    #expect((0..<100).allSatisfy { data.training.indices(ofClass: $0).count == 500 })
    expectNormalization(
      data.training, mean: [0.50708, 0.48655, 0.44092], deviation: [0.26733, 0.25644, 0.27615])
    let coarse = try CIFAR.superclasses.load(folder)
    #expect((0..<20).allSatisfy { coarse.test.indices(ofClass: $0).count == 500 })
    #expect(coarse.training.subclasses == data.training.labels)
  }

  @Test func mnistHasItsPublishedMeans() throws {
    let data = try IDX.load(Self.folder.get())
    #expect(data.training.count == 60_000 && data.test.count == 10_000 && data.imageShape == [28, 28, 1])
    #expect(data.training.labels.prefix(5) == [5, 0, 4, 1, 9] && data.test.labels.prefix(5) == [7, 2, 1, 0, 4])
    expectNormalization(data.training, mean: [0.13066], deviation: [0.30811])
  }
}
