import Foundation

/// A drawing with two axes, as SVG that takes the colour of the text around it.
struct Plot {
  /// Told apart by people who see fewer colours too, on light and dark ground.
  static let colours = [
    "#2f6fd0", "#e07b26", "#2f9e6b", "#b04fc0", "#c7a52b", "#d0486a", "#20a0b4", "#8a6d4b", "#7a7f2f", "#7f7fd0",
  ]
  private static let (width, left, right, top, bottom) = (520.0, 56.0, 510.0, 30.0, 210.0)

  let title: String
  let x: ClosedRange<Double>
  let y: ClosedRange<Double>
  private var body = ""
  private var legend: [(name: String, colour: String)] = []

  /// Ranges that are points are widened.
  init(_ title: String, x: ClosedRange<Double>, y: ClosedRange<Double>) {
    func wide(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
      range.upperBound - range.lowerBound > 1e-9 ? range : range.lowerBound - 0.5...range.upperBound + 0.5
    }
    (self.title, self.x, self.y) = (title, wide(x), wide(y))
  }

  static func colour(_ index: Int) -> String { colours[index % colours.count] }

  private func place(_ px: Double, _ py: Double) -> (Double, Double) {
    (
      Self.left + (Self.right - Self.left) * (px - x.lowerBound) / (x.upperBound - x.lowerBound),
      Self.bottom - (Self.bottom - Self.top) * (py - y.lowerBound) / (y.upperBound - y.lowerBound)
    )
  }

  mutating func line(_ points: [(Double, Double)], _ colour: String, dashed: Bool = false) {
    let points = points.filter { $0.0.isFinite && $0.1.isFinite }
    guard points.count > 1 else {
      for (px, py) in points { dot(px, py, colour) }
      return
    }
    let places = points.map { place($0.0, $0.1) }.map { "\(fixed($0, 1)),\(fixed($1, 1))" }
    body +=
      "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.8\"\(dashed ? " stroke-dasharray=\"4 4\"" : "") points=\""
      + places.joined(separator: " ") + "\"/>"
  }

  mutating func dot(_ px: Double, _ py: Double, _ colour: String, radius: Double = 3, hollow: Bool = false) {
    let (a, b) = place(px, py)
    body +=
      "<circle cx=\"\(fixed(a, 1))\" cy=\"\(fixed(b, 1))\" r=\"\(fixed(radius, 1))\" "
      + (hollow ? "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>" : "fill=\"\(colour)\"/>")
  }

  /// Draws a bar from `low` to `high` between two places along the axis.
  mutating func bar(_ from: Double, _ to: Double, low: Double, high: Double, _ colour: String) {
    let (a, b) = (place(from, max(low, high)), place(to, min(low, high)))
    body +=
      "<rect x=\"\(fixed(a.0, 1))\" y=\"\(fixed(a.1, 1))\" width=\"\(fixed(max(b.0 - a.0, 0.5), 1))\" "
      + "height=\"\(fixed(max(b.1 - a.1, 0.5), 1))\" fill=\"\(colour)\"/>"
  }

  mutating func label(
    _ px: Double, _ py: Double, _ text: String, dx: Double = 0, dy: Double = 0, anchor: String = "middle"
  ) {
    let (a, b) = place(px, py)
    body += Self.text(a + dx, b + dy, text, anchor: anchor)
  }

  mutating func name(_ name: String, _ colour: String) { legend.append((name, colour)) }

  private static func text(_ x: Double, _ y: Double, _ text: String, anchor: String = "start", bold: Bool = false)
    -> String
  {
    "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\"\(bold ? " font-weight=\"600\"" : "")>"
      + "\(escaped(text))</text>"
  }

  /// The whole drawing.
  ///
  /// - Parameters:
  ///   - xLabels: At places along the axis, nil for its ends.
  ///   - yLabels: How a value is written, nil for no values.
  func svg(
    xLabels: [(Double, String)]? = nil, yLabels: ((Double) -> String)? = { fixed($0, 2) }, xTitle: String = ""
  ) -> String {
    var lines = ""
    if let yLabels {
      for value in ticks(y) {
        let (_, b) = place(x.lowerBound, value)
        lines +=
          "<path d=\"M\(fixed(Self.left, 0)) \(fixed(b, 1))H\(fixed(Self.right, 0))\" stroke=\"currentColor\" stroke-opacity=\".12\"/>"
        lines += Self.text(Self.left - 6, b + 4, yLabels(value), anchor: "end")
      }
    }
    for (value, text) in xLabels ?? ticks(x).map({ ($0, fixed($0, $0 == $0.rounded() ? 0 : 1)) }) {
      lines += Self.text(place(value, y.lowerBound).0, Self.bottom + 15, text, anchor: "middle")
    }
    var (names, column, row) = ("", Self.left, 0.0)
    for (name, colour) in legend {
      let wide = 34 + 6.2 * Double(name.count)
      if column + wide > Self.right, column > Self.left { (column, row) = (Self.left, row + 16) }
      let base = Self.bottom + 44 + row
      names +=
        "<rect x=\"\(fixed(column, 1))\" y=\"\(fixed(base - 6, 1))\" width=\"12\" height=\"4\" rx=\"2\" fill=\"\(colour)\"/>"
      names += Self.text(column + 16, base, name)
      column += wide
    }
    let height = Self.bottom + (legend.isEmpty ? 34 : 56 + row)
    return
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(fixed(Self.width, 0)) \(fixed(height, 0))\" role=\"img\" "
      + "aria-label=\"\(escaped(title))\" font-size=\"11\" font-family=\"system-ui, sans-serif\" fill=\"currentColor\">"
      + Self.text(Self.left, 16, title, bold: true) + lines
      + (xTitle.isEmpty ? "" : Self.text(Self.right, Self.bottom + 29, xTitle, anchor: "end"))
      + "<path d=\"M\(fixed(Self.left, 0)) \(fixed(Self.bottom, 0))H\(fixed(Self.right, 0))\" stroke=\"currentColor\" stroke-opacity=\".5\"/>"
      + body + names + "</svg>"
  }
}

/// Round values within a range, four or five of them.
func ticks(_ range: ClosedRange<Double>) -> [Double] {
  let span = range.upperBound - range.lowerBound
  guard span > 0, span.isFinite else { return [range.lowerBound] }
  let ten = 10.0
  let power = pow(ten, floor(log10(span / 4)))
  let step = [1, 2, 5, 10].map { $0 * power }.first { span / $0 <= 5 } ?? span
  return stride(
    from: (range.lowerBound / step - 1e-9).rounded(.up) * step, through: range.upperBound + step * 1e-9, by: step
  )
  .map { $0 == 0 ? 0 : $0 }
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
