import Tensors

let isDouble = Scalar.self == Double.self

func normal(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
  var generator = SplittableGenerator(seed: seed)
  return .normal(shape, using: &generator)
}
