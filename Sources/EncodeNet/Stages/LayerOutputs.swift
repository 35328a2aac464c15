/// The outputs of `layer` for every image of `batches`, in their order, in evaluation mode.
///
/// - Parameter reduce: Made of each batch's outputs, so that large ones are never in memory all at once.
public func outputs(
  of layer: any Layer, on batches: some BatchSource<Batch>, reduce: (Tensor) -> Tensor = { $0 }
) -> Tensor {
  layer.evaluating { Tensor.concatenated(batches.epoch(0).map { reduce(layer($0.images)) }) }
}

/// Batches of the rows of a tensor, as ``Batches`` makes them of images: features that are found once and used often.
public struct TensorBatches: BatchSource {
  /// The inputs of all steps, as rows.
  public let inputs: Tensor
  /// The class of each row.
  public let labels: [Int]
  /// The number of rows of a batch; the last one may have fewer.
  public let size: Int
  /// Decides the order; nil keeps that of the rows.
  public let seed: UInt64?

  /// The rows of `inputs` in batches. In random order a last batch of a single row is left out: batch norm cannot train on it.
  public init(inputs: Tensor, labels: [Int], size: Int, seed: UInt64? = nil) {
    require(
      inputs.rank >= 2 && inputs.shape[0] == labels.count && size > 0,
      "TensorBatches: inputs \(inputs.shape) do not fit \(labels.count) labels, or \(size) is no size of a batch")
    (self.inputs, self.labels, self.size, self.seed) = (inputs, labels, size, seed)
  }

  public var batchCount: Int {
    let (full, rest) = labels.count.quotientAndRemainder(dividingBy: size)
    return full + (rest > (seed == nil ? 0 : 1) ? 1 : 0)
  }

  public func epoch(_ number: Int) -> some Sequence<Batch> {
    var order = Array(labels.indices)
    if let seed {
      var generator = SplittableGenerator(seed: seed, stream: "epoch \(number)")
      order.shuffle(using: &generator)
    }
    return (0..<batchCount).lazy.map { [order] batch in
      let rows = Array(order[batch * size..<Swift.min((batch + 1) * size, order.count)])
      return Batch(images: inputs.gather(rows), labels: rows.map { labels[$0] }, indices: rows)
    }
  }
}

/// Batches of images as a frozen encoder gives their features, batch by batch: for those that do not fit memory.
struct EncodedBatches: BatchSource {
  let encoder: any Layer
  let images: Batches

  var batchCount: Int { images.batchCount }

  func epoch(_ number: Int) -> some Sequence<Batch> { images.epoch(number).lazy.map(encoded) }

  func epoch(_ number: Int, from first: Int, shard: Shard) -> any Sequence<BatchShard<Batch>> {
    images.shards(ofEpoch: number, from: first, shard, encoded)
  }

  var dataFingerprint: String? { images.dataFingerprint }

  private func encoded(_ batch: Batch) -> Batch {
    var batch = batch
    batch.images = encoder.evaluating { encoder(batch.images) }.detached
    return batch
  }
}

extension Tensor {
  /// The tensor as a matrix, with a row for each index of the first axis.
  var flattenedRows: Tensor { reshaped(to: [shape[0], shape[0] == 0 ? 0 : count / shape[0]]) }

  /// A map's mean over height and width; a vector as it is.
  var averagedOverSpace: Tensor { rank == 4 ? globalAveragePool2d(self) : flattenedRows }
}

/// The squared Euclidean distances from each row of `a` to each row of `b`.
func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
  func lengths(_ rows: Tensor) -> Tensor { square(rows).sum(alongAxes: [1]) }
  // Rounding may leave a little less than nothing.
  return relu(lengths(a).unsqueezed(at: 1) + lengths(b) - 2 * matmul(a, b, transposeB: true))
}
