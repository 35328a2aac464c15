import Training

/// Points of the plane in two classes: within the unit circle or not.
struct ToyBatch: TrainingBatch {
  var images: Tensor
  var labels: [Int]

  func rows(_ range: Range<Int>) -> ToyBatch {
    ToyBatch(images: images.gather(Array(range)), labels: Array(labels[range]))
  }
}

/// Batches whose order depends on the epoch's number.
struct ToyBatches: BatchSource {
  var batchCount = 5
  var size = 8
  func epoch(_ number: Int) -> [ToyBatch] {
    var g = SplittableGenerator(seed: UInt64(number))
    return (0..<batchCount).map { _ in
      var (points, labels): ([Scalar], [Int]) = ([], [])
      for _ in 0..<size {
        let (x, y) = (Scalar.random(in: -1.5...1.5, using: &g), Scalar.random(in: -1.5...1.5, using: &g))
        points += [x, y]
        labels.append(x * x + y * y < 1 ? 1 : 0)
      }
      return ToyBatch(images: Tensor(points, shape: [size, 2]), labels: labels)
    }
  }
}

/// A small classifier with all that a resumption must keep: weights, running statistics and a random layer.
func toyModel(seed: UInt64 = 1) -> Sequential {
  var g = SplittableGenerator(seed: seed)
  return Sequential {
    Linear(2, 16, using: &g)
    BatchNorm2d(16)
    ReLU()
    Dropout(0.25, using: &g)
    Linear(16, 2, using: &g)
  }
}

func crossEntropy(_ logits: Tensor, _ batch: ToyBatch) -> Tensor { softmaxCrossEntropy(logits, labels: batch.labels) }

/// The identity, whose logits are its input.
final class Given: Layer { func callAsFunction(_ x: Tensor) -> Tensor { x } }
