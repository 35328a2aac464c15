/// A table of vectors, one for each number below `count`: PyTorch's `nn.Embedding`.
///
/// Maps numbers of any shape, such as tokens `[batch, length]`, to `[batch, length, features]`.
public final class Embedding: Layer {
  /// `[count, features]`.
  @Parameter public var weight: Tensor

  /// A table of numbers from the standard normal distribution, as PyTorch's.
  public init(
    _ count: Int, _ features: Int, initializer: Initializer = .normal(std: 1),
    using generator: inout some RandomNumberGenerator
  ) {
    weight = initializer([count, features], using: &generator)
  }

  /// - Precondition: Every element is a whole number in `0..<count`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let count = weight.shape[0]
    let indices = x.scalars.map { element in
      let index = Int(exactly: element) ?? -1
      let isIndex = DataFaults.check(
        (0..<count).contains(index),
        "Embedding: \(element) in an input of shape \(x.shape) is not a whole number in 0..<\(count)")
      return isIndex ? index : 0
    }
    var y = rows(indices, x.shape)
    // No gradient, but a dependence, which an export follows.
    if LayerTrace.recordsDataflow { y = y.recorded("embedding", from: [x], jointly: { _, _ in [nil] }) }
    return reported(y, of: x)
  }

  /// The vectors of `indices`: `[indices.count, features]`.
  public func callAsFunction(_ indices: [Int]) -> Tensor { rows(indices, [indices.count]) }

  private func rows(_ indices: [Int], _ shape: Shape) -> Tensor {
    let count = weight.shape[0]
    let rows = indices.map { index in
      DataFaults.check((0..<count).contains(index), "Embedding: the index \(index) is not in 0..<\(count)") ? index : 0
    }
    return weight.gather(rows).reshaped(to: Shape(shape.dimensions + [weight.shape[1]]))
  }
}
