import Foundation
import TestSupport
import Testing

struct UnwritableCurvesTests {
  @Test func trainingGoesOnWithoutItsCurvesAndSaysSoOnce() throws {
    try withFolder { folder in
      // A folder stands where the curves are to be.
      let curves = folder.appendingPathComponent("out/seed-0/A0.csv/folder")
      try FileManager.default.createDirectory(at: curves, withIntermediateDirectories: true)
      let run = try Command(
        "train", "--data", "digits", "--model", "resnet8", "--width", "0.25", "--epochs", "2", "--force", "--out",
        folder.path("out"))
      #expect(run.code == 0, "\(run.all)")
      let notices = run.errors.split(separator: "\n").filter { $0.contains("learning curves are incomplete") }
      #expect(notices.count == 1 && notices[0].contains("A0.csv"), "\(run.all)")
      #expect(FileManager.default.fileExists(atPath: folder.path("out/seed-0/A0.safetensors")), "\(run.all)")
    }
  }
}
