extension Tensor: CustomStringConvertible {
  /// The elements in nested brackets, aligned, with four decimals at most; of more than a thousand the first and last three
  /// of each axis, and the shape.
  public var description: String {
    guard count > 0 else { return "[] of shape \(shape)" }
    let isSummarized = count > 1000
    let format = NumberFormat(self)
    var texts: [String] = []
    forEachShown(isSummarized) { texts.append(format.text($0)) }
    let width = texts.reduce(0) { Swift.max($0, $1.count) }
    var next = texts.makeIterator()
    let body = bracketed(axis: 0, isSummarized) {
      let text = next.next()!
      return String(repeating: " ", count: width - text.count) + text
    }
    return isSummarized ? "\(body) of shape \(shape)" : body
  }

  /// Calls `body` with the elements that are printed, in order.
  private func forEachShown(_ isSummarized: Bool, _ body: (Scalar) -> Void) {
    func walk(_ axis: Int, _ offset: Int) {
      guard axis < rank else { return body(pointer[offset]) }
      for index in Self.shown(shape[axis], isSummarized) {
        if let index { walk(axis + 1, offset + index * shape.strides[axis]) }
      }
    }
    walk(0, 0)
  }

  private func bracketed(axis: Int, _ isSummarized: Bool, _ next: () -> String) -> String {
    guard axis < rank else { return next() }
    let parts = Self.shown(shape[axis], isSummarized).map {
      $0 == nil ? "…" : bracketed(axis: axis + 1, isSummarized, next)
    }
    let inner = rank - axis - 1
    let separator =
      inner == 0 ? ", " : "," + String(repeating: "\n", count: inner) + String(repeating: " ", count: axis + 1)
    return "[" + parts.joined(separator: separator) + "]"
  }

  /// The indices that are printed along an axis, nil for an ellipsis.
  private static func shown(_ extent: Int, _ isSummarized: Bool) -> [Int?] {
    isSummarized && extent > 6 ? [0, 1, 2, nil, extent - 3, extent - 2, extent - 1] : Array(0..<extent)
  }
}

/// The format of the numbers of a tensor: four decimals where all have an ordinary magnitude, else their full precision.
private struct NumberFormat {
  private let isOrdinary: Bool

  init(_ tensor: Tensor) {
    isOrdinary = tensor.withUnsafeScalars {
      $0.allSatisfy { $0 == 0 || !$0.isFinite || (1e-3..<1e6).contains($0.magnitude) }
    }
  }

  func text(_ x: Scalar) -> String {
    isOrdinary && x.isFinite ? "\((Double(x) * 1e4).rounded() / 1e4)" : "\(x)"
  }
}
