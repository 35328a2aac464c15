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

/// k-means of features, once.
func dividing(_ images: Int, _ features: Int, _ clusters: Int) -> () -> Void {
  var generator = SplittableGenerator(seed: 1)
  let points = Tensor.normal([images, features], using: &generator)
  let kMeans = KMeans(clusters: clusters, restarts: 1)
  return { _ = try? kMeans(points) }
}
