/// What one step of EncodeNet's training stages sees.
public struct IndexedBatch: TrainingBatch {
  /// Rows of the training set.
  public let indices: [Int]
  public let images: Tensor
  public let labels: [Int]
  /// What the images are to become, nil where they are classified.
  public let targets: Tensor?
}

/// Batches of rows in an order that depends on the seed and the number of the epoch alone.
struct IndexedBatches: BatchSource {
  let rows: [Int]
  let labels: [Int]
  let size: Int
  /// nil keeps the order of the rows.
  let seed: UInt64?
  /// Batch norm cannot train on one image: a last batch of one is left out in training.
  let images: ([Int]) -> Tensor
  var targets: (([Int]) -> Tensor)?

  var batchCount: Int {
    let (full, rest) = rows.count.quotientAndRemainder(dividingBy: size)
    return full + (rest > (seed == nil ? 0 : 1) ? 1 : 0)
  }

  func epoch(_ number: Int) -> some Sequence<IndexedBatch> {
    var order = rows
    if let seed {
      var generator = SplittableGenerator(seed: seed &+ UInt64(number) &* 0x9e37_79b9)
      order.shuffle(using: &generator)
    }
    return (0..<batchCount).lazy.map { [order] batch in
      let indices = Array(order[batch * size..<Swift.min((batch + 1) * size, order.count)])
      return IndexedBatch(
        indices: indices, images: images(indices), labels: indices.map { labels[$0] }, targets: targets?(indices))
    }
  }
}

/// The outputs of `layer` for every row of `batches`, in their order, in evaluation mode.
func outputs(of layer: any Layer, on batches: IndexedBatches) -> Tensor {
  var (scalars, shape): ([Scalar], Shape) = ([], [0])
  layer.evaluating {
    for batch in batches.epoch(0) {
      let output = layer(batch.images)
      shape = output.shape
      output.withUnsafeScalars { scalars += $0 }
    }
  }
  return Tensor(scalars, shape: Shape([batches.rows.count] + shape.dimensions.dropFirst()))
}
