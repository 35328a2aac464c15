/// Names and rows of cells; the first `textColumns` are words, the rest numbers.
package struct ReportTable {
  let names: [String]
  let rows: [[String]]
  let textColumns: Int

  package init(names: [String] = [], rows: [[String]], textColumns: Int = 1) {
    (self.names, self.rows, self.textColumns) = (names, rows, textColumns)
  }

  var markdown: String {
    let line = names.indices.map { $0 < textColumns ? "---" : "---:" }
    return ([names, line] + rows)
      .map { "| " + $0.map { markdownEscaped($0) }.joined(separator: " | ") + " |" }.joined(separator: "\n")
  }

  /// The table in columns of equal width, for a terminal.
  package var text: String {
    let all = ((names.isEmpty ? [] : [names]) + rows).map { row in row.map { $0.escaped(.max) } }
    let widths = (all.first ?? []).indices.map { column in all.map { $0[column].columns }.max() ?? 0 }
    return all.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.columns)
        guard column < textColumns else { return space + cell.0 }
        return column < row.count - 1 ? cell.0 + space : cell.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  func html(marking isMarked: ([String]) -> Bool = { _ in false }) -> String {
    func row(_ cells: [String], _ tag: String) -> String {
      cells.enumerated().map { "<\(tag)\($0 < textColumns ? "" : " class=n")>\(escaped($1))</\(tag)>" }.joined()
    }
    let body = rows.map { "<tr\(isMarked($0) ? " class=main" : "")>\(row($0, "td"))</tr>" }.joined()
    return "<div class=scroll><table><thead><tr>\(row(names, "th"))</tr></thead><tbody>\(body)</tbody></table></div>"
  }
}

extension ExperimentReport {
  /// The run in one line.
  var subject: String {
    "\(configuration.model) on \(run.data): \(grouped(run.training)) images trained on, \(grouped(run.validation)) for "
      + "validation\(run.hasOwnValidation == true ? ", the set's own" : ""), \(grouped(run.test)) tested; seeds \(configuration.seeds.map { "\($0)" }.joined(separator: ", ")); "
      + "data \(run.dataFingerprint), split \(run.splitFingerprint), version \(run.library)."
  }

  var armTable: ReportTable {
    ReportTable(
      names: ["arm", "what", "accuracy", "each seed", "budget (FBE)", "TFLOP", "time"],
      rows: arms.map { arm in
        [
          arm.id, arm.name, percent(arm.mean) + (arm.accuracies.count > 1 ? " ± \(fixed(100 * arm.std, 2))" : ""),
          arm.accuracies.map { fixed(100 * $0, 2) }.joined(separator: "  "),
          fixed(arm.budget.total, 1) + (arm.isUnequal ? " unequal" : ""), compact(2e-12 * arm.budget.multiplyAdds),
          arm.seconds < 90 ? "\(fixed(arm.seconds, 0)) s" : "\(fixed(arm.seconds / 60, 0)) min",
        ]
      }, textColumns: 2)
  }

  func comparisonTable(_ family: Comparison.Family...) -> ReportTable {
    let isAttribution = family == [.attribution]
    return ReportTable(
      names: (isAttribution ? ["part"] : []) + [
        "compared", "points", "t interval", "bootstrap", "p (Holm)", "p sign flips", "p images", "McNemar", "verdict",
      ],
      rows: comparisons.filter { family.contains($0.family) }.map { comparison in
        let d = comparison.differences
        func interval(_ bounds: [Double]?) -> String {
          bounds.map { "\(signed(100 * $0[0])) … \(signed(100 * $0[1]))" } ?? "–"
        }
        return (isAttribution ? [comparison.part ?? ""] : []) + [
          "\(comparison.first) − \(comparison.second)", signed(100 * d.mean), interval(d.tInterval),
          interval(d.bootstrapInterval),
          probability(comparison.adjustedP), probability(d.signFlipP), probability(comparison.imageP),
          comparison.mcNemar.map { probability($0.p) }.joined(separator: " "), comparison.verdict.rawValue,
        ]
      }, textColumns: isAttribution ? 2 : 1)
  }

  var qualityTable: ReportTable {
    ReportTable(
      names: ["arm", "top 5", "cross-entropy", "calibration error", "entropy"] + Corruption.allCases.map(\.rawValue)
        + ["quartile 1", "2", "3", "4"],
      rows: arms.map { arm in
        [
          arm.id, percent(arm.top5), fixed(arm.loss, 4), fixed(arm.calibrationError, 4), fixed(arm.entropy, 4),
        ] + Corruption.allCases.map { percent(arm.robustness[$0.rawValue] ?? 0, 1) }
          + arm.quartiles.map { percent($0, 1) }
      })
  }

  var inferenceTable: ReportTable {
    ReportTable(
      names: ["arm", "parameters", "multiply-adds", "bytes", "ms at batch 1", "ms at batch 128"],
      rows: arms.map { arm in
        let i = arm.inference
        return [
          arm.id, grouped(i.parameters), grouped(i.multiplyAdds), grouped(i.bytes), fixed(i.latency1, 2),
          fixed(i.latency128, 1),
        ]
      })
  }

  /// The clusters of `groups`, nil for those of all classes.
  func clusterTable(_ diagnostics: SeedDiagnostics, _ groups: [SeedDiagnostics.ClassClusters]? = nil) -> ReportTable {
    func listed(_ values: [String]) -> String {
      values.prefix(10).joined(separator: ", ") + (values.count > 10 ? ", and \(values.count - 10) more" : "")
    }
    let representatives = Dictionary(grouping: diagnostics.representatives, by: \.label)
    return ReportTable(
      names: ["class", "sizes", "silhouette", "stability", "entropy of the representatives"],
      rows: (groups ?? diagnostics.clusters).map { group in
        let chosen = representatives[group.label] ?? []
        return [
          className(group.label), listed(group.sizes.map { "\($0)" }), fixed(group.silhouette, 3),
          fixed(group.stability, 2),
          listed(chosen.map { fixed($0.entropy, 4) + ($0.isCorrect ? "" : " (taken for another class)") }),
        ]
      }, textColumns: 2)
  }

  private var found: [(seed: UInt64, diagnostics: SeedDiagnostics)] {
    seeds.compactMap { seed in seed.diagnostics.map { (seed.seed, $0) } }
  }

  /// Every autoencoder and what the images trained on say, for every seed.
  var conversionTable: ReportTable {
    func row(_ name: String, _ value: (SeedDiagnostics) -> String) -> [String] {
      [name] + found.map { value($0.diagnostics) }
    }
    var rows: [[String]] = []
    for (index, conversion) in (found.first?.diagnostics.conversions ?? []).enumerated() {
      let name = conversion.arms.joined(separator: ", ")
      rows += [
        row("\(name): R² against the mean of the targets, squared error") {
          "\(fixed($0.conversions[index].r2, 3)), \(fixed($0.conversions[index].squaredError, 4))"
        },
        row("\(name): nearest is its own representative") { percent($0.conversions[index].nearestIsOwn, 1) },
      ]
    }
    rows += [
      row("least distance of representatives of two classes", { $0.leastDistance.map { fixed($0, 3) } ?? "–" }),
      row(
        "effective rank of the representatives",
        { fixed($0.effectiveRank, 1) + ($0.rankSize.map { ", at \($0[1]) by \($0[0]) pixels" } ?? "") }),
      row("baseline saturated on", { percent($0.baseline.saturation, 1) }),
      row(
        "entropy to the baseline, mean and median",
        { "\(fixed($0.baseline.meanEntropy, 4)), \(fixed($0.baseline.medianEntropy, 4))" }),
    ]
    if found.allSatisfy({ $0.diagnostics.judge?.validationAccuracy != nil }), let judge = found.first?.diagnostics.judge
    {
      rows.append(row("the judge, \(judge.network): validation") { percent($0.judge?.validationAccuracy ?? 0, 1) })
    }
    for index in found.first?.diagnostics.features.indices ?? 0..<0 {
      let name = found[0].diagnostics.features[index].network
      rows.append(
        row(
          "features of \(name): linear probe, 5 nearest",
          {
            "\(percent($0.features[index].linearProbe, 1)), \(percent($0.features[index].nearestNeighbours, 1))"
              + ($0.features[index].sample.map { ", of \(grouped($0[1])) by \(grouped($0[0]))" } ?? "")
          }))
    }
    return ReportTable(names: ["the images trained on"] + found.map { "seed \($0.seed)" }, rows: rows)
  }

  /// The effect of conversion on each set of images, by autoencoder and observer: a row for each seed.
  var outcomeTable: ReportTable {
    var rows: [[String]] = []
    for images in SeedDiagnostics.Images.allCases.reversed() {
      for index in found.first?.diagnostics.conversions.indices ?? 0..<0 {
        for (seed, diagnostics) in found where diagnostics.conversions.indices.contains(index) {
          let conversion = diagnostics.conversions[index]
          guard let outcome = conversion.outcome(on: images) else { continue }
          for (name, halves) in [("baseline", outcome.byBaseline)] + (outcome.byJudge.map { [("judge", $0)] } ?? []) {
            rows.append([
              images.rawValue, conversion.arms.joined(separator: ", "), "\(seed)", name,
              percent(outcome.nearestIsOfClass, 1)
                + (outcome.sample.map { " of \(grouped($0.images)), at \($0.width) by \($0.height)" } ?? ""),
              "\(percent(halves.all.accuracyBefore, 1)) → \(percent(halves.all.accuracyAfter, 1))",
              "\(fixed(halves.all.entropyBefore, 3)) → \(fixed(halves.all.entropyAfter, 3))",
              "\(percent(halves.hard.accuracyBefore, 1)) → \(percent(halves.hard.accuracyAfter, 1))",
              "\(percent(halves.hard.loweredAndRight, 1)) : \(percent(halves.hard.loweredAndWrong, 1))",
            ])
          }
        }
      }
    }
    return ReportTable(
      names: [
        "images", "arms", "seed", "seen by", "nearest is of class", "recognised", "entropy, nats",
        "hard half: recognised",
        "lowered and right : wrong",
      ], rows: rows, textColumns: 4)
  }

  private func compact(_ value: Double) -> String {
    value < 10 || value > 9e15 ? fixed(value, 2) : grouped(Int(value.rounded()))
  }

  /// The comparisons, each once: what a part is worth may be one of those before it.
  var distinctComparisons: [Comparison] {
    var seen: Set<[String]> = []
    return comparisons.filter { seen.insert([$0.first, $0.second]).inserted }
  }

  private var distinctTable: ReportTable {
    var report = self
    report.comparisons = distinctComparisons
    return report.comparisonTable(.primary, .alternatives, .attribution)
  }

  /// The report for a terminal.
  public var text: String {
    "\(armTable.text)\n\n" + (comparisons.isEmpty ? "" : distinctTable.text + "\n\n") + classLines
      + answers.map { "\($0.question) \($0.figure) \($0.words)" }.joined(separator: "\n")
  }
}
