// What a report says of single classes. Of many classes that is no table of all: it is those that gained and lost most, those
// confused most, and how figures are distributed; report.json has the rest.

extension ExperimentReport {
  /// The largest number of classes that have a row, a column or a bar each.
  static let mostRows = 20
  /// The number of classes at each end of a table of many.
  private static let extremes = 10

  var hasManyClasses: Bool { classNames.count > Self.mostRows }

  /// The name of a class in a table or a caption.
  func className(_ label: Int, _ columns: Int = 40) -> String { classNames[label].shortened(to: columns) }

  /// The arms that classes are compared between, the rival of the primary comparison first; the first arm where there is none.
  var comparedArms: [Arm] {
    guard let primary else { return Array(arms.prefix(1)) }
    return [primary.second, primary.first].compactMap { arm($0) }
  }

  /// One class in ``comparedArms``.
  struct ClassOutcome {
    var label: Int
    /// Test images, over all seeds.
    var images: Int
    /// The accuracy of each arm.
    var accuracies: [Double]
    /// The accuracy of the last arm less that of the first.
    var gain: Double { accuracies.last! - accuracies[0] }
  }

  /// The classes that have test images.
  var classOutcomes: [ClassOutcome] {
    let matrices = comparedArms.map(\.confusion)
    return classNames.indices.compactMap { label in
      let images = matrices[0].total(of: label)
      return images == 0
        ? nil : .init(label: label, images: images, accuracies: matrices.map { $0.accuracy(of: label) })
    }
  }

  /// How many classes gained and lost, and what one image is worth.
  var classWords: String {
    let (all, names) = (classOutcomes, comparedArms.map(\.id))
    let images = all.map(\.images).sorted()
    guard !all.isEmpty else { return "No class has test images." }
    let each = max(images[images.count / 2] / max(seeds.count, 1), 1)
    let worth =
      "A class has \(grouped(each)) test images in the median, of which one is \(fixed(100 / Double(each), 1)) points: single classes "
      + "differ by chance too."
    guard names.count > 1 else { return "\(all.count) classes, \(names[0]). \(worth)" }
    let (gained, lost) = (all.count { $0.gain > 0 }, all.count { $0.gain < 0 })
    return
      "Of \(all.count) classes \(gained) gained, \(lost) lost and \(all.count - gained - lost) stayed as they were, \(names[1]) against "
      + "\(names[0]). \(worth)"
  }

  /// The classes that gained and lost most, or without a comparison those of the highest and the lowest accuracy.
  var extremeClasses: [(title: String, table: ReportTable)] {
    let (all, names) = (classOutcomes, comparedArms.map(\.id))
    func table(_ classes: ArraySlice<ClassOutcome>) -> ReportTable {
      ReportTable(
        names: ["class", "test images"] + names + (names.count > 1 ? ["points"] : []),
        rows: classes.map { outcome in
          [className(outcome.label), grouped(outcome.images)] + outcome.accuracies.map { percent($0, 1) }
            + (names.count > 1 ? [signed(100 * outcome.gain)] : [])
        })
    }
    func ends(_ value: (ClassOutcome) -> Double) -> (first: [ClassOutcome], last: [ClassOutcome]) {
      let sorted = all.sorted { (-value($0), -$0.images, $0.label) < (-value($1), -$1.images, $1.label) }
      let last = all.sorted { (value($0), -$0.images, $0.label) < (value($1), -$1.images, $1.label) }
      return (sorted, last)
    }
    guard names.count > 1 else {
      let (first, last) = ends { $0.accuracies[0] }
      return [
        ("Classes of the highest accuracy", table(first.prefix(Self.extremes))),
        ("Classes of the lowest accuracy", table(last.prefix(Self.extremes))),
      ]
    }
    let (first, last) = ends(\.gain)
    return [
      ("Classes that gained most", table(first.prefix(Self.extremes).prefix { $0.gain > 0 })),
      ("Classes that lost most", table(last.prefix(Self.extremes).prefix { $0.gain < 0 })),
    ].filter { !$0.1.rows.isEmpty }
  }

  /// The pairs of classes that images are taken for most often, over all seeds.
  var confusedPairs: ReportTable {
    let shown = comparedArms
    var counts: [[Int]: [Int]] = [:]
    for (index, arm) in shown.enumerated() {
      for (label, given, count) in arm.confusion.cells where label != given {
        counts[[label, given], default: [Int](repeating: 0, count: shown.count)][index] = count
      }
    }
    // The largest of each pair, not sums: a file's numbers may be anything.
    let most = counts.sorted { ($1.value.max()!, $0.key[0], $0.key[1]) < ($0.value.max()!, $1.key[0], $1.key[1]) }
    return ReportTable(
      names: ["images of", "taken for", "test images"] + shown.map(\.id),
      rows: most.prefix(2 * Self.extremes).map { pair, counts in
        [className(pair[0]), className(pair[1]), grouped(shown[0].confusion.total(of: pair[0]))]
          + counts.map { grouped($0) }
      }, textColumns: 2)
  }

  /// The distribution of the classes' accuracies and gains.
  var classQuantiles: ReportTable {
    let (all, names) = (classOutcomes, comparedArms.map(\.id))
    var rows = names.enumerated().map { index, name in
      ["accuracy of \(name)"] + quantiles(all.map { $0.accuracies[index] }) { percent($0, 1) }
    }
    if names.count > 1 {
      rows.append(["\(names[1]) − \(names[0]), points"] + quantiles(all.map { 100 * $0.gain }, signed))
    }
    return ReportTable(names: ["over classes"] + quantileNames, rows: rows)
  }

  /// The clusters of many classes: how many each has, the distribution of their figures, and the classes at both ends.
  func clusterSummary(_ diagnostics: SeedDiagnostics) -> [(title: String, table: ReportTable)] {
    let groups = diagnostics.clusters
    let byCount = Dictionary(grouping: groups, by: \.sizes.count).sorted { $0.key < $1.key }
    let sorted = groups.sorted { ($1.silhouette, $0.label) < ($0.silhouette, $1.label) }
    let figures = ReportTable(
      names: ["over classes"] + quantileNames,
      rows: [
        ["silhouette"] + quantiles(groups.map(\.silhouette)) { fixed($0, 3) },
        ["stability"] + quantiles(groups.map(\.stability)) { fixed($0, 2) },
        ["images of a cluster"] + quantiles(groups.flatMap { $0.sizes.map(Double.init) }) { fixed($0, 0) },
      ])
    return [
      (
        "Classes by the number of their clusters",
        ReportTable(names: ["clusters", "classes"], rows: byCount.map { ["\($0.key)", grouped($0.value.count)] })
      ),
      ("Distribution", figures),
      ("Classes of the highest silhouette", clusterTable(diagnostics, Array(sorted.prefix(Self.extremes)))),
      ("Classes of the lowest silhouette", clusterTable(diagnostics, sorted.suffix(Self.extremes).reversed())),
    ]
  }

  /// The classes in a few lines, for a terminal; of few classes nothing.
  var classLines: String {
    guard hasManyClasses else { return "" }
    let lines = extremeClasses.map { title, table in
      let names = table.rows.prefix(5).map { "\($0[0]) \($0.last!)" }
      return "\(title): \(names.map { $0.escaped(.max) }.joined(separator: ", "))"
    }
    return ([classWords] + lines).joined(separator: "\n") + "\n\n"
  }
}

private let quantileNames = ["lowest", "10 %", "25 %", "median", "75 %", "90 %", "highest"]

/// The values at ``quantileNames``, as text.
private func quantiles(_ values: [Double], _ text: (Double) -> String) -> [String] {
  let sorted = values.sorted()
  return [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1].map { share in
    sorted.isEmpty ? "–" : text(sorted[Int((share * Double(sorted.count - 1)).rounded())])
  }
}
