import ArgumentParser
import Foundation
import Reports

@main
struct EncodeNetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encodenet",
    abstract: "Trains small image classifiers and raises their accuracy with EncodeNet (arXiv 2404.13770).",
    discussion: """
      'encodenet run' does everything with defaults that work, and 'encodenet help run' explains every setting. 'compare' does \
      it over several seeds and gives verdicts. The commands train, cluster, convert and transfer do the same up to their stage, in the same folder, and go on where another stopped.
      """,
    version: "0.1.0",
    subcommands: [
      Run.self, Compare.self, Report.self, Train.self, Cluster.self, Convert.self, Transfer.self, Evaluate.self,
      Predict.self, Import.self, Export.self, Info.self, Download.self,
    ])

  /// One line for what went wrong: exit code 64 for the arguments, 130 where it was asked to stop, 1 for the rest.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let stop as TrainingError where stop.isInterruption {
      fail("\(stop): all is saved, and the same command goes on there", 130)
    } catch {
      switch exitCode(for: error) {
      case .success: exit(withError: error)
      case .validationFailure: fail(message(for: error), 64)
      default: fail("\(error)", 1)
      }
    }
  }

  private static func fail(_ message: String, _ code: Int32) -> Never {
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    FileHandle.standardError.write(Data("encodenet: \(line)\(code == 64 ? " (see encodenet --help)" : "")\n".utf8))
    Foundation.exit(code)
  }
}
