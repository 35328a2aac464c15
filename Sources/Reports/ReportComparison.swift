extension ExperimentReport {
  /// Several reports in one table: a row for each arm that any has, a column for each run.
  public static func compared(_ reports: [(name: String, report: ExperimentReport)]) -> String {
    var arms: [(id: String, name: String)] = []
    for (_, report) in reports {
      for arm in report.arms where !arms.contains(where: { $0.id == arm.id }) { arms.append((arm.id, arm.name)) }
    }
    var rows = [
      ["", "data"] + reports.map { "\($0.report.configuration.model), \($0.report.run.data)" },
      ["", "seeds"] + reports.map { "\($0.report.seeds.count)" },
      ["", "budget (FBE)"] + reports.map { fixed($0.report.run.budget, 1) },
    ]
    rows += arms.map { id, name in
      [id, name]
        + reports.map { _, report in
          report.arm(id).map { "\(fixed(100 * $0.mean, 2)) ± \(fixed(100 * $0.std, 2)) %" } ?? "–"
        }
    }
    rows.append(
      ["", "primary comparison"]
        + reports.map { _, report in
          report.primary.map {
            "\($0.first) − \($0.second) \(signed(100 * $0.differences.mean)) \($0.verdict.rawValue)"
          } ?? "–"
        })
    return ReportTable(names: ["arm", "what"] + reports.map(\.name), rows: rows, textColumns: 2).text
  }
}
