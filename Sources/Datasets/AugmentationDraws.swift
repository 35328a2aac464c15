#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A rectangle of random area and aspect in an image.
struct RandomRectangle: Sendable, Hashable {
  /// The share of the image's area.
  var area: ClosedRange<Double>
  /// Width over height.
  var aspect: ClosedRange<Double>

  /// What is wrong with the ranges, nil where nothing is.
  var problem: String? {
    if !(area.lowerBound > 0 && area.upperBound <= 1) { return "area is \(text(area)), it must be above 0 and up to 1" }
    if !(aspect.lowerBound >= 0.01 && aspect.upperBound <= 100) {
      return "aspect is \(text(aspect)), it must be from 0.01 to 100"
    }
    return nil
  }
  private func text(_ range: ClosedRange<Double>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

  /// Draws a rectangle that lies in the image; nil where ten do not.
  ///
  /// - Parameter margin: The least number of pixels by which each side is shorter than the image's.
  func drawn(
    _ height: Int, _ width: Int, margin: Int, using generator: inout SplittableGenerator
  ) -> (rows: Range<Int>, columns: Range<Int>)? {
    for _ in 0..<10 {
      let size = Double(height * width) * Double.random(in: area, using: &generator)
      let ratio = exp(Double.random(in: log(aspect.lowerBound)...log(aspect.upperBound), using: &generator))
      let (rows, columns) = (Int((size / ratio).squareRoot().rounded()), Int((size * ratio).squareRoot().rounded()))
      guard rows > 0, columns > 0, rows <= height - margin, columns <= width - margin else { continue }
      let top = Int.random(in: 0...height - rows, using: &generator)
      let left = Int.random(in: 0...width - columns, using: &generator)
      return (top..<top + rows, left..<left + columns)
    }
    return nil
  }

  /// Draws a rectangle that may be the whole image; where ten do not fit, the largest in the centre whose aspect is allowed.
  func crop(
    _ height: Int, _ width: Int, using generator: inout SplittableGenerator
  ) -> (rows: Range<Int>, columns: Range<Int>) {
    if let rectangle = drawn(height, width, margin: 0, using: &generator) { return rectangle }
    func rounded(_ length: Double, _ side: Int) -> Int { min(max(Int(length.rounded()), 1), side) }
    let rows = rounded(Double(width) / aspect.lowerBound, height)
    let columns = rounded(Double(height) * aspect.upperBound, width)
    let (top, left) = ((height - rows) / 2, (width - columns) / 2)
    return (top..<top + rows, left..<left + columns)
  }
}

/// The strengths of random changes of colour.
struct ColourJitter: Sendable, Hashable {
  var brightness: Double
  var contrast: Double
  var saturation: Double
  var hue: Double

  /// What is wrong with the strengths, nil where nothing is.
  var problem: String? {
    for (name, value, limit) in [
      ("brightness", brightness, 10), ("contrast", contrast, 10), ("saturation", saturation, 10), ("hue", hue, 0.5),
    ] where !(value >= 0 && value <= limit) {
      return "\(name) is \(value), it must be from 0 to \(limit == 0.5 ? "0.5" : "10")"
    }
    return nil
  }

  /// Draws the changes, in their order.
  func drawn(using generator: inout SplittableGenerator) -> [ImageChange] {
    func factor(_ strength: Double) -> Double { .random(in: max(0, 1 - strength)...1 + strength, using: &generator) }
    var changes: [ImageChange] = []
    if brightness > 0 { changes.append(.brightness(factor(brightness))) }
    if contrast > 0 { changes.append(.contrast(factor(contrast))) }
    if saturation > 0 { changes.append(.saturation(factor(saturation))) }
    if hue > 0 { changes.append(.hue(.random(in: -hue...hue, using: &generator))) }
    return changes.shuffled(using: &generator)
  }
}

/// A rectangle of the mean colour in some images.
struct RandomErasing: Sendable, Hashable {
  /// The share of the images.
  var probability: Double
  var rectangle: RandomRectangle

  /// What is wrong with the values, nil where nothing is.
  var problem: String? {
    (0...1).contains(probability) ? rectangle.problem : "probability is \(probability), it must be from 0 to 1"
  }

  /// Draws whether and where.
  func drawn(_ height: Int, _ width: Int, using generator: inout SplittableGenerator) -> [ImageChange] {
    guard Double.random(in: 0..<1, using: &generator) < probability,
      let (rows, columns) = rectangle.drawn(height, width, margin: 1, using: &generator)
    else { return [] }
    return [.fill(rows: rows, columns: columns)]
  }
}
