import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Shows how an epoch comes along on standard error: a bar that redraws itself on a terminal, else a plain line now and then.
///
/// ```swift
/// let bar = ProgressBar()
/// for epoch in Fit(model, …, onStep: bar.show) { … }
/// ```
public final class ProgressBar {
  private let isTerminal: Bool
  private let interval: Duration
  private let write: (String) -> Void
  private var lastShown: ContinuousClock.Instant?

  /// A bar on standard error.
  public convenience init() {
    self.init(isTerminal: isatty(STDERR_FILENO) != 0) { writeToStandardError($0) }
  }

  /// A bar that shows itself through `write`, at most ten times a second on a terminal, and every ten seconds elsewhere.
  init(isTerminal: Bool, write: @escaping (String) -> Void) {
    (self.isTerminal, self.write) = (isTerminal, write)
    interval = isTerminal ? .milliseconds(100) : .seconds(10)
  }

  /// Shows `report` where enough time has passed since the last one, or where it ends an epoch.
  public func show(_ report: StepReport) {
    let now = ContinuousClock.now
    let endsEpoch = report.position.batch >= report.batchesPerEpoch
    guard endsEpoch || lastShown.map({ now - $0 >= interval }) ?? true else { return }
    lastShown = now
    let line = Self.line(report, withBar: isTerminal)
    write(isTerminal ? "\r\u{1b}[K\(line)\(endsEpoch ? "\n" : "")" : line + "\n")
  }

  /// `epoch 3/60  [=====>    ]  50%  loss 1.234  812 images/s  0:42 left`
  static func line(_ report: StepReport, withBar: Bool) -> String {
    let (done, all) = (report.position.batch, max(report.batchesPerEpoch, 1))
    let share = min(Double(done) / Double(all), 1)
    let width = 24
    let filled = Int(share * Double(width))
    let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled)
    // After a resumption only the images since then tell the rate, so time comes from it and the mean batch.
    let batchSize = Double(report.position.images) / Double(max(done, 1))
    let left = Double(all - min(done, all)) * batchSize / max(report.imagesPerSecond, 1e-9)
    return [
      "epoch \(report.position.epoch + 1)/\(report.epochs)", withBar ? "[\(bar)]" : nil, "\(Int(share * 100))%",
      "loss " + String(format: "%.4g", report.loss), String(format: "%.0f images/s", report.imagesPerSecond),
      clock(left) + " left",
    ].compactMap { $0 }.joined(separator: "  ")
  }

  private static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000 else { return "long" }
    let s = Int(seconds.rounded())
    return s < 3_600
      ? String(format: "%d:%02d", s / 60, s % 60) : String(format: "%d:%02d:%02d", s / 3_600, s / 60 % 60, s % 60)
  }
}
