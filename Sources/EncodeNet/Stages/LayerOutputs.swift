/// The outputs of `layer` for every image of `batches`, in their order, in evaluation mode.
///
/// - Parameter reduce: Made of each batch's outputs, so that large ones are never held all at once.
func outputs(
  of layer: any Layer, on batches: some BatchSource<Batch>, reduce: (Tensor) -> Tensor = { $0 }
) -> Tensor {
  layer.evaluating { Tensor.concatenated(batches.epoch(0).map { reduce(layer($0.images)) }) }
}

/// Batches that are to be learnt otherwise than by their labels: stage S6.
struct ConversionBatches: BatchSource {
  let inputs: Batches
  /// Gives a batch its targets, by its indices into the images of `inputs`.
  let retarget: (inout Batch) -> Void

  var batchCount: Int { inputs.batchCount }

  func epoch(_ number: Int) -> some Sequence<Batch> {
    inputs.epoch(number).lazy.map { batch in
      var batch = batch
      retarget(&batch)
      return batch
    }
  }
}

/// Batches of the rows of a tensor, as ``Batches`` makes them of images: features that are found once and used often.
struct TensorBatches: BatchSource {
  let inputs: Tensor
  let labels: [Int]
  let size: Int
  /// nil keeps the order of the rows.
  var seed: UInt64?

  var batchCount: Int {
    let (full, rest) = labels.count.quotientAndRemainder(dividingBy: size)
    return full + (rest > (seed == nil ? 0 : 1) ? 1 : 0)
  }

  func epoch(_ number: Int) -> some Sequence<Batch> {
    var order = Array(labels.indices)
    if let seed {
      var generator = SplittableGenerator(seed: seed &+ UInt64(number) &* 0x9e37_79b9)
      order.shuffle(using: &generator)
    }
    return (0..<batchCount).lazy.map { [order] batch in
      let rows = Array(order[batch * size..<Swift.min((batch + 1) * size, order.count)])
      return Batch(images: inputs.gathering(rows), labels: rows.map { labels[$0] }, indices: rows)
    }
  }
}

extension Tensor {
  /// The same numbers with one row for each of the first axis.
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
