import Foundation
import Testing

@testable import Layers

/// A tensor in a fixture.
struct Numbers: Decodable {
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
  _ a: Tensor?, _ b: Tensor, _ tolerance: Scalar = 2e-5, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let a else {
    Issue.record("\(what): nothing to compare", sourceLocation: sourceLocation)
    return
  }
  guard a.shape == b.shape else {
    Issue.record("\(what): shape \(a.shape) is not \(b.shape)", sourceLocation: sourceLocation)
    return
  }
  let (x, y) = (a.scalars, b.scalars)
  let scale = y.reduce(1) { max($0, abs($1)) }
  let worst = zip(x, y).reduce(Scalar(0)) { max($0, abs($1.0 - $1.1)) }
  let finite = x.allSatisfy(\.isFinite)
  #expect(finite && worst <= tolerance * scale, "\(what): differs by \(worst)", sourceLocation: sourceLocation)
}

extension Module {
  /// All parameters and buffers by name.
  var everything: [String: Tensor] {
    var all: [String: Tensor] = [:]
    for (name, parameter) in namedParameters { all[name] = parameter.wrappedValue }
    for (name, buffer) in namedBuffers { all[name] = buffer.wrappedValue }
    return all
  }

  func assign(_ values: [String: Tensor]) throws {
    for (name, parameter) in namedParameters { parameter.wrappedValue = try #require(values[name]) }
    for (name, buffer) in namedBuffers { buffer.wrappedValue = try #require(values[name]) }
  }
}

func generator(_ seed: UInt64 = 1) -> SplittableGenerator { SplittableGenerator(seed: seed) }
