import Tensors
import Testing

/// A tensor in a fixture.
package struct Numbers: Decodable, Sendable {
  package let shape: [Int]
  package let data: [Double]
  package var tensor: Tensor { Tensor(data.map { Scalar($0) }, shape: Shape(shape)) }
}

/// Expects that `a` is `b` but for rounding, relative to the largest element.
package func expectClose(
  _ a: Tensor?, _ b: Tensor, _ tolerance: Scalar = 2e-5, _ what: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let a else {
    Issue.record("\(what()): nothing to compare", sourceLocation: sourceLocation)
    return
  }
  guard a.shape == b.shape else {
    Issue.record("\(what()): shape \(a.shape) is not \(b.shape)", sourceLocation: sourceLocation)
    return
  }
  let scale = b.scalars.reduce(1) { max($0, $1.magnitude) }
  if !a.isApproximatelyEqual(to: b, relativeTolerance: 0, absoluteTolerance: tolerance * scale) {
    let worst = zip(a.scalars, b.scalars).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
    Issue.record("\(what()): differs by \(worst):\n\(a)\nis not\n\(b)", sourceLocation: sourceLocation)
  }
}
