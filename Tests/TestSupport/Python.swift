import Foundation
import Testing

/// A Python with numpy, onnxruntime, Pillow, safetensors and torch.
package enum Python {
  /// Where `ENCODENET_PYTHON` names one.
  package static let path = ProcessInfo.processInfo.environment["ENCODENET_PYTHON"]

  /// Runs a program in `folder`, which must end well, and gives what it printed.
  @discardableResult
  package static func run(_ program: String, in folder: URL) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(path))
    process.arguments = ["-c", program]
    process.currentDirectoryURL = folder
    let (output, errors) = (folder.appendingPathComponent("python.out"), Pipe())
    try Data().write(to: output)
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(text.suffix(2000))")
    return try String(contentsOf: output, encoding: .utf8)
  }
}
