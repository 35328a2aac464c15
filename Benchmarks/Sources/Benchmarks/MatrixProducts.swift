import EncodeNet

extension Report {
  /// Square products, and those that layers make.
  mutating func matrixProducts() {
    section("Matrix products, m × n × k")
    let shapes = [
      (64, 64, 64), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (2048, 2048, 2048), (128, 10, 512),
      (128, 512, 512), (131_072, 16, 144), (8192, 128, 1152), (2048, 512, 4608),
    ]
    var generator = SplittableGenerator(seed: 1)
    for (m, n, k) in shapes {
      let name = "gemm \(m)x\(n)x\(k)"
      guard wants(name) else { continue }
      let a = Tensor.normal([m, k], using: &generator)
      let b = Tensor.normal([k, n], using: &generator)
      arithmetic(name, operations: 2 * Double(m) * Double(n) * Double(k)) { _ = matmul(a, b) }
    }
  }
}
