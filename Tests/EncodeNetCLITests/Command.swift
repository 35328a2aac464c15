import Foundation
import Reports
import Testing

@testable import EncodeNetCLI

/// A run of the command: what it printed, and its exit code.
struct Command {
  let output: String
  let errors: String
  let code: Int32

  /// Runs `encodenet` with these words.
  init(_ words: String...) throws { try self.init(words) }

  init(_ words: [String]) throws {
    // It is built beside the tests.
    let folder = try #require(Bundle.main.executableURL).resolvingSymlinksInPath().deletingLastPathComponent()
    let process = Process()
    process.executableURL = folder.appendingPathComponent("encodenet")
    process.arguments = words
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // Little is written to either: neither pipe fills up.
    self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    code = process.terminationStatus
  }

  /// All that it wrote, for a test that fails.
  var all: String { "exit code \(code)\n\(output)\n\(errors)" }
}

extension URL {
  /// Writes an image of one colour into this folder.
  func image(_ name: String, _ colour: [UInt8], side: Int = 8) throws {
    let file = appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    let pixels = (0..<side * side).flatMap { _ in colour }
    try Data(DecodedImage(pixels: pixels, shape: [side, side, colour.count]).png()).write(to: file)
  }

  /// The path of the file `name` in this folder.
  func path(_ name: String) -> String { appendingPathComponent(name).path }
}
