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

/// A case of `edges.json`, whose numbers are texts, as JSON has neither infinities nor NaN.
package struct EdgeCase: Decodable, Sendable {
  /// A tensor in texts.
  package struct Texts: Decodable, Sendable {
    let shape: [Int]
    let data: [String]
    package var tensor: Tensor { Tensor(data.map { Scalar(Double($0)!) }, shape: Shape(shape)) }
  }
  package let name: String
  package let inputs: [Texts]
  package let output: Texts
  package let gradients: [Texts]

  /// Expects the output and the gradients of the sum of `f` to be those of the fixture, infinities and NaN included.
  package func expect(_ f: @escaping ([Tensor]) -> Tensor, sourceLocation: SourceLocation = #_sourceLocation) {
    let inputs = inputs.map(\.tensor)
    expectSame(f(inputs), output.tensor, "output of \(name)", sourceLocation)
    for (found, expected) in zip(gradient(at: inputs) { f($0).sum() }, gradients) {
      expectSame(found, expected.tensor, "gradient of \(name)", sourceLocation)
    }
  }

  private func expectSame(_ a: Tensor, _ b: Tensor, _ what: String, _ sourceLocation: SourceLocation) {
    let isSame =
      a.shape == b.shape
      && zip(a.scalars, b.scalars).allSatisfy {
        $0 == $1 || $0.isNaN && $1.isNaN || abs($0 - $1) <= 2e-6 * max(1, abs($1))
      }
    #expect(isSame, "\(what): \(a.shape) \(a) is not \(b.shape) \(b)", sourceLocation: sourceLocation)
  }
}
