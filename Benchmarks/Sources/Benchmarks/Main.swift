import EncodeNet
import Foundation

@main
enum Main {
  static let usage = """
    usage: Benchmarks [--filter PART-OF-A-NAME] [--threads N] [--json FILE] [--baseline FILE-OF-AN-EARLIER-JSON]
           Benchmarks --algorithms
           Benchmarks --waiting
           Benchmarks --operations
           Benchmarks --serve
    """

  static func main() throws {
    var (filter, json, baseline): (String?, URL?, URL?) = (nil, nil, nil)
    var arguments = Array(CommandLine.arguments.dropFirst())
    if arguments == ["--serve"] { return try Service.run() }
    if arguments == ["--algorithms"] { return printAlgorithms() }
    if arguments == ["--waiting"] { return printWaiting() }
    if arguments == ["--operations"] {
      for name in Operation.names { print(name) }
      return
    }
    while !arguments.isEmpty {
      let option = arguments.removeFirst()
      guard !arguments.isEmpty else { return print(usage) }
      let value = arguments.removeFirst()
      switch option {
      case "--filter": filter = value
      case "--threads": Computation.threadCount = Int(value) ?? 1
      case "--json": json = URL(fileURLWithPath: value)
      case "--baseline": baseline = URL(fileURLWithPath: value)
      default: return print(usage)
      }
    }
    let machine = Machine(threads: Computation.threadCount)
    var report = try Report(machine: machine, baseline: baseline)
    print(
      String(
        format: "%ld threads, at most %.0f GFLOP/s of multiply-adds, %.1f GB/s read from memory",
        Computation.threadCount, machine.gigaflops, machine.gigabytes)
        + (machine.nanoseconds.map { String(format: ", %.0f ns to another core and back", $0) } ?? ""))
    for (title, cases) in Case.sections where !cases.isEmpty {
      let wanted = cases.filter { one in filter.map { one.name.contains($0) } ?? true }
      if !wanted.isEmpty { print("\n\(title)") }
      for one in wanted { report.add(one, Timing(seconds: 0.5, one.prepare())) }
    }
    if let json { try report.write(to: json) }
  }
}
