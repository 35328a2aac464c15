extension ExperimentReport {
  /// The difference of every class, or of many classes how many there are of each.
  var classesFigure: String {
    guard let primary else { return "" }
    return hasManyClasses ? gainsFigure(primary) : barsFigure(primary)
  }

  private func barsFigure(_ primary: Comparison) -> String {
    let values = primary.classDifferences.map { 100 * $0 }
    var plot = Plot(
      "\(primary.first) − \(primary.second) by class, points", x: -0.5...Double(values.count) - 0.5,
      y: values.contains { $0 != 0 } ? range(values + [0]) : -1...1)
    for (index, value) in values.enumerated() {
      plot.bar(Double(index) - 0.35, Double(index) + 0.35, low: 0, high: value, value < 0 ? "#d0486a" : "#2f9e6b")
    }
    plot.line([(-0.5, 0), (Double(values.count) - 0.5, 0)], "#888")
    let every = (classNames.count + 9) / 10
    return plot.svg(
      xLabels: classNames.indices.filter { $0 % every == 0 }.map { (Double($0), className($0, 8)) },
      yLabels: { fixed($0, 1) })
  }

  /// Bars of one width about 0, so that a class that neither gained nor lost is in the middle one.
  private func gainsFigure(_ primary: Comparison) -> String {
    let values = classOutcomes.map { 100 * $0.gain }
    guard let low = values.min(), let high = values.max() else { return "" }
    // The width of some twenty bars, round.
    let marks = ticks(0...max(high - low, 1e-3))
    let width = max((marks.count > 1 ? marks[1] - marks[0] : 1) / 4, 1e-3)
    let counts = Dictionary(grouping: values) { ($0 / width).rounded() }.mapValues(\.count)
    let bars = counts.keys.map { $0 * width }
    var plot = Plot(
      "Classes by \(primary.first) − \(primary.second), points",
      x: min(bars.min()!, 0) - width...max(bars.max()!, 0) + width,
      y: 0...Double(counts.values.max() ?? 1) * 1.05)
    for (place, count) in counts.sorted(by: { $0.key < $1.key }) {
      let colour = place == 0 ? "#8a93a5" : place < 0 ? "#d0486a" : "#2f9e6b"
      plot.bar((place - 0.45) * width, (place + 0.45) * width, low: 0, high: Double(count), colour)
    }
    return plot.svg(yLabels: wholeNumber, xTitle: "points; number of classes")
  }

  /// How many of many classes have each accuracy, for the arms compared.
  var classAccuracyFigure: String {
    guard hasManyClasses else { return "" }
    let (all, shown, bins) = (classOutcomes, comparedArms, 20)
    let counts = shown.indices.map { arm in
      all.reduce(into: [Int](repeating: 0, count: bins)) {
        $0[min(bins - 1, Int($1.accuracies[arm] * Double(bins)))] += 1
      }
    }
    var plot = Plot("Classes by accuracy", x: 0...1, y: 0...Double(max(counts.joined().max() ?? 1, 1)) * 1.05)
    let width = 0.88 / Double(bins) / Double(max(shown.count, 1))
    for (arm, counts) in counts.enumerated() {
      for (bin, count) in counts.enumerated() where count > 0 {
        let x = (Double(bin) + 0.06) / Double(bins) + width * Double(arm)
        plot.bar(x, x + width, low: 0, high: Double(count), colour(shown[arm].id))
      }
      plot.name(shown[arm].id, colour(shown[arm].id))
    }
    let marks = [0, 0.2, 0.4, 0.6, 0.8, 1].map { ($0, fixed(100 * $0, 0)) }
    return plot.svg(xLabels: marks, yLabels: wholeNumber, xTitle: "accuracy in %; number of classes")
  }

  private func wholeNumber(_ value: Double) -> String { value == value.rounded() ? fixed(value, 0) : "" }
}
