import Foundation

/// Measured cases, printed as they come and written as JSON at the end.
struct Report {
  struct Case: Codable {
    var name: String
    /// The median.
    var milliseconds: Double
    /// Half the distance between the quartiles, as a share of the median.
    var spread: Double
    /// In `unit`.
    var rate: Double
    var unit: String
    /// Of the machine's measured peak, for arithmetic counted as the definition has it.
    var shareOfPeak: Double?
  }
  private(set) var cases: [Case] = []
  let machine: Machine
  let filter: String?

  init(machine: Machine, filter: String?) { (self.machine, self.filter) = (machine, filter) }

  mutating func section(_ title: String) { print("\n\(title)") }

  func wants(_ name: String) -> Bool { filter.map { name.contains($0) } ?? true }

  /// Work counted in operations of arithmetic.
  mutating func arithmetic(_ name: String, operations: Double, _ body: () -> Void) {
    guard wants(name) else { return }
    let timing = Timing(body)
    let rate = operations / timing.median / 1e6
    add(
      Case(
        name: name, milliseconds: timing.median, spread: timing.spread, rate: rate, unit: "GFLOP/s",
        shareOfPeak: rate / machine.gigaflops))
  }

  /// Work counted in images.
  mutating func images(_ name: String, count: Int, seconds: Double = 3, _ body: () -> Void) {
    guard wants(name) else { return }
    let timing = Timing(seconds: seconds, body)
    add(
      Case(
        name: name, milliseconds: timing.median, spread: timing.spread, rate: Double(count) / timing.median * 1e3,
        unit: "images/s", shareOfPeak: nil))
  }

  private mutating func add(_ one: Case) {
    cases.append(one)
    let share = one.shareOfPeak.map { String(format: "%5.0f %% of peak", $0 * 100) } ?? ""
    let name = one.name.padding(toLength: 54, withPad: " ", startingAt: 0)
    let numbers = String(format: "%9.3f ms ±%3.0f %% %9.1f", one.milliseconds, one.spread * 100, one.rate)
    print("\(name)\(numbers) \(one.unit)\(share)")
  }

  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(cases).write(to: url, options: .atomic)
  }
}
