import ArgumentParser
import Foundation
import Reports

@main
struct EncodeNetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encodenet",
    abstract: "Trains small image classifiers and raises their accuracy with EncodeNet (arXiv 2404.13770).",
    discussion: """
        encodenet run --data digits --out out/digits

      'run' does the whole experiment, and 'encodenet help run' explains its settings. 'compare' does it over several seeds \
      and gives verdicts. 'train', 'cluster', 'convert' and 'transfer' do the same up to their stage, in the same folder; each \
      resumes where another stopped.

      Started by 'mpirun -np P', 'srun' or another launcher of MPI, all of these train on all P ranks, and 'evaluate' and 'predict' \
      share the images among them; Docs/distributed.md says how.
      """,
    version: libraryVersion,
    subcommands: [
      Run.self, Compare.self, Report.self, Train.self, Cluster.self, Convert.self, Transfer.self, Evaluate.self,
      Predict.self, Import.self, Export.self, Info.self, Download.self,
    ])

  /// One line for what went wrong: exit code 64 for the arguments, 130 where it was asked to stop, 1 for the rest.
  ///
  /// Of several ranks the first one writes it. Where all stop alike they leave in order; an error of one ends all.
  static func main() {
    StandardStreams.prepare()
    var parsed: any ParsableCommand.Type = Self.self
    do {
      try World.join()
      var command = try parseAsRoot()
      parsed = type(of: command)
      // What trains and predicts nothing is done by the first rank.
      let isForOne = [Report.self, Import.self, Export.self, Info.self, Download.self].contains { parsed == $0 }
      if World.ranks.isFirst || !isForOne { try throwingDataFaults { try command.run() } }
      if let problem = StandardStreams.flush() { fail(problem, 1) }
      leaveWorld(World.ranks)
    } catch let stop as TrainingError where stop.isInterruption {
      end("\(stop): all is saved, and the same command resumes there", 130)
    } catch {
      switch exitCode(for: error) {
      case .success:
        // Help, or the version.
        print(fullMessage(for: error))
        if let problem = StandardStreams.flush() { fail(problem, 1) }
        World.leave(0)
      case .validationFailure: fail("\(message(for: error)) (see \(help(for: error, parsed)))", 64)
      default: fail("\(error)", 1)
      }
    }
  }

  /// "encodenet help train", for an error in the arguments of that command.
  ///
  /// An error in parsing knows its subcommand; that of an error in running is `parsed`. ArgumentParser writes either at the
  /// end of the full message, as "See 'encodenet train --help'".
  private static func help(for error: any Error, _ parsed: any ParsableCommand.Type) -> String {
    let name = parsed.fullMessage(for: error).firstMatch(of: /See '(?:encodenet )?([a-z]*) ?--help'/)?.1 ?? ""
    return name.isEmpty ? "encodenet help" : "encodenet help \(name)"
  }

  private static func line(_ message: String) -> String {
    "encodenet: \(message.split(whereSeparator: \.isNewline).joined(separator: " "))"
  }

  /// Ends with the others, who end for the same reason.
  private static func end(_ message: String, _ code: Int32) -> Never {
    warn(line(message))
    World.leave(code)
  }

  private static func fail(_ message: String, _ code: Int32) -> Never { World.fail(line(message), code) }
}
