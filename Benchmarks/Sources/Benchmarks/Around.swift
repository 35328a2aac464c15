import EncodeNet

/// What the tape itself costs: additions of one number.
func recording(_ operations: Int) -> () -> Void {
  let x = Tensor([1], shape: [1])
  return {
    _ = gradient(at: x) { x in
      var y = x
      for _ in 0..<operations { y = y + x }
      return y.sum()
    }
  }
}

extension Case {
  /// What stands around the layers.
  static let around: [Case] =
    [.tape(operations: 1000), .clustering(images: 1000, features: 50, clusters: 8)]
    + OptimizerKind.allCases.map { .update(optimizer: $0, parameters: 1_000_000) }

  /// An optimizer in its usual form.
  enum OptimizerKind: String, Encodable, CaseIterable {
    /// With momentum.
    case sgd
    case adam

    /// Numbers read and written for each parameter.
    var accesses: Int { self == .sgd ? 5 : 7 }

    /// A step with given gradients.
    func updating(_ parameters: Int) -> () -> Void {
      var generator = SplittableGenerator(seed: 1)
      let layer = Linear(parameters / 100, 100, bias: false, using: &generator)
      let x = Tensor.normal([1, parameters / 100], using: &generator)
      let (_, gradients) = valueWithGradient(of: layer) { $0(x).sum() }
      let optimizer: SlottedOptimizer =
        self == .sgd ? SGD(layer, learningRate: 1e-3, momentum: 0.9) : Adam(layer, learningRate: 1e-3)
      return { optimizer.update(with: gradients) }
    }
  }
}

/// k-means of features, once.
func dividing(_ images: Int, _ features: Int, _ clusters: Int) -> () -> Void {
  var generator = SplittableGenerator(seed: 1)
  let points = Tensor.normal([images, features], using: &generator)
  let kMeans = KMeans(clusters: clusters, restarts: 1)
  return { _ = try? kMeans(points) }
}
