import EncodeNet
import Foundation

/// Measures what it is asked for, so that another program can take turns with its own measurements.
///
/// After `{"cases": […]}` on the first line, each line of input, `THREADS WARM-UPS REPETITIONS NAME`, is answered with the
/// milliseconds of each repetition after the warm-ups.
enum Service {
  private struct Named: Encodable {
    var name: String
    var work: Case
  }

  static func run() throws {
    let cases = Case.sections.flatMap(\.cases)
    let byName = Dictionary((cases + Case.counted).map { ($0.name, $0) }) { first, _ in first }
    let list = try JSONEncoder().encode(["cases": cases.map { Named(name: $0.name, work: $0) }])
    answer(String(decoding: list, as: UTF8.self))
    var prepared: (name: String, work: () -> Void)?
    while let line = readLine() {
      let words = line.split(separator: " ", maxSplits: 3)
      guard words.count == 4, let threads = Int(words[0]), let warmUps = Int(words[1]), let repetitions = Int(words[2]),
        let wanted = byName[String(words[3])]
      else {
        answer("unknown: \(line)")
        continue
      }
      if prepared?.name != wanted.name { prepared = (wanted.name, wanted.prepare()) }
      Computation.threadCount = threads
      let timing = Timing(warmUps: warmUps, repetitions: repetitions, prepared!.work)
      answer(timing.milliseconds.map { String(format: "%.6f", $0) }.joined(separator: " "))
    }
  }

  private static func answer(_ line: String) {
    print(line)
    fflush(nil)
  }
}
