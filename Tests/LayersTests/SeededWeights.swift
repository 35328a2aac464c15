@testable import Layers

extension Layer {
  /// Weights of standard deviation √(1 / fan in), and norms whose statistics are none of the beginning's: each element by the seed, the name
  /// of its tensor, and its place in PyTorch's order.
  func assignSeededWeights(_ seed: UInt64) throws {
    var values: [String: Tensor] = [:]
    for (name, tensor) in everything {
      let shape = tensor.shape
      let isConvolution = shape.rank == 4
      let order = isConvolution ? Shape([shape[3], shape[2], shape[0], shape[1]]) : shape
      var stream = SplittableGenerator(seed: seed, stream: name)
      let u = Tensor.uniform(order, using: &stream) * 2 - 1
      if shape.rank > 1 {
        let fanIn = order.count / order[0]
        values[name] = (isConvolution ? u.permuted([2, 3, 1, 0]) : u) * (3 / Scalar(fanIn)).squareRoot()
      } else {
        values[name] = name.hasSuffix("running_var") || name.hasSuffix("weight") ? u * 0.5 + 1 : u * 0.3
      }
    }
    try assign(values)
  }
}
