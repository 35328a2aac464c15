import Foundation
import Synchronization

/// Where a run is and when it will end: `progress.html` in its folder, which a browser may leave open.
final class RunLog: Sendable {
  private struct Progress {
    /// What each arm costs beside what arms before it have made, in full-backprop-equivalent epochs.
    var work: [String: Double] = [:]
    var price: [String: Double] = [:]
    var conversionPrice = 1.0
    var current: [UInt64: (arm: String, done: Double, line: String)] = [:]
    var finished: [UInt64: [String: Double]] = [:]
    /// Done by this process, in epochs: what was found done says nothing of the speed.
    var trained = 0.0
    var lastWrite: ContinuousClock.Instant?
  }
  private let store: StageStore
  private let configuration: ExperimentConfiguration
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let progress = Mutex(Progress())

  init(_ store: StageStore, _ configuration: ExperimentConfiguration) {
    (self.store, self.configuration, start) = (store, configuration, clock.now)
  }

  func begin(_ plan: ExperimentPlan) throws {
    var (work, price): ([String: Double], [String: Double]) = ([:], [:])
    var seen: Set<[String]> = []
    for arm in configuration.arms {
      let planned = try plan.plan(arm)
      work[arm.id] = planned.budget.items.reduce(0) { sum, item in
        let shared =
          item.name == "baseline"
          ? ["baseline"]
          : item.name == "conversion"
            ? ["\(arm.conversion!)", "\(arm.start)", "\(planned.conversionEpochs)"] : [arm.id, item.name]
        return seen.insert(shared).inserted ? sum + item.epochs : sum
      }
      let training = planned.budget.items.last { $0.name == "training" || $0.name == "baseline" }
      price[arm.id] = (training?.epochs ?? 0) / Double(max(planned.epochs, 1))
    }
    let conversion = plan.conversionPrice
    progress.withLock { [work, price] in ($0.work, $0.price, $0.conversionPrice) = (work, price, conversion) }
    try write()
  }

  func begun(_ seed: UInt64, _ arm: String) {
    progress.withLock { $0.current[seed] = (arm, 0, "") }
    try? write()
  }

  func epoch(_ seed: UInt64, _ stage: String, _ report: EpochReport) {
    let isDue = progress.withLock { p -> Bool in
      let price =
        stage.hasSuffix("-head") || stage == "judge"
        ? 0 : stage.hasPrefix("conversion") ? p.conversionPrice : p.price[stage] ?? 1
      p.trained += price
      p.current[seed, default: (stage, 0, "")].done += price
      p.current[seed]?.line = "\(Self.shortened(stage)): \(report)"
      return p.lastWrite.map { clock.now - $0 > .seconds(2) } ?? true
    }
    // The page is a comfort: that it cannot be written stops nothing.
    if isDue { try? write() }
  }

  func scored(_ seed: UInt64, _ arm: String, _ accuracy: Double) {
    progress.withLock {
      $0.finished[seed, default: [:]][arm] = accuracy
      $0.current[seed] = nil
    }
    try? write()
  }

  func end() throws { try write(isEnd: true) }

  /// "conversion-1453b456b2674cb3" as "conversion".
  static func shortened(_ stage: String) -> String { stage.hasPrefix("conversion-") ? "conversion" : stage }

  private func write(isEnd: Bool = false) throws {
    let elapsed = (clock.now - start) / .seconds(1)
    let html = progress.withLock { p -> String in
      p.lastWrite = clock.now
      let whole = p.work.values.reduce(0, +)
      let total = whole * Double(configuration.seeds.count)
      let done =
        p.finished.values.reduce(0) { $0 + $1.keys.reduce(0) { $0 + (p.work[$1] ?? 0) } }
        + p.current.values.reduce(0) { $0 + min($1.done, p.work[$1.arm] ?? 0) }
      let share = isEnd ? 1 : min(done / max(total, 1e-9), 0.999)
      let left = p.trained > 0 ? (total - done) * elapsed / p.trained : nil
      let rows = configuration.seeds.map { seed in
        let cells = configuration.arms.map { arm in
          if p.finished[seed]?[arm.id] != nil { return "<td class=done>done</td>" }
          guard let current = p.current[seed], current.arm == arm.id else { return "<td>–</td>" }
          let part = min(current.done / max(p.work[arm.id] ?? 1, 1e-9), 0.99)
          return "<td class=now>\(fixed(100 * part, 0)) %</td>"
        }.joined()
        return "<tr><th>seed \(seed)</th>\(cells)</tr>"
      }.joined()
      let lines = p.current.sorted { $0.key < $1.key }.map { "<li>seed \($0): \(escaped($1.line))</li>" }.joined()
      let state =
        isEnd
        ? "Finished after \(Self.duration(elapsed)): <a href=\"report.html\">the report</a>."
        : left.map {
          "\(fixed(100 * share, 1)) % done, about \(Self.duration($0)) left, ends about \(Self.time(in: $0))."
        }
          ?? "\(fixed(100 * share, 1)) % done."
      return """
        <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        \(isEnd ? "" : "<meta http-equiv=\"refresh\" content=\"5\">")<title>\(fixed(100 * share, 0)) % – EncodeNet</title>
        <style>\(ExperimentReport.style) progress { width: 100%; height: 1.2rem; } .done { color: #2f9e6b; } .now { color: #2f6fd0; font-weight: 600; }</style>
        </head><body><p class=kicker>EncodeNet, running</p><h1>\(escaped(configuration.model)) on \(escaped(configuration.data))</h1>
        <progress value="\(fixed(share, 4))"></progress><p>\(state)</p>
        <div class=scroll><table><thead><tr><th></th>\(configuration.arms.map { "<th title=\"\(escaped($0.name))\">\(escaped($0.id))</th>" }.joined())</tr></thead><tbody>\(rows)</tbody></table></div>
        <ul>\(lines)</ul><p class=quiet>This page renews itself. Curves: tensorboard --logdir of this folder, or the CSV files of each seed.</p></body></html>

        """
    }
    try store.write(html, to: "progress.html")
  }

  private static func duration(_ seconds: Double) -> String {
    let minutes = Int((seconds / 60).rounded())
    if seconds < 90 { return "\(Int(seconds.rounded())) s" }
    return minutes < 90 ? "\(minutes) min" : "\(minutes / 60) h \(minutes % 60) min"
  }
  private static func time(in seconds: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = seconds < 43_200 ? "HH:mm" : "yyyy-MM-dd HH:mm"
    return formatter.string(from: Date().addingTimeInterval(seconds))
  }
}
