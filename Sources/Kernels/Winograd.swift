import CKernels

/// 3×3 convolutions with stride 1 and padding 1 by Winograd's minimal filtering; see `winograd.h` for the transforms.
///
/// Forward and backward-data are the same: tiles of x become planes V, the weights planes U, M = V U in each plane, and M
/// becomes tiles of y. Backward-weights is the exact adjoint: dU = Vᵀ D, D being the planes of dy.
///
/// A block of tiles small enough for the second-level cache goes through all steps at once, on one thread.
package struct Winograd {
  let images: Int
  let height: Int
  let width: Int
  private let form: en_winograd_form
  private let planes: Int
  private let tileCount: Int

  /// Whether images of `height` by `width` with so many channels can be convolved this way, and gain by it.
  package static func applies(height: Int, width: Int, inputs: Int, outputs: Int) -> Bool {
    guard inputs % 16 == 0, outputs % 16 == 0 else { return false }
    return (height == 2 && width == 2) || (height >= 4 && width >= 4)
  }

  package init(images: Int, height: Int, width: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    let isTiny = height == 2 && width == 2
    form = isTiny ? en_winograd_2x2 : en_winograd_4x4
    planes = isTiny ? 9 : 36
    let side = isTiny ? 2 : 4
    tileCount = images * ((height + side - 1) / side) * ((width + side - 1) / side)
  }

  private func tiles(_ channels: Int, _ range: Range<Int>) -> en_tiles {
    en_tiles(
      form: form, height: height, width: width, channels: channels, first: range.lowerBound, count: range.count)
  }

  /// Room between planes, so that they do not fall on the same lines of a cache.
  private func padded(_ count: Int) -> Int { count + 16 }

  // MARK: Forward and backward-data

  /// Whether this takes less time than the definition, where weights lie ready for either.
  ///
  /// Time is that of multiplying, on fewer than four rows as on four, plus that of reading the weights from memory, of which
  /// a scalar costs as much as some ten products.
  func isFaster(than direct: (products: Int, weights: Int), inputs: Int, outputs: Int) -> Bool {
    let weights = planes * inputs * outputs
    return max(4, tileCount) * weights + 10 * weights < direct.products + 10 * direct.weights
  }

  /// y = epilogue of x ∗ w.
  ///
  /// - Parameters:
  ///   - x: `[images, height, width, inputs]`.
  ///   - w: `[3, 3, inputs, outputs]`, or for the adjoint `[3, 3, outputs, inputs]`.
  ///   - isAdjoint: Whether x is the gradient of a convolution's output, and y that of its input.
  ///   - layouts: Keeps `w` as the kernels want it, for the next time.
  ///   - y: `[images, height, width, outputs]`.
  package func convolve(
    _ x: UnsafePointer<Scalar>, _ w: UnsafePointer<Scalar>, isAdjoint: Bool = false, layouts: WeightLayouts? = nil,
    inputs: Int, outputs: Int, epilogue: Epilogue = Epilogue(), into y: UnsafeMutablePointer<Scalar>
  ) {
    let epilogue = epilogue.streaming(to: y, images * height * width * outputs, channels: outputs)
    let weights = Weights(w, inputs: inputs, outputs: outputs, isAdjoint: isAdjoint, form: form, planes: planes)
    let ready = layouts.map { layouts in
      layouts.storage(form == en_winograd_4x4 ? .winograd4x4 : .winograd2x2) {
        weights.transformed(blocks: outputs / 16, inputs)
      }
    }
    // Where the weights are more than the images, each thread takes outputs, and transforms their weights just before use.
    if tileCount <= 160 && inputs * outputs >= (ready == nil ? 256 * 256 : 64 * 64) {
      splittingOutputs(x, weights, ready, inputs, outputs, epilogue, y)
    } else {
      let u = ready ?? weights.transformed(blocks: outputs / 16, inputs)
      splittingTiles(x, weights, u, inputs, outputs, epilogue, y)
    }
  }

  private struct Weights {
    let w: UnsafePointer<Scalar>
    let form: en_winograd_form
    let (tapStride, inputStride, outputStride): (Int, Int, Int)
    /// Scalars of a plane, and of all planes of 16 outputs.
    let (plane, block): (Int, Int)

    init(
      _ w: UnsafePointer<Scalar>, inputs: Int, outputs: Int, isAdjoint: Bool, form: en_winograd_form, planes: Int
    ) {
      (self.w, self.form) = (w, form)
      (tapStride, inputStride, outputStride) =
        isAdjoint ? (-inputs * outputs, 1, inputs) : (inputs * outputs, outputs, 1)
      plane = inputs * 16 + 16
      block = planes * plane + 32
    }

    func transform(block kb: Int, _ inputs: Range<Int>, into u: UnsafeMutablePointer<Scalar>) {
      en_winograd_weights(
        form, inputs.lowerBound, inputs.upperBound, w + kb * 16 * outputStride, tapStride, inputStride, outputStride,
        u, plane)
    }

    /// All planes of all outputs.
    func transformed(blocks: Int, _ inputs: Int) -> Storage {
      let u = Storage(count: blocks * block)
      let slices = max(1, inputs / 32)
      Parallel.forEach(blocks * slices) { range in
        for task in range {
          let (kb, slice) = task.quotientAndRemainder(dividingBy: slices)
          transform(
            block: kb, inputs * slice / slices..<inputs * (slice + 1) / slices, into: u.pointer + kb * block)
        }
      }
      return u
    }
  }

  private func splittingTiles(
    _ x: UnsafePointer<Scalar>, _ weights: Weights, _ u: Storage, _ inputs: Int, _ outputs: Int, _ epilogue: Epilogue,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    let blocks = outputs / 16
    let size = inputs <= 32 ? 36 : inputs <= 64 ? 24 : inputs <= 128 ? 36 : 64
    let group = min(inputs <= 16 ? 1 : 2, blocks)
    let vPlane = padded(size * inputs)
    let mPlane = padded(size * group * 16)
    Parallel.sweep((tileCount + size - 1) / size) { range in
      let v = Storage(count: planes * vPlane)
      let m = Storage(count: planes * mPlane)
      for first in stride(from: range.lowerBound * size, to: min(range.upperBound * size, tileCount), by: size) {
        let some = first..<min(first + size, tileCount)
        en_winograd_input(
          tiles(inputs, some), x, en_plane_layout(plane: vPlane, tile: inputs, block: 16), v.pointer, en_ahead())
        for kb in stride(from: 0, to: blocks, by: group) {
          let count = min(group, blocks - kb)
          en_winograd_multiply(
            form, some.count, inputs, v.pointer, vPlane, count, u.pointer + kb * weights.block, weights.plane,
            weights.block, m.pointer, mPlane,
            ahead(
              x, inputs, some.upperBound..<min(some.upperBound + size, range.upperBound * size), kb..<kb + count, blocks
            ))
          en_winograd_output(
            tiles(outputs, some), kb, count, en_plane_layout(plane: mPlane, tile: count * 16, block: 16), m.pointer,
            epilogue, y)
        }
      }
    }
  }

  /// About where the pixels of some tiles lie; of `wholes` parts the `parts`.
  private func ahead(
    _ x: UnsafePointer<Scalar>, _ channels: Int, _ tiles: Range<Int>, _ parts: Range<Int>, _ wholes: Int
  ) -> en_ahead {
    let perTile = images * height * width * channels / tileCount
    let count = max(0, min(tiles.upperBound, tileCount) - tiles.lowerBound) * perTile
    let start = tiles.lowerBound * perTile + count * parts.lowerBound / wholes
    return en_ahead(start: x + start, bytes: count * parts.count / wholes * MemoryLayout<Scalar>.stride)
  }

  private func splittingOutputs(
    _ x: UnsafePointer<Scalar>, _ weights: Weights, _ ready: Storage?, _ inputs: Int, _ outputs: Int,
    _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>
  ) {
    let vPlane = padded(tileCount * inputs)
    let v = Storage(count: planes * vPlane)
    Parallel.forEach(tileCount, grain: 4) { range in
      en_winograd_input(
        tiles(inputs, range), x, en_plane_layout(plane: vPlane, tile: inputs, block: 16),
        v.pointer + range.lowerBound * inputs, en_ahead())
    }
    let size = min(tileCount, 48)
    let group = inputs >= 512 ? 1 : 2
    let mPlane = padded(size * group * 16)
    let blocks = outputs / 16
    Parallel.forEach((blocks + group - 1) / group) { range in
      let room = Storage(count: ready == nil ? group * weights.block : 0)
      let m = Storage(count: planes * mPlane)
      for kb in stride(from: range.lowerBound * group, to: min(range.upperBound * group, blocks), by: group) {
        let count = min(group, blocks - kb)
        if ready == nil {
          for b in 0..<count { weights.transform(block: kb + b, 0..<inputs, into: room.pointer + b * weights.block) }
        }
        let u = ready.map { $0.pointer + kb * weights.block } ?? room.pointer
        for first in stride(from: 0, to: tileCount, by: size) {
          let some = first..<min(first + size, tileCount)
          en_winograd_multiply(
            form, some.count, inputs, v.pointer + first * inputs, vPlane, count, u, weights.plane,
            weights.block, m.pointer, mPlane, en_ahead())
          en_winograd_output(
            tiles(outputs, some), kb, count, en_plane_layout(plane: mPlane, tile: count * 16, block: 16), m.pointer,
            epilogue, y)
        }
      }
    }
  }

  // MARK: Backward-weights

  /// dw = the gradient of the weights `[3, 3, inputs, outputs]`.
  ///
  /// - Parameters:
  ///   - x: `[images, height, width, inputs]`.
  ///   - dy: `[images, height, width, outputs]`.
  package func weightsGradient(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, inputs: Int, outputs: Int,
    into dw: UnsafeMutablePointer<Scalar>
  ) {
    if inputs * outputs > 64 * 64 {
      gradientSplittingWeights(x, dy, inputs, outputs, dw)
    } else {
      gradientSplittingTiles(x, dy, inputs, outputs, dw)
    }
  }

  /// Few weights: each part of the tiles has a gradient of its own, and they are added up.
  private func gradientSplittingTiles(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ inputs: Int, _ outputs: Int,
    _ dw: UnsafeMutablePointer<Scalar>
  ) {
    let (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let size = inputs <= 32 ? 32 : inputs * height <= 512 ? 32 : 128
    let plane = padded(size * 16)
    let block = planes * plane + 32
    let uPlane = padded(inputs * 16)
    let uBlock = planes * uPlane + 32
    let parts = max(1, min(Parallel.threadCount * 2, tileCount / size))
    let u = Storage(count: parts * outputBlocks * uBlock)
    Parallel.forEach(parts) { range in
      let v = Storage(count: (inputBlocks + outputBlocks) * block)
      let d = v.pointer + inputBlocks * block
      let layout = en_plane_layout(plane: plane, tile: 16, block: block)
      for part in range {
        let own = u.pointer + part * outputBlocks * uBlock
        let (begin, end) = (tileCount * part / parts, tileCount * (part + 1) / parts)
        for first in stride(from: begin, to: end, by: size) {
          let some = first..<min(first + size, end)
          en_winograd_input(tiles(inputs, some), x, layout, v.pointer, ahead(dy, outputs, some, 0..<1, 1))
          en_winograd_output_gradient(tiles(outputs, some), dy, layout, d)
          for kb in 0..<outputBlocks {
            en_winograd_multiply_transposed(
              form, some.count, inputBlocks, v.pointer, block, d + kb * block, plane, own + kb * uBlock, uPlane,
              first > begin ? 1 : 0,
              ahead(x, inputs, some.upperBound..<min(some.upperBound + size, end), kb..<kb + 1, outputBlocks))
          }
        }
      }
    }
    Parallel.forEach(outputBlocks * inputBlocks) { range in
      for task in range {
        let (kb, cb) = task.quotientAndRemainder(dividingBy: inputBlocks)
        let sum = u.pointer + kb * uBlock + cb * 256
        for part in 1..<max(parts, 1) {
          let other = sum + part * outputBlocks * uBlock
          for p in 0..<planes {
            en_add(1, 256, 0, 1, 0, 1, sum + p * uPlane, other + p * uPlane, sum + p * uPlane)
          }
        }
        store(sum, uPlane, inputs: 16, outputs, into: dw + cb * 16 * outputs + kb * 16, inputCount: inputs)
      }
    }
  }

  /// Many weights: each thread takes some of them, over all tiles, a few hundred at a time.
  private func gradientSplittingWeights(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ inputs: Int, _ outputs: Int,
    _ dw: UnsafeMutablePointer<Scalar>
  ) {
    let (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let size = min(128, tileCount)
    let plane = padded(size * 16)
    let block = planes * plane + 32
    let v = Storage(count: (inputBlocks + outputBlocks) * block)
    let d = v.pointer + inputBlocks * block
    let layout = en_plane_layout(plane: plane, tile: 16, block: block)
    let group = 2
    let groups = (inputBlocks + group - 1) / group
    let uPlane = padded(group * 256)
    let uGroup = planes * uPlane + 32
    // Where all tiles go by at once, sums need no memory of their own between them.
    let isOnce = tileCount <= size
    let u = Storage(count: isOnce ? 0 : outputBlocks * groups * uGroup)
    for first in stride(from: 0, to: tileCount, by: size) {
      let end = min(first + size, tileCount)
      Parallel.forEach(end - first, grain: 4) { range in
        let some = first + range.lowerBound..<first + range.upperBound
        en_winograd_input(tiles(inputs, some), x, layout, v.pointer + range.lowerBound * 16, en_ahead())
        en_winograd_output_gradient(tiles(outputs, some), dy, layout, d + range.lowerBound * 16)
      }
      // The pixels that are transformed next, some for each task.
      func soon(_ task: Int, _ tasks: Int) -> en_ahead {
        let next = end..<min(end + size, tileCount)
        let half = tasks / 2
        return task < half
          ? ahead(x, inputs, next, task..<task + 1, half)
          : ahead(dy, outputs, next, task - half..<task - half + 1, tasks - half)
      }
      Parallel.forEach(outputBlocks * groups) { range in
        let room = Storage(count: isOnce ? uGroup : 0)
        for task in range {
          let (cg, kb) = task.quotientAndRemainder(dividingBy: outputBlocks)
          let own = isOnce ? room.pointer : u.pointer + task * uGroup
          let count = min(group, inputBlocks - cg * group)
          en_winograd_multiply_transposed(
            form, end - first, count, v.pointer + cg * group * block, block, d + kb * block, plane, own, uPlane,
            first > 0 ? 1 : 0,
            soon(task, outputBlocks * groups))
          if end == tileCount {
            store(
              own, uPlane, inputs: count * 16, outputs, into: dw + cg * group * 16 * outputs + kb * 16,
              inputCount: inputs)
          }
        }
      }
    }
  }

  private func store(
    _ u: UnsafePointer<Scalar>, _ uPlane: Int, inputs: Int, _ outputs: Int, into dw: UnsafeMutablePointer<Scalar>,
    inputCount: Int
  ) {
    en_winograd_weights_gradient(form, inputs, u, uPlane, dw, inputCount * outputs, outputs)
  }
}
