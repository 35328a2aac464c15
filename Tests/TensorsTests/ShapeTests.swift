import Tensors
import TestSupport
import Testing

@Suite("Shapes") struct ShapeTests {
  struct Pair: Decodable {
    let a: [Int]
    let b: [Int]
    let common: [Int]?
  }

  @Test func broadcastAsInNumPy() throws {
    let pairs = try fixture("broadcasting", in: .module, as: [Pair].self)
    #expect(pairs.count == 225)
    for pair in pairs {
      #expect(Shape(pair.a).broadcast(with: Shape(pair.b)) == pair.common.map { Shape($0) }, "\(pair.a) and \(pair.b)")
      guard let common = pair.common else { continue }
      // Also in computing, where some extents are 0.
      let sum = Tensor.ones(Shape(pair.a)) + Tensor.ones(Shape(pair.b))
      #expect(sum.shape == Shape(common) && sum.scalars.allSatisfy { $0 == 2 })
    }
  }

  @Test func negativeAxesCountFromTheEnd() {
    let shape: Shape = [2, 3, 5]
    #expect(shape[-1] == 5 && shape[-3] == 2)
    #expect(shape.count == 30 && Shape([]).count == 1)
    #expect("\(shape)" == "[2, 3, 5]")
  }
}
