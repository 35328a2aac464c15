extension ExperimentReport {
  /// The names and cells of the table of arms.
  var armTable: (names: [String], rows: [[String]]) {
    (
      ["arm", "what", "accuracy", "parameters", "MACs", "ms at 1", "ms at 128", "budget (FBE)"],
      arms.map { arm in
        [
          arm.id, arm.name, "\(fixed(100 * arm.accuracy, 2)) %", grouped(arm.parameters), grouped(arm.multiplyAdds),
          fixed(arm.latency1, 2), fixed(arm.latency128, 1),
          fixed(arm.budget.total, 2) + (arm.isUnequal ? " (unequal)" : ""),
        ]
      }
    )
  }

  /// The names and cells of the table of comparisons.
  var comparisonTable: (names: [String], rows: [[String]]) {
    (
      ["compared", "difference", "95 % interval", "only first right", "only second right", "McNemar p", "verdict"],
      comparisons.map { c in
        [
          "\(c.first) − \(c.second)", fixed(100 * c.difference, 2),
          "\(fixed(100 * c.interval[0], 2)) to \(fixed(100 * c.interval[1], 2))", "\(c.counts.onlyFirst)",
          "\(c.counts.onlySecond)", fixed(c.p, 3), c.verdict,
        ]
      }
    )
  }

  /// What the run was, in one line.
  var subject: String {
    "\(configuration.model) on \(data): \(grouped(counts[0])) images trained on, \(counts[1]) for validation, \(counts[2]) tested; "
      + "seed \(configuration.seed), data \(dataFingerprint)."
  }

  /// The table of arms and the verdict, for a terminal.
  public var text: String {
    let rows = [armTable.names] + armTable.rows
    let widths = armTable.names.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < 2 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }
    return lines.joined(separator: "\n") + "\n\n" + verdict
  }

  /// This document as Markdown.
  public var markdown: String {
    func table(_ table: (names: [String], rows: [[String]])) -> String {
      ([table.names, table.names.map { _ in "---" }] + table.rows).map { "| " + $0.joined(separator: " | ") + " |" }
        .joined(separator: "\n")
    }
    let clusterRows = clusters.classes.map { one in
      [
        classNames[one.label], "\(one.clusters.count)",
        one.clusters.map { "\($0.count)" }.joined(separator: ", "), fixed(one.silhouette, 3),
      ]
    }
    return """
      # EncodeNet on \(data)

      \(subject)

      **\(verdict)**

      \(table(armTable))

      The budget is in full-backprop-equivalent epochs; an arm marked unequal differs from A3 by more than 2 %.

      \(table(comparisonTable))

      The interval and p speak of test sets like this one, not of other seeds.

      ## Clusters

      \(table((["class", "clusters", "sizes", "silhouette"], clusterRows)))

      Mean entropy of the training images: \(fixed(meanEntropies[0], 4)) nats before conversion, \
      \(fixed(meanEntropies[1], 4)) after. Saturated: \(fixed(100 * representatives.saturation, 1)) %.

      ## Diagnosis

      \(diagnosis.map { "- \($0)" }.joined(separator: "\n"))

      """
  }

  /// What the figures mean, in words.
  func diagnosed() -> [String] {
    var words: [String] = []
    for one in clusters.classes where one.clusters.count == 1 {
      words.append("class \(classNames[one.label]): no structure inside the class was found, it has one cluster")
    }
    if representatives.saturation > 0.5 {
      words.append(
        "the baseline has saturated on \(fixed(100 * representatives.saturation, 0)) % of the training images: "
          + "the least entropy is close to a lottery, try lowEntropyMedoid or a temperature above 1")
    }
    if meanEntropies[1] > meanEntropies[0] {
      words.append(
        "converted images are less clear to the baseline than the images were: the autoencoder needs more training")
    }
    func accuracy(_ id: String) -> Double? { arms.first { $0.id == id }?.accuracy }
    if let tuned = accuracy("A3"), let plain = accuracy("A0"), let continued = accuracy("A2") {
      if tuned > plain, tuned <= continued {
        words.append("the gain over the baseline is explained by extra training: continued training gained as much")
      } else if tuned <= plain {
        words.append("EncodeNet did not gain over the baseline on these test images")
      }
    }
    for arm in arms where arm.isUnequal {
      words.append("\(arm.id) cost \(fixed(arm.budget.total, 2)) epochs, not what A3 did: its budget is unequal")
    }
    words.append("one seed shows nothing of how a difference varies over seeds: the verdict is inconclusive")
    return words
  }
}
