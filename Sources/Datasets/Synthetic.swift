extension DatasetSplit {
  /// Generates images from patterns, whose sub-classes are known: for tests, and to see clustering at work.
  ///
  /// Each class has several patterns, smooth and random; an image is one of its class's patterns with noise. The patterns,
  /// counted within their class, are the images' ``LabeledImages/subclasses``.
  public static func synthetic(
    classes: Int = 4, patterns: Int = 3, training: Int = 960, test: Int = 240, imageShape: Shape = [16, 16, 3],
    noise: Scalar = 0.15, seed: UInt64 = 0
  ) throws(DataError) -> DatasetSplit {
    require(
      classes > 1 && patterns > 0 && imageShape.rank == 3, "synthetic: \(classes) classes of \(patterns) patterns")
    var generator = SplittableGenerator(seed: seed)
    let coarse: Shape = [classes * patterns, (imageShape[0] + 3) / 4, (imageShape[1] + 3) / 4, imageShape[2]]
    let all = upsampleBilinear2d(Tensor.uniform(coarse, using: &generator), scale: 4).sliced([
      0..<classes * patterns, 0..<imageShape[0], 0..<imageShape[1], 0..<imageShape[2],
    ])
    func part(_ count: Int) throws(DataError) -> LabeledImages {
      let labels = (0..<count).map { $0 % classes }
      let pattern = (0..<count).map { $0 / classes % patterns }
      let clean = all.gather(zip(labels, pattern).map { $0 * patterns + $1 })
      let noisy = (clean + Tensor.normal(clean.shape, std: noise, using: &generator)).clamped(to: 0...1)
      return try LabeledImages(
        name: "synthetic", pixels: noisy.scalars.map { UInt8(($0 * 255).rounded()) }, labels: labels,
        imageShape: imageShape, classNames: (0..<classes).map { "class \($0)" }, subclasses: pattern)
    }
    return try DatasetSplit(training: part(training), test: part(test))
  }
}
