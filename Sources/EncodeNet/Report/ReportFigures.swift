import Foundation

/// Drawings for the report, as SVG that follows the page's colours.
enum Figure {
  static let colours = ["#2f6fd0", "#d0702f", "#3a9a5b", "#a04fc0", "#b0903a", "#c04f6a"]

  /// Lines over epochs, all to one scale.
  static func lines(_ title: String, _ series: [(name: String, values: [Double])]) -> String {
    let series = series.map { ($0.name, $0.values.filter(\.isFinite)) }.filter { !$0.1.isEmpty }
    let all = series.flatMap(\.1)
    let (low, high) = (min(0, all.min() ?? 0), max(all.max() ?? 1, 1e-9))
    let longest = max(series.map(\.1.count).max() ?? 1, 2)
    var body = ""
    for (index, (name, values)) in series.enumerated() {
      let colour = colours[index % colours.count]
      let points = values.enumerated().map { epoch, value in
        "\(fixed(50 + 440 * Double(epoch) / Double(longest - 1), 1)),\(fixed(190 - 160 * (value - low) / (high - low), 1))"
      }.joined(separator: " ")
      body += "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points)\"/>"
      if values.count == 1 {
        let y = fixed(190 - 160 * (values[0] - low) / (high - low), 1)
        body += "<circle cx=\"50\" cy=\"\(y)\" r=\"3\" fill=\"\(colour)\"/>"
      }
      let x = 50 + index % 5 * 90
      body += "<rect x=\"\(x)\" y=\"222\" width=\"12\" height=\"3\" fill=\"\(colour)\"/>"
      body += text(x + 16, 228, name)
    }
    return frame(title, low: fixed(low, 2), high: fixed(high, 2), left: "epoch 1", right: "\(longest)", body)
  }

  /// Two histograms over the same bins, one beside the other, their counts on a logarithmic scale.
  static func histograms(_ title: String, _ series: [(name: String, values: [Double])], bins: Int = 20) -> String {
    let top = max(series.flatMap(\.values).filter(\.isFinite).max() ?? 1, 1e-9)
    let counts = series.map { one in
      one.values.filter(\.isFinite).reduce(into: [Int](repeating: 0, count: bins)) { counts, value in
        counts[min(bins - 1, max(0, Int(value / top * Double(bins))))] += 1
      }
    }
    let most = max(counts.flatMap { $0 }.max() ?? 1, 1)
    let width = 440 / Double(bins) / Double(max(series.count, 1)) - 1
    var body = ""
    for (index, one) in counts.enumerated() {
      let colour = colours[index % colours.count]
      for (bin, count) in one.enumerated() where count > 0 {
        let height = 160 * log(1 + Double(count)) / log(1 + Double(most))
        let x = 50 + 440 / Double(bins) * Double(bin) + (width + 1) * Double(index)
        body +=
          "<rect x=\"\(fixed(x, 1))\" y=\"\(fixed(190 - height, 1))\" width=\"\(fixed(width, 1))\" "
          + "height=\"\(fixed(height, 1))\" fill=\"\(colour)\"/>"
      }
      body += "<rect x=\"\(50 + index * 150)\" y=\"220\" width=\"12\" height=\"8\" fill=\"\(colour)\"/>"
      body += text(66 + index * 150, 228, series[index].name)
    }
    return frame(
      "\(title), images (logarithmic)", low: "0", high: "\(most)", left: "0 nats", right: fixed(top, 2), body)
  }

  private static func frame(
    _ title: String, low: String, high: String, left: String, right: String, _ body: String
  ) -> String {
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 500 240\" role=\"img\" aria-label=\"\(escaped(title))\">"
      + text(50, 16, title) + text(4, 36, high) + text(4, 194, low) + text(50, 206, left)
      + "<g text-anchor=\"end\">" + text(490, 206, right) + "</g>"
      + "<path d=\"M50 30V190H490\" fill=\"none\" stroke=\"#888\"/>" + body + "</svg>"
  }
  private static func text(_ x: Int, _ y: Int, _ text: String) -> String {
    "<text x=\"\(x)\" y=\"\(y)\" font-size=\"11\" font-family=\"sans-serif\" fill=\"#888\">\(escaped(text))</text>"
  }
}

/// `text` with what HTML and SVG read as their own replaced.
func escaped(_ text: String) -> String {
  text.reduce(into: "") { out, c in
    switch c {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    default: out.append(c)
    }
  }
}
