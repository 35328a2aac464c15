import EncodeNet

/// One public operation on inputs of these shapes, forward or forward and backward.
///
/// ``functions`` and `Benchmarks/peers.py`'s table OPERATIONS have the same names; `Benchmarks/operations.txt` says which of the
/// library's operations each stands for.
struct Operation: Encodable {
  /// A key of ``functions``.
  var name: String
  /// Of the inputs that gradients are taken of; images are `[batch, height, width, channels]`, weights of convolutions
  /// `[height, width, inputs / groups, outputs]`.
  var shapes: [[Int]]
  /// Whether the inputs are from 0.1 on, in place of normal.
  var isPositive = false
  var isBackward = false

  init(_ name: String, _ shapes: [[Int]], isPositive: Bool = false) {
    (self.name, self.shapes, self.isPositive) = (name, shapes, isPositive)
  }

  var title: String {
    "operations \(name) \(shapes.map { $0.map(String.init).joined(separator: "x") }.joined(separator: " ")) "
      + (isBackward ? "forward-backward" : "forward")
  }

  /// To and from memory as if every input were read and a result of the first one's size written, for each direction.
  var bytes: Double {
    let counts = shapes.map { Double($0.reduce(1, *)) }
    return 4 * (counts.reduce(0, +) + (counts.first ?? 0)) * (isBackward ? 2 : 1)
  }

  /// The operation forward.
  var forward: Case { .operation(self) }

  /// The operation forward, and forward and backward.
  var bothWays: [Case] {
    var backward = self
    backward.isBackward = true
    return [.operation(self), .operation(backward)]
  }

  /// Sets the inputs up; what is returned does the operation once, and takes its gradients.
  func prepare() -> () -> Void {
    var generator = SplittableGenerator(seed: 1)
    let inputs = shapes.map { dimensions in
      let shape = Shape(dimensions)
      return isPositive
        ? Tensor.uniform(shape, in: 0.1..<4, using: &generator) : Tensor.normal(shape, using: &generator)
    }
    let function = Self.functions[name]!(inputs)
    guard isBackward else { return { function(inputs).withUnsafeScalars { _ in } } }
    let upstream = Tensor.normal(function(inputs).shape, using: &generator)
    return {
      let (_, pullback) = valueWithPullback(at: inputs, of: function)
      for gradient in pullback(upstream) { gradient.withUnsafeScalars { _ in } }
    }
  }
}
