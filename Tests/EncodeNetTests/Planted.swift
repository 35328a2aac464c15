import Reports

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Points about `clusters` centres far apart, with the centre of each.
func plantedPoints(_ perCluster: Int, clusters: Int, features: Int = 6, seed: UInt64 = 1) -> (Tensor, [Int]) {
  var generator = SplittableGenerator(seed: seed)
  var (scalars, owners): ([Scalar], [Int]) = ([], [])
  for i in 0..<perCluster * clusters {
    for feature in 0..<features {
      let centre: Double = feature % clusters == i % clusters ? 5 : 0
      scalars.append(Scalar(centre + Double.random(in: -0.5...0.5, using: &generator)))
    }
    owners.append(i % clusters)
  }
  return (Tensor(scalars, shape: [perCluster * clusters, features]), owners)
}

/// Whether two divisions are the same but for the clusters' numbers.
func agree(_ a: [Int], _ b: [Int]) -> Bool {
  let joint = Set(zip(a, b).map { [$0, $1] })
  return joint.count == Set(a).count && joint.count == Set(b).count
}

/// Grey images of 4 by 4: two classes of two patterns each, with noise.
func plantedData(_ perPattern: Int = 24, test: Int = 6, seed: UInt64 = 3) throws -> DatasetSplit {
  var generator = SplittableGenerator(seed: seed)
  func part(_ count: Int) throws -> LabeledImages {
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    for i in 0..<count * 4 {
      let pattern = i % 4
      for pixel in 0..<16 {
        let isLit = pixel / 4 == pattern
        pixels.append(UInt8((isLit ? 190 : 20) + Int.random(in: 0...40, using: &generator)))
      }
      labels.append(pattern / 2)
    }
    return try LabeledImages(
      name: "planted", pixels: pixels, labels: labels, imageShape: [4, 4, 1], classNames: ["top", "bottom"])
  }
  return try DatasetSplit(training: part(perPattern), test: part(test))
}

/// A classifier small enough for tests, with a batch norm so that freezing means something.
final class Tiny: SplitClassifier {
  let features: any Layer
  let classifier: any Layer
  init(_ generator: inout SplittableGenerator) {
    features = Sequential([Flatten(), Linear(16, 8, using: &generator), BatchNorm2d(8), ReLU()])
    classifier = Sequential([Linear(8, 2, using: &generator)])
  }
}
