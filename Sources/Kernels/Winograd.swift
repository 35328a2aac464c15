import CKernels

/// 3×3 convolutions with stride 1 and padding 1 by Winograd's minimal filtering; see `winograd.h` for the transforms.
///
/// Forward and backward-data are the same: tiles of x become planes V, the weights planes U, M = V U in each plane, and M
/// becomes tiles of y.
///
/// A block of tiles small enough for the second-level cache goes through all steps at once, on one thread.
package struct Winograd {
  let images: Int
  let height: Int
  let width: Int
  let form: en_winograd_form
  let planes: Int
  let tileCount: Int
  let tilesPerImage: Int

  package init(_ algorithm: ConvolutionAlgorithm, images: Int, height: Int, width: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    let isTiny = algorithm == .winograd2x2
    form = isTiny ? en_winograd_2x2 : en_winograd_4x4
    planes = isTiny ? 9 : 36
    let side = isTiny ? 2 : 4
    tilesPerImage = ((height + side - 1) / side) * ((width + side - 1) / side)
    tileCount = images * tilesPerImage
  }

  func tiles(_ channels: Int, _ range: Range<Int>) -> en_tiles {
    en_tiles(
      form: form, height: height, width: width, channels: channels, first: range.lowerBound, count: range.count)
  }

  /// Whether images that are computed as they are needed take less time than images in memory: they are so many that each
  /// thread finds some, so small that those stay in its cache, and needed once in each sweep.
  func takesComputed(_ inputs: Int, _ outputs: Int) -> Bool {
    Self.hasFewWeights(inputs, outputs) && images >= 8 * Parallel.threadCount
      && height * width * max(inputs, outputs) <= 1 << 16
  }

  /// Images that a thread takes at a time where it computes them first.
  var imagesTogether: Int { max(1, 64 / tilesPerImage) }

  /// Room between planes, so that they do not fall on the same lines of a cache.
  func padded(_ count: Int) -> Int { count + 16 }

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
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, isAdjoint: Bool = false, layouts: WeightLayouts? = nil,
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
    let (isFew, isHeavy) =
      ready == nil
      ? (tileCount <= 160, inputs * outputs >= 256 * 256) : (tileCount < outputs, inputs * outputs >= 64 * 64)
    if isFew && isHeavy {
      splittingOutputs(x.pointer, weights, ready, inputs, outputs, epilogue, y)
    } else {
      let u = ready ?? weights.transformed(blocks: outputs / 16, inputs)
      splittingTiles(x.computed(if: takesComputed(inputs, outputs)), weights, u, inputs, outputs, epilogue, y)
    }
  }

  struct Weights {
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

    /// Some inputs of a block of outputs; u begins with the first of these inputs.
    func transform(block kb: Int, _ inputs: Range<Int>, into u: UnsafeMutablePointer<Scalar>, plane: Int) {
      en_winograd_weights(
        form, inputs.count, w + kb * 16 * outputStride + inputs.lowerBound * inputStride, tapStride, inputStride,
        outputStride, u, plane)
    }

    /// All planes of all outputs.
    func transformed(blocks: Int, _ inputs: Int) -> Storage {
      let u = Storage(count: blocks * block)
      let (inputBlocks, slices) = (inputs / 16, max(1, inputs / 32))
      Parallel.forEach(blocks * slices) { range in
        for task in range {
          let (kb, slice) = task.quotientAndRemainder(dividingBy: slices)
          let some = inputBlocks * slice / slices * 16..<inputBlocks * (slice + 1) / slices * 16
          transform(block: kb, some, into: u.pointer + kb * block + some.lowerBound * 16, plane: plane)
        }
      }
      return u
    }
  }

  private func splittingTiles(
    _ x: ImageSource, _ weights: Weights, _ u: Storage, _ inputs: Int, _ outputs: Int, _ epilogue: Epilogue,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    let size = ForwardRoom.size(inputs)
    // What is computed goes by whole images, what lies in memory by blocks of tiles.
    let share = (tileCount + Parallel.threadCount - 1) / Parallel.threadCount
    let step = x.isStored ? min(size, max(4, share)) : imagesTogether * tilesPerImage
    Parallel.sweep((tileCount + step - 1) / step) { range in
      let reader = self.reader(x, channels: inputs)
      let room = ForwardRoom(self, inputs, outputs)
      for first in stride(from: range.lowerBound * step, to: min(range.upperBound * step, tileCount), by: step) {
        let some = first..<min(first + step, tileCount)
        let end = x.isStored ? min(range.upperBound * step, tileCount) : some.upperBound
        convolve(reader.read(imagesOf(some)), some, end, weights, u, inputs, outputs, epilogue, y, room)
      }
    }
  }

  /// What a thread needs to take tiles from x to y.
  struct ForwardRoom {
    /// Tiles, and blocks of outputs, that go by together.
    let (size, group): (Int, Int)
    let (vPlane, mPlane): (Int, Int)
    let v: Storage
    let m: Storage

    /// Tiles that go by together.
    static func size(_ inputs: Int) -> Int {
      inputs <= 32 ? 36 : inputs <= 64 ? 24 : inputs <= 128 ? 36 : Processor.isRoomy ? 48 : 64
    }

    init(_ winograd: Winograd, _ inputs: Int, _ outputs: Int) {
      size = Self.size(inputs)
      group = min(inputs <= 16 ? 1 : inputs > 128 && Processor.isRoomy ? 8 : 2, outputs / 16)
      vPlane = winograd.padded(size * inputs)
      mPlane = winograd.padded(size * group * 16)
      v = Storage(count: winograd.planes * vPlane)
      m = Storage(count: winograd.planes * mPlane)
    }
  }

  /// Some tiles, a block at a time, from x to y, on this thread; those before `end` come next.
  func convolve(
    _ x: UnsafePointer<Scalar>, _ some: Range<Int>, _ end: Int, _ weights: Weights, _ u: Storage, _ inputs: Int,
    _ outputs: Int, _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>, _ room: ForwardRoom
  ) {
    let (blocks, v, m) = (outputs / 16, room.v.pointer, room.m.pointer)
    for first in stride(from: some.lowerBound, to: some.upperBound, by: room.size) {
      let here = first..<min(first + room.size, some.upperBound)
      en_winograd_input(
        tiles(inputs, here), x, en_plane_layout(plane: room.vPlane, tile: inputs, block: 16), v, en_ahead())
      for kb in stride(from: 0, to: blocks, by: room.group) {
        let count = min(room.group, blocks - kb)
        // What is read next: the residual of these tiles, and where there is none the tiles after these.
        let next = here.upperBound..<min(here.upperBound + room.size, end)
        let soon =
          if let residual = epilogue.residual {
            ahead(residual, outputs, here, 0..<(kb == 0 ? 1 : 0), 1)
          } else {
            ahead(x, inputs, next, kb..<kb + count, blocks)
          }
        en_winograd_multiply(
          form, here.count, inputs, 0, inputs, v, room.vPlane, count, u.pointer + kb * weights.block, weights.plane,
          weights.block, m, room.mPlane, soon)
        en_winograd_output(
          tiles(outputs, here), kb, count, en_plane_layout(plane: room.mPlane, tile: count * 16, block: 16), m,
          epilogue, y)
      }
    }
  }

  /// About where the pixels of some tiles lie; of `wholes` parts the `parts`. There may be none.
  func ahead(
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
    let blocks = outputs / 16
    // Weights that are transformed here stay in the second-level cache until they are used.
    let depth = ready == nil ? min(inputs, 256) : inputs
    let group = inputs >= 512 && !Processor.isRoomy ? 1 : 2
    let size = depth < inputs ? tileCount : min(tileCount, 48)
    let mPlane = padded(size * group * 16)
    let uPlane = padded(depth * 16)
    let uBlock = planes * uPlane + 32

    let vPlane = padded(tileCount * inputs)
    func transform(_ range: Range<Int>, into v: UnsafeMutablePointer<Scalar>) {
      en_winograd_input(
        tiles(inputs, range), x, en_plane_layout(plane: vPlane, tile: inputs, block: 16),
        v + range.lowerBound * inputs, en_ahead())
    }
    // A few tiles take less time to transform twice than to be had from another thread.
    let isOwn = tileCount <= 32
    let shared = Storage(count: isOwn ? 0 : planes * vPlane)
    if !isOwn { Parallel.forEach(tileCount, grain: 4) { transform($0, into: shared.pointer) } }
    let groups = (blocks + group - 1) / group
    let grain = isOwn ? (groups + Parallel.threadCount - 1) / Parallel.threadCount : 1
    Parallel.forEach(groups, grain: grain) { range in
      let own = Storage(count: isOwn ? planes * vPlane : 0)
      if isOwn { transform(0..<tileCount, into: own.pointer) }
      let v = isOwn ? own : shared
      let room = Storage(count: ready == nil ? group * uBlock : 0)
      let m = Storage(count: planes * mPlane)
      for kb in stride(from: range.lowerBound * group, to: min(range.upperBound * group, blocks), by: group) {
        let count = min(group, blocks - kb)
        func multiply(_ some: Range<Int>, _ c: Range<Int>, _ u: UnsafePointer<Scalar>, plane: Int, block: Int) {
          en_winograd_multiply(
            form, some.count, inputs, c.lowerBound, c.upperBound, v.pointer + some.lowerBound * inputs, vPlane, count,
            u, plane, block, m.pointer, mPlane, en_ahead())
        }
        for first in stride(from: 0, to: tileCount, by: size) {
          let some = first..<min(first + size, tileCount)
          if let ready {
            multiply(some, 0..<inputs, ready.pointer + kb * weights.block, plane: weights.plane, block: weights.block)
          } else {
            for c in stride(from: 0, to: inputs, by: depth) {
              let part = c..<min(c + depth, inputs)
              if first == 0 || depth < inputs {
                for b in 0..<count {
                  weights.transform(block: kb + b, part, into: room.pointer + b * uBlock, plane: uPlane)
                }
              }
              multiply(some, part, room.pointer, plane: uPlane, block: uBlock)
            }
          }
          en_winograd_output(
            tiles(outputs, some), kb, count, en_plane_layout(plane: mPlane, tile: count * 16, block: 16), m.pointer,
            epilogue, y)
        }
      }
    }
  }

  func reader(_ source: ImageSource, channels: Int) -> ImageReader {
    ImageReader(source, pixels: height * width, channels: channels, together: imagesTogether)
  }

  /// The images that some tiles are of.
  func imagesOf(_ tiles: Range<Int>) -> Range<Int> {
    tiles.lowerBound / tilesPerImage..<(tiles.upperBound + tilesPerImage - 1) / tilesPerImage
  }
}
