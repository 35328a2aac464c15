import Foundation
import Synchronization

/// The progress of a run and the time left: `progress.html` in its folder, which a browser may leave open.
final class RunLog: Sendable {
  private struct Progress {
    /// The cost of each arm beside what earlier arms have made, in full-backprop-equivalent epochs.
    var work: [String: Double] = [:]
    /// The cost of an epoch of each stage, next to nothing for those of the head and the judge.
    var epochCosts: [String: Double] = [:]
    var arms: [(id: String, name: String)] = []
    var current: [UInt64: (arm: String, done: Double, line: String)] = [:]
    var finished: [UInt64: Set<String>] = [:]
    /// Done by this process, in epochs: what was found done says nothing of the speed.
    var trained = 0.0
    var lastWrite: ContinuousClock.Instant?
    /// The arm whose time left was told last, of each seed.
    var told: [UInt64: String] = [:]
    var lastTold: ContinuousClock.Instant?
    /// Whether the page could not be written.
    var isStale = false
  }
  private let store: ArtifactStore
  private let configuration: ExperimentConfiguration
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let progress = Mutex(Progress())

  init(_ store: ArtifactStore, _ configuration: ExperimentConfiguration) {
    (self.store, self.configuration, start) = (store, configuration, clock.now)
  }

  func observe(_ event: Experiment.Event) {
    switch event {
    case .planned(let plans, let keys, let run): begin(plans, keys, run)
    case .began(let seed, let arm):
      progress.withLock { $0.current[seed] = (arm, 0, "") }
      write()
    case .epoch(let seed, let stage, let report): epoch(seed, Self.shortened(stage), report)
    case .scored(let seed, let arm):
      progress.withLock {
        $0.finished[seed, default: []].insert(arm)
        $0.current[seed] = nil
      }
      write()
    }
  }

  private func begin(_ plans: [ArmPlan], _ keys: [[String]], _ run: ExperimentRun) {
    var (seen, work, costs): (Set<String>, [String: Double], [String: Double]) = ([], [:], [:])
    for (arm, (plan, keys)) in zip(run.arms, zip(plans, keys)) {
      // Steps that arms have in common are done once.
      work[arm.id] = zip(keys, plan.costs).reduce(0) { sum, step in
        seen.insert(step.0).inserted ? sum + step.1 : sum
      }
      costs.merge(plan.epochCosts) { $1 }
    }
    let arms = run.arms.map { ($0.id, $0.name) }
    progress.withLock { [work, costs] in ($0.work, $0.epochCosts, $0.arms) = (work, costs, arms) }
    write()
  }

  private func epoch(_ seed: UInt64, _ stage: String, _ report: EpochReport) {
    let isDue = progress.withLock { p -> Bool in
      let cost = p.epochCosts[stage] ?? 0
      p.trained += cost
      p.current[seed, default: (stage, 0, "")].done += cost
      p.current[seed]?.line = "\(stage): \(report)"
      return p.lastWrite.map { clock.now - $0 > .seconds(2) } ?? true
    }
    if isDue { write() }
  }

  /// "conversion-1453b456b2674cb3" and "conversion-1453b456b2674cb3-decoder" as "conversion".
  static func shortened(_ stage: String) -> String { stage.hasPrefix("conversion-") ? "conversion" : stage }

  /// Writes the page. One that cannot be written stops nothing, and is told once.
  func write(isEnd: Bool = false) {
    let elapsed = (clock.now - start) / .seconds(1)
    let html = progress.withLock { p -> String in
      p.lastWrite = clock.now
      return page(p, elapsed, isEnd: isEnd)
    }
    do {
      try store.write(html, to: "progress.html")
    } catch {
      let isFirst = progress.withLock { p in
        defer { p.isStale = true }
        return !p.isStale
      }
      if isFirst { writeNotice("progress.html is not up to date: \(error)") }
    }
  }

  /// A line of the time left, once for each arm of a seed, and at most every 20 seconds.
  func timeLeft(of seed: UInt64) -> String? {
    let elapsed = (clock.now - start) / .seconds(1)
    return progress.withLock { p in
      guard let arm = p.current[seed]?.arm, p.trained > 0, p.told[seed] != arm else { return nil }
      p.told[seed] = arm
      guard p.lastTold.map({ clock.now - $0 > .seconds(20) }) ?? true else { return nil }
      p.lastTold = clock.now
      return state(p, elapsed)
    }
  }

  private func total(_ p: Progress) -> Double { p.work.values.reduce(0, +) * Double(configuration.seeds.count) }
  private func spent(_ p: Progress) -> Double {
    p.finished.values.reduce(0) { $0 + $1.reduce(0) { $0 + (p.work[$1] ?? 0) } }
      + p.current.values.reduce(0) { $0 + min($1.done, p.work[$1.arm] ?? 0) }
  }
  private func done(_ p: Progress) -> Double { min(spent(p) / max(total(p), 1e-9), 0.999) }

  private func state(_ p: Progress, _ elapsed: Double) -> String {
    let share = percent(done(p), 1)
    guard p.trained > 0 else { return "\(share) done." }
    let left = (total(p) - spent(p)) * elapsed / p.trained
    return "\(share) done, about \(Self.duration(left)) left, ends about \(Self.time(in: left))."
  }

  private func page(_ p: Progress, _ elapsed: Double, isEnd: Bool) -> String {
    let share = isEnd ? 1 : done(p)
    let state =
      isEnd ? "Finished after \(Self.duration(elapsed)): <a href=\"report.html\">the report</a>." : state(p, elapsed)
    let rows = configuration.seeds.map { "<tr><th>seed \($0)</th>\(cells(p, seed: $0))</tr>" }.joined()
    let names = p.arms.map { "<th title=\"\(escaped($0.name))\">\(escaped($0.id))</th>" }.joined()
    let lines = p.current.sorted { $0.key < $1.key }.map { "<li>seed \($0): \(escaped($1.line))</li>" }.joined()
    return """
      <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      \(isEnd ? "" : "<meta http-equiv=\"refresh\" content=\"5\">")<title>\(percent(share, 0)) – EncodeNet</title>
      <style>\(ExperimentReport.style) progress { width: 100%; height: 1.2rem; } .done { color: #2f9e6b; } .now { color: #2f6fd0; font-weight: 600; }</style>
      </head><body><p class=kicker>EncodeNet, running</p><h1>\(escaped(configuration.model)) on \(escaped(configuration.data))</h1>
      <progress value="\(fixed(share, 4))"></progress><p>\(state)</p>
      <div class=scroll><table><thead><tr><th></th>\(names)</tr></thead><tbody>\(rows)</tbody></table></div>
      <ul>\(lines)</ul><p class=quiet>This page reloads itself. Curves: tensorboard --logdir of this folder, or the CSV files of each seed.</p></body></html>

      """
  }

  private func cells(_ p: Progress, seed: UInt64) -> String {
    p.arms.map { arm in
      if p.finished[seed]?.contains(arm.id) == true { return "<td class=done>done</td>" }
      guard let current = p.current[seed], current.arm == arm.id else { return "<td>–</td>" }
      let part = min(current.done / max(p.work[arm.id] ?? 1, 1e-9), 0.99)
      return "<td class=now>\(percent(part, 0))</td>"
    }.joined()
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
