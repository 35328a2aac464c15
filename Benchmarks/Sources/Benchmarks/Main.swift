import EncodeNet
import Foundation

@main
enum Main {
  static func main() throws {
    var (filter, json): (String?, URL?) = (nil, nil)
    var arguments = Array(CommandLine.arguments.dropFirst())
    while !arguments.isEmpty {
      let option = arguments.removeFirst()
      guard let value = arguments.isEmpty ? nil : arguments.removeFirst(), option.hasPrefix("--") else {
        return usage()
      }
      switch option {
      case "--filter": filter = value
      case "--json": json = URL(fileURLWithPath: value)
      case "--threads": Computation.threadCount = Int(value) ?? 1
      default: return usage()
      }
    }
    let machine = Machine(threads: Computation.threadCount)
    print(
      String(
        format: "%ld threads, at most %.0f GFLOP/s of multiply-adds, %.1f GB/s read from memory",
        Computation.threadCount,
        machine.gigaflops, machine.gigabytes))
    var report = Report(machine: machine, filter: filter)
    report.matrixProducts()
    report.convolutions()
    report.models()
    if let json { try report.write(to: json) }
  }

  private static func usage() {
    print("usage: Benchmarks [--filter PART-OF-A-NAME] [--json FILE] [--threads N]")
  }
}
