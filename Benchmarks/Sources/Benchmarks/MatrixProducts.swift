import EncodeNet

extension Case {
  /// Square products, and those that layers make.
  static let matrixProducts: [Case] = [
    (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048),
    (128, 10, 512), (128, 512, 512), (8192, 16, 16), (8192, 16, 144), (8192, 32, 288), (8192, 64, 64),
    (8192, 64, 576), (2048, 64, 576), (2048, 128, 1152), (512, 256, 2304), (128, 512, 4608), (512, 512, 4608),
    (576, 64, 8192), (2304, 256, 2048), (4608, 512, 512),
  ].map { .matrixProduct(m: $0, n: $1, k: $2) }
}

func multiplying(_ m: Int, _ n: Int, _ k: Int) -> () -> Void {
  var generator = SplittableGenerator(seed: 1)
  let a = Tensor.normal([m, k], using: &generator)
  let b = Tensor.normal([k, n], using: &generator)
  return { _ = matmul(a, b) }
}
