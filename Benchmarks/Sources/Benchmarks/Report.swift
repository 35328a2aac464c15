import Foundation

/// Measured cases, printed as they come and written as JSON at the end.
struct Report {
  /// One case's figures.
  struct Row: Codable {
    var name: String
    /// The median.
    var milliseconds: Double
    /// Half the distance between the quartiles, as a share of the median.
    var spread: Double
    /// In `unit`.
    var rate: Double
    var unit: String
    /// Of what the machine was measured to do.
    var shareOfPeak: Double?
  }
  private var rows: [Row] = []
  private let machine: Machine
  /// Milliseconds of an earlier report, by name.
  private let baseline: [String: Double]

  /// - Parameter baseline: A file that ``write(to:)`` wrote, to compare with.
  init(machine: Machine, baseline: URL?) throws {
    self.machine = machine
    let earlier = try baseline.map { try JSONDecoder().decode([Row].self, from: Data(contentsOf: $0)) } ?? []
    self.baseline = Dictionary(earlier.map { ($0.name, $0.milliseconds) }, uniquingKeysWith: { first, _ in first })
  }

  mutating func add(_ one: Case, _ timing: Timing) {
    let seconds = timing.median / 1e3
    let (rate, unit, peak): (Double, String, Double?) =
      switch one.amount {
      case .operations(let count): (count / seconds / 1e9, "GFLOP/s", machine.gigaflops)
      case .bytes(let count): (count / seconds / 1e9, "GB/s", machine.gigabytes)
      case .images(let count): (Double(count) / seconds, "images/s", nil)
      case .times(let count): (Double(count) / seconds, "/s", nil)
      }
    let row = Row(
      name: one.name, milliseconds: timing.median, spread: timing.spread, rate: rate, unit: unit,
      shareOfPeak: peak.map { rate / $0 })
    rows.append(row)
    let share = row.shareOfPeak.map { String(format: "%5.0f %% of peak", $0 * 100) } ?? ""
    let name = row.name.padding(toLength: 54, withPad: " ", startingAt: 0)
    let numbers = String(format: "%9.3f ms ±%3.0f %% %9.1f", row.milliseconds, row.spread * 100, row.rate)
    print("\(name)\(numbers) \(row.unit)\(share)\(comparison(row))")
  }

  /// What changed since the baseline by more than both spread.
  private func comparison(_ row: Row) -> String {
    guard let earlier = baseline[row.name] else { return "" }
    let change = row.milliseconds / earlier - 1
    let word = change > max(0.05, 2 * row.spread) ? "  SLOWER" : ""
    return String(format: "  %+.0f %% time", change * 100) + word
  }

  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(rows).write(to: url, options: .atomic)
  }
}
