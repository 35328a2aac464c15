import CKernels

/// A linear map of what lies along an axis: each output is a sum of inputs with weights.
///
/// Resizing, pooling by area and mirrored margins are such maps of rows and columns, and so are their derivatives.
package struct AxisMap: Sendable {
  package let inputCount: Int
  package let outputCount: Int
  /// The inputs of output i and their weights are those from `starts[i]` to below `starts[i + 1]`.
  private var starts = [0]
  private var inputs: [Int] = []
  private var weights: [Scalar] = []
  /// Whether each output is one of the inputs as it is.
  private let isSelection: Bool

  /// Output i is input `selection[i]`.
  package init(selecting selection: [Int], of inputCount: Int) {
    (self.inputCount, outputCount, isSelection) = (inputCount, selection.count, true)
    (starts, inputs) = (Array(0...outputCount), selection)
    weights = [Scalar](repeating: 1, count: outputCount)
  }

  /// - Parameter shares: Calls its second argument with each input that has a share in an output, and the weight.
  package init(
    from inputCount: Int, to outputCount: Int,
    _ shares: (_ output: Int, _ add: (_ input: Int, _ weight: Scalar) -> Void) -> Void
  ) {
    (self.inputCount, self.outputCount, isSelection) = (inputCount, outputCount, false)
    for output in 0..<outputCount {
      shares(output) { input, weight in
        if inputs.count > starts.last!, inputs.last == input {
          weights[weights.count - 1] += weight
        } else {
          inputs.append(input)
          weights.append(weight)
        }
      }
      starts.append(inputs.count)
    }
  }

  /// The adjoint, which maps a gradient of outputs to that of inputs.
  package var transposed: AxisMap {
    var shares = [[(output: Int, weight: Scalar)]](repeating: [], count: inputCount)
    forEachShare { output, input, weight in shares[input].append((output, weight)) }
    return AxisMap(from: outputCount, to: inputCount) { input, add in
      for share in shares[input] { add(share.output, share.weight) }
    }
  }

  package func forEachShare(_ body: (_ output: Int, _ input: Int, _ weight: Scalar) -> Void) {
    for output in 0..<outputCount {
      for k in starts[output]..<starts[output + 1] { body(output, inputs[k], weights[k]) }
    }
  }

  fileprivate func withDescriptor(_ body: (AxisMapDescriptor) -> Void) {
    starts.withUnsafeBufferPointer { starts in
      inputs.withUnsafeBufferPointer { inputs in
        weights.withUnsafeBufferPointer { weights in
          body(
            AxisMapDescriptor(
              inputCount: inputCount, outputCount: outputCount, starts: starts.baseAddress,
              inputs: inputs.baseAddress, weights: isSelection ? nil : weights.baseAddress))
        }
      }
    }
  }
}

/// Images whose rows and columns are those of others by a map of each axis.
package struct Resampling: Sendable {
  package let rows: AxisMap
  package let columns: AxisMap

  package init(rows: AxisMap, columns: AxisMap) { (self.rows, self.columns) = (rows, columns) }

  /// Writes `images` images of `channels` channels, on all threads.
  package func callAsFunction(
    images: Int, channels: Int, from x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>
  ) {
    let width = columns.inputCount * channels
    let (imageSize, outWidth) = (rows.inputCount * width, columns.outputCount * channels)
    let height = rows.outputCount
    // What repeats pixels is mostly written, which takes 1.1 times as long past the caches.
    let streams: Int32 = height * outWidth < 2 * imageSize && Movement.streams(images * height * outWidth) ? 1 : 0
    let work = max(1, max(imageSize / max(height, 1), outWidth))
    rows.withDescriptor { rowMap in
      columns.withDescriptor { columnMap in
        nonisolated(unsafe) let (rowMap, columnMap) = (rowMap, columnMap)
        Parallel.forEach(images * height, grain: max(1, Tuning.Tasks.scalars / work)) { range in
          let scratch = Storage(count: width)
          var row = range.lowerBound
          while row < range.upperBound {
            let (image, first) = row.quotientAndRemainder(dividingBy: height)
            let count = min(height - first, range.upperBound - row)
            en_resample(
              rowMap, columnMap, channels, first, count, streams, x + image * imageSize, scratch.pointer,
              y + row * outWidth)
            row += count
          }
        }
      }
    }
  }
}
