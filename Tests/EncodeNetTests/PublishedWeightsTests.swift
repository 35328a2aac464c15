import Foundation
import Reports
import Testing

@testable import Experiments

/// The published data sets and weights, where `ENCODENET_DATA` names the folder that holds them.
enum PublishedData {
  static let folder = ProcessInfo.processInfo.environment["ENCODENET_DATA"].map { URL(fileURLWithPath: $0) }

  /// The test images of CIFAR-10, unpacked where they are not yet: once, whoever asks.
  static let cifar10 = Result {
    let folder = try #require(PublishedData.folder)
    let cache = FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/encodenet/data")
    // Other tests may be unpacking there too.
    try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    let lock = open(cache.appendingPathComponent(".lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    defer { close(lock) }
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0, "\(cache.path) cannot be locked")
    let process = Process()
    process.executableURL = folder.appendingPathComponent("unpack")
    process.arguments = [cache.path, "cifar10"]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "unpacking CIFAR-10 failed")
    return try CIFAR.ten.load(cache)
  }
}

@Suite(.enabled(if: PublishedData.folder != nil, "set ENCODENET_DATA to the folder with the published data"))
struct PublishedWeightsTests {
  /// Forward pass, batch norm, option-A shortcut, importer, layouts and loader, all against the world at once.
  @Test(arguments: ["akamaster-resnet20-cifar10.th", "akamaster-resnet20-cifar10.safetensors"])
  func theKnownResNet20IsAsRightAsItsAuthorSays(file: String) throws {
    let folder = try #require(PublishedData.folder)
    let test = try PublishedData.cifar10.get().test
    var generator = SplittableGenerator(seed: 0)
    let model = ResNet(depth: 20, classes: 10, shortcut: .identity, using: &generator)
    try model.load(from: folder.appendingPathComponent("weights/\(file)"))
    let batches = Batches(
      of: test, size: 200,
      normalization: Normalization(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225]))
    let evaluation = evaluate(model, on: batches.epoch(0))
    #expect(evaluation.count == 10_000)
    #expect(abs(evaluation.correct - 9173) <= 3, "\(evaluation.correct) of 10,000 right, published are 91.73 %")
  }
}
