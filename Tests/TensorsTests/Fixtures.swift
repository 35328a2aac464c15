import Foundation
import Tensors
import Testing

/// A tensor in a fixture.
struct Numbers: Decodable, Sendable {
  let shape: [Int]
  let data: [Double]
  var tensor: Tensor { Tensor(data.map { Scalar($0) }, shape: Shape(shape)) }
}

func fixture<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
  let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Fixtures"))
  return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Whether `a` is `b` but for rounding, relative to the largest element.
func expectClose(
  _ a: Tensor, _ b: Tensor, _ tolerance: Scalar, _ what: @autoclosure () -> String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard a.shape == b.shape else {
    Issue.record("\(what()): shape \(a.shape) is not \(b.shape)", sourceLocation: sourceLocation)
    return
  }
  let scale = b.scalars.reduce(1) { max($0, $1.magnitude) }
  if !a.isApproximatelyEqual(to: b, relativeTolerance: 0, absoluteTolerance: tolerance * scale) {
    Issue.record("\(what()):\n\(a)\nis not\n\(b)", sourceLocation: sourceLocation)
  }
}

let isDouble = Scalar.self == Double.self

func normal(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
  var generator = SplittableGenerator(seed: seed)
  return .normal(shape, using: &generator)
}
