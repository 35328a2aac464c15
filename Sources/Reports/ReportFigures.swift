import Foundation

extension ExperimentReport {
  /// Every drawing that needs no more than this document, by name.
  var figures: [(name: String, title: String, svg: String)] {
    var figures = [
      ("accuracy", "Accuracy of each seed", accuracyFigure), ("differences", "Differences", differencesFigure),
      ("validation-accuracy", "Learning curves", curvesFigure), ("cost", "Accuracy against cost", costFigure),
      ("classes", "Difference by class", classesFigure), ("class-accuracy", "Accuracy by class", classAccuracyFigure),
      ("reliability", "Reliability", reliabilityFigure),
    ]
    if let entropies = seeds.compactMap(\.diagnostics).first?.entropies {
      figures.append(("entropies", "Entropy before and after conversion", entropiesFigure(entropies)))
    }
    return figures.filter { !$0.2.isEmpty }
  }

  func colour(_ id: String) -> String { Plot.colour(arms.firstIndex { $0.id == id } ?? 0) }

  /// A little wider than what is in it.
  func range(_ values: [Double], within limits: ClosedRange<Double>? = nil) -> ClosedRange<Double> {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    let margin = max((high - low) * 0.1, 1e-3)
    let wide = low - margin...high + margin
    return limits.map { wide.clamped(to: $0) } ?? wide
  }

  private var accuracyFigure: String {
    var plot = Plot(
      "Test accuracy: each seed, and the mean", x: -0.5...Double(arms.count) - 0.5,
      y: range(arms.flatMap(\.accuracies)))
    for (index, arm) in arms.enumerated() {
      let (x, colour) = (Double(index), Plot.colour(index))
      plot.bar(x - 0.3, x + 0.3, low: arm.mean, high: arm.mean, colour)
      for (seed, accuracy) in arm.accuracies.enumerated() {
        let offset = arm.accuracies.count > 1 ? 0.3 * (Double(seed) / Double(arm.accuracies.count - 1) - 0.5) : 0
        plot.dot(x + offset, accuracy, colour, radius: 4, hollow: true)
      }
    }
    return plot.svg(xLabels: arms.enumerated().map { (Double($0), $1.id) }, yLabels: { percent($0, 1) })
  }

  /// The comparisons with their intervals: one that does not touch the line in the middle is a difference.
  private var differencesFigure: String {
    let shown = distinctComparisons.prefix(16)
    guard !shown.isEmpty else { return "" }
    let bounds = shown.flatMap { ($0.differences.bootstrapInterval ?? []) + $0.differences.values }.map { 100 * $0 }
    var plot = Plot(
      "Difference in points: mean, seeds, 95 % bootstrap interval", x: range(bounds + [0]),
      y: -0.5...Double(shown.count) - 0.2)
    plot.line([(0, plot.y.lowerBound), (0, plot.y.upperBound)], "#888", dashed: true)
    for (index, comparison) in shown.enumerated() {
      let y = Double(shown.count - 1 - index)
      let colour = comparison.verdict == .improves ? "#2f9e6b" : comparison.verdict == .worse ? "#d0486a" : "#2f6fd0"
      if let interval = comparison.differences.bootstrapInterval {
        plot.line([(100 * interval[0], y), (100 * interval[1], y)], colour)
      }
      for value in comparison.differences.values { plot.dot(100 * value, y, "#8888", radius: 2.5) }
      plot.dot(100 * comparison.differences.mean, y, colour, radius: 4.5)
      plot.label(plot.x.lowerBound, y, "\(comparison.first)−\(comparison.second)", dx: -50, dy: 4, anchor: "start")
    }
    return plot.svg(yLabels: nil)
  }

  private var curvesFigure: String {
    let curves = arms.map { arm in arm.curves.first?.validation.compactMap { $0 } ?? [] }
    guard let longest = curves.map(\.count).max(), longest > 0 else { return "" }
    // The first epochs would flatten the rest.
    let values = curves.flatMap { $0.dropFirst($0.count / 4) }
    let y = range(values, within: 0...1)
    var plot = Plot("Validation accuracy, first seed", x: 1...Double(max(longest, 2)), y: y)
    for (index, curve) in curves.enumerated() where !curve.isEmpty {
      plot.line(curve.enumerated().map { (Double($0 + 1), max($1, y.lowerBound)) }, Plot.colour(index))
      plot.name(arms[index].id, Plot.colour(index))
    }
    return plot.svg(yLabels: { percent($0, 1) }, xTitle: "epoch of the arm's own training")
  }

  private var costFigure: String {
    var plot = Plot(
      "Accuracy against cost", x: 0...(arms.map(\.budget.total).max() ?? 1) * 1.08,
      y: range(arms.flatMap { [$0.mean - $0.std, $0.mean + $0.std] }))
    for (index, arm) in arms.enumerated() {
      let (x, colour) = (arm.budget.total, Plot.colour(index))
      plot.line([(x, arm.mean - arm.std), (x, arm.mean + arm.std)], colour)
      plot.dot(x, arm.mean, colour, radius: 4)
      plot.name(arm.id, colour)
    }
    return plot.svg(yLabels: { percent($0, 1) }, xTitle: "full-backprop-equivalent epochs")
  }

  private var reliabilityFigure: String {
    var plot = Plot("Reliability: accuracy by confidence", x: 0...1, y: 0...1)
    plot.line([(0, 0), (1, 1)], "#888", dashed: true)
    let shown = [baseline?.id, primary?.second, primary?.first].compactMap { $0 }
    for (index, arm) in arms.enumerated() where shown.contains(arm.id) {
      // Few images say little of a bin.
      let bins = arm.reliability.filter { $0.count >= 10 }
      plot.line(bins.map { ($0.confidence, $0.accuracy) }, Plot.colour(index))
      for bin in bins { plot.dot(bin.confidence, bin.accuracy, Plot.colour(index)) }
      plot.name("\(arm.id), calibration error \(fixed(arm.calibrationError, 3))", Plot.colour(index))
    }
    return plot.svg(yLabels: { percent($0, 0) }, xTitle: "confidence")
  }

  private func entropiesFigure(_ entropies: SeedDiagnostics.Histogram) -> String {
    let highest = max((entropies.before + entropies.after).max() ?? 1, 1)
    func height(_ count: Int) -> Double { count == 0 ? 0 : log10(Double(count)) + 0.1 }
    var plot = Plot(
      "Entropy before and after conversion, to the baseline", x: 0...entropies.top, y: 0...height(highest) * 1.05)
    let width = entropies.top / Double(max(entropies.before.count, 1))
    for (offset, counts, colour) in [(0.05, entropies.before, Plot.colour(0)), (0.5, entropies.after, Plot.colour(1))] {
      for (bin, count) in counts.enumerated() where count > 0 {
        let x = width * (Double(bin) + offset)
        plot.bar(x, x + width * 0.42, low: 0, high: height(count), colour)
      }
    }
    plot.name("before conversion", Plot.colour(0))
    plot.name("after conversion", Plot.colour(1))
    return plot.svg(
      yLabels: { $0 == $0.rounded() ? grouped(Int(pow(10, $0).rounded())) : "" }, xTitle: "nats; images (logarithmic)")
  }
}

extension Gallery.Map {
  /// The images of the class along two principal components, by cluster; representatives are ringed.
  func svg(_ title: String) -> String {
    var plot = Plot(title, x: (x.min() ?? 0)...(x.max() ?? 1), y: (y.min() ?? 0)...(y.max() ?? 1))
    for index in x.indices { plot.dot(x[index], y[index], Plot.colour(cluster[index]), radius: 4) }
    for index in representatives { plot.dot(x[index], y[index], "currentColor", radius: 9, hollow: true) }
    return plot.svg(xLabels: [], yLabels: nil)
  }
}
