import CKernels

/// 3×3 convolutions with stride 1 and padding 1 by Winograd's minimal filtering; see `winograd.h` for the transforms.
///
/// Forward and backward-data are the same: tiles of x are transformed into components V, the weights into components U, M = V U
/// for each component, and M is transformed into tiles of y.
///
/// A block of tiles small enough for the second-level cache goes through all steps at once, on one thread.
package struct Winograd {
  let images: Int
  let height: Int
  let width: Int
  let form: en_winograd_form
  let components: Int
  let tileCount: Int
  let tilesPerImage: Int

  package init(_ algorithm: ConvolutionAlgorithm, images: Int, height: Int, width: Int) {
    (self.images, self.height, self.width) = (images, height, width)
    let isTiny = algorithm == .winograd2x2
    form = isTiny ? en_winograd_2x2 : en_winograd_4x4
    components = isTiny ? 9 : 36
    let side = isTiny ? 2 : 4
    tilesPerImage = ((height + side - 1) / side) * ((width + side - 1) / side)
    tileCount = images * tilesPerImage
  }

  func tiles(_ channels: Int, _ range: Range<Int>) -> en_tiles {
    en_tiles(
      form: form, height: height, width: width, channels: channels, first: range.lowerBound, count: range.count)
  }

  /// Whether fusing a producer is faster than reading its images from memory: there are enough images for every thread, they are
  /// small enough for its cache, and each is needed once in a sweep.
  func fusesProducers(_ inputs: Int, _ outputs: Int) -> Bool {
    Self.hasFewWeights(inputs, outputs) && images >= Tuning.Winograd.fusedImagesPerThread * Parallel.threadCount
      && height * width * max(inputs, outputs) <= Tuning.Winograd.fusedImage
  }

  /// Images that a thread takes at a time where it fuses a producer.
  var imagesTogether: Int { max(1, Tuning.Winograd.fusedTiles / tilesPerImage) }

  /// The stride of components of `count` scalars, padded so that they do not share sets of a cache.
  func padded(_ count: Int) -> Int { count + Tuning.Winograd.componentPadding }

  /// Whether this is faster than the direct algorithm, where either has cached weights.
  ///
  /// Time is that of multiplying, plus that of reading the weights from memory.
  func isFaster(than direct: (products: Int, weights: Int), inputs: Int, outputs: Int) -> Bool {
    let weights = components * inputs * outputs
    let read = Tuning.Winograd.productsOfRead
    return max(Tuning.Winograd.leastTiles, tileCount) * weights + read * weights < direct.products + read
      * direct.weights
  }

  /// y = epilogue of x ∗ w.
  ///
  /// - Parameters:
  ///   - x: `[images, height, width, inputs]`.
  ///   - w: `[3, 3, inputs, outputs]`, or for backward-data `[3, 3, outputs, inputs]`.
  ///   - isBackwardData: Whether x is the gradient of a convolution's output, and y that of its input.
  ///   - packed: Caches the packed `w`.
  ///   - y: `[images, height, width, outputs]`.
  package func convolve(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, isBackwardData: Bool = false, packed: PackedWeights? = nil,
    inputs: Int, outputs: Int, epilogue: Epilogue = Epilogue(), into y: UnsafeMutablePointer<Scalar>
  ) {
    let epilogue = epilogue.nonTemporal(for: y, images * height * width * outputs, channels: outputs)
    let weights = Weights(
      w, inputs: inputs, outputs: outputs, isBackwardData: isBackwardData, form: form, components: components)
    let cached = packed.map { packed in
      packed.storage(form == en_winograd_4x4 ? .winograd4x4 : .winograd2x2) {
        weights.transformed(blocks: outputs / 16, inputs)
      }
    }
    // Where the weights are larger than the images, each thread takes outputs, and transforms their weights just before use.
    let (isFew, isHeavy) =
      cached == nil
      ? (tileCount <= Tuning.Winograd.fewTiles, inputs * outputs >= Tuning.Winograd.manyWeights)
      : (tileCount < outputs, inputs * outputs >= Tuning.Winograd.manyCachedWeights)
    if isFew && isHeavy {
      convolveByOutputs(x.pointer, weights, cached, inputs, outputs, epilogue, y)
    } else {
      let u = cached ?? weights.transformed(blocks: outputs / 16, inputs)
      let source = x.materialized(unless: fusesProducers(inputs, outputs))
      convolveByTiles(source, weights, u, inputs, outputs, epilogue, y)
    }
  }

  private func convolveByTiles(
    _ x: ImageSource, _ weights: Weights, _ u: Storage, _ inputs: Int, _ outputs: Int, _ epilogue: Epilogue,
    _ y: UnsafeMutablePointer<Scalar>
  ) {
    let size = ForwardScratch.size(inputs)
    // Lazy images are taken whole, those in memory by blocks of tiles.
    let perThread = (tileCount + Parallel.threadCount - 1) / Parallel.threadCount
    let step = x.isStored ? min(size, max(4, perThread)) : imagesTogether * tilesPerImage
    Parallel.sweep((tileCount + step - 1) / step) { range in
      let reader = self.reader(x, channels: inputs)
      let scratch = ForwardScratch(self, inputs, outputs)
      for first in stride(from: range.lowerBound * step, to: min(range.upperBound * step, tileCount), by: step) {
        let chunk = first..<min(first + step, tileCount)
        let end = x.isStored ? min(range.upperBound * step, tileCount) : chunk.upperBound
        convolve(reader.read(imagesOf(chunk)), chunk, end, weights, u, inputs, outputs, epilogue, y, scratch)
      }
    }
  }

  /// The buffers of a thread that convolves tiles.
  struct ForwardScratch {
    /// Tiles, and blocks of outputs, that are taken together.
    let (size, group): (Int, Int)
    let (vComponent, mComponent): (Int, Int)
    let v: Storage
    let m: Storage

    /// Tiles that are taken together.
    static func size(_ inputs: Int) -> Int {
      Tuning.Winograd.tiles(inputs: inputs, hasLargeBlocks: Processor.hasLargeBlocks)
    }

    init(_ winograd: Winograd, _ inputs: Int, _ outputs: Int) {
      size = Self.size(inputs)
      group = min(
        Tuning.Winograd.outputBlocks(inputs: inputs, hasLargeBlocks: Processor.hasLargeBlocks), outputs / 16)
      vComponent = winograd.padded(size * inputs)
      mComponent = winograd.padded(size * group * 16)
      v = Storage(count: winograd.components * vComponent)
      m = Storage(count: winograd.components * mComponent)
    }
  }

  /// Convolves a chunk of tiles, a block at a time, on this thread; those before `end` are next.
  func convolve(
    _ x: UnsafePointer<Scalar>, _ chunk: Range<Int>, _ end: Int, _ weights: Weights, _ u: Storage, _ inputs: Int,
    _ outputs: Int, _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>, _ scratch: ForwardScratch
  ) {
    let (blocks, v, m) = (outputs / 16, scratch.v.pointer, scratch.m.pointer)
    for first in stride(from: chunk.lowerBound, to: chunk.upperBound, by: scratch.size) {
      let block = first..<min(first + scratch.size, chunk.upperBound)
      en_winograd_input(
        tiles(inputs, block), x, en_component_layout(component: scratch.vComponent, tile: inputs, block: 16), v,
        en_prefetch())
      for kb in stride(from: 0, to: blocks, by: scratch.group) {
        let count = min(scratch.group, blocks - kb)
        // Prefetches the residual of these tiles, or the next tiles where there is none.
        let next = block.upperBound..<min(block.upperBound + scratch.size, end)
        let prefetch =
          if let residual = epilogue.residual {
            prefetchRange(residual, outputs, block, 0..<(kb == 0 ? 1 : 0), of: 1)
          } else {
            prefetchRange(x, inputs, next, kb..<kb + count, of: blocks)
          }
        let product = en_winograd_product(
          form: form, tiles: block.count, channels: inputs, first: 0, end: inputs, vComponent: scratch.vComponent,
          blocks: count, uBlock: weights.block, uComponent: weights.component, mComponent: scratch.mComponent)
        en_winograd_multiply(product, v, u.pointer + kb * weights.block, m, prefetch)
        en_winograd_output(
          tiles(outputs, block), en_channel_blocks(first: kb, count: count),
          en_component_layout(component: scratch.mComponent, tile: count * 16, block: 16), m, epilogue.descriptor, y)
      }
    }
  }

  /// The approximate range of the pixels of `tiles`, which may be empty: parts `parts` of `count`.
  func prefetchRange(
    _ x: UnsafePointer<Scalar>, _ channels: Int, _ tiles: Range<Int>, _ parts: Range<Int> = 0..<1, of count: Int = 1
  ) -> en_prefetch {
    let perTile = images * height * width * channels / tileCount
    let size = max(0, min(tiles.upperBound, tileCount) - tiles.lowerBound) * perTile
    let start = tiles.lowerBound * perTile + size * parts.lowerBound / count
    return en_prefetch(start: x + start, bytes: size * parts.count / count * MemoryLayout<Scalar>.stride)
  }

  /// Transforms tiles of x into the components of all tiles.
  private func transform(
    _ x: UnsafePointer<Scalar>, _ range: Range<Int>, _ inputs: Int, into v: UnsafeMutablePointer<Scalar>
  ) {
    let layout = en_component_layout(component: padded(tileCount * inputs), tile: inputs, block: 16)
    en_winograd_input(tiles(inputs, range), x, layout, v + range.lowerBound * inputs, en_prefetch())
  }

  /// Transforms all tiles of x, for all threads.
  private func transformed(_ x: UnsafePointer<Scalar>, _ inputs: Int) -> Storage {
    let v = Storage(count: components * padded(tileCount * inputs))
    Parallel.forEach(tileCount, grain: Tuning.Tasks.transformedTiles) { transform(x, $0, inputs, into: v.pointer) }
    return v
  }

  private func convolveByOutputs(
    _ x: UnsafePointer<Scalar>, _ weights: Weights, _ cached: Storage?, _ inputs: Int, _ outputs: Int,
    _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>
  ) {
    let blocks = outputs / 16
    // Weights that are transformed just before use stay in the second-level cache until then.
    let depth = cached == nil ? min(inputs, Tuning.Winograd.depthByOutputs) : inputs
    let group =
      inputs >= Tuning.Winograd.manyInputs && !Processor.hasLargeBlocks ? 1 : Tuning.Winograd.blocksByOutputs
    let size = depth < inputs ? tileCount : min(tileCount, Tuning.Winograd.tilesByOutputs)
    let mComponent = padded(size * group * 16)
    let uComponent = padded(depth * 16)
    let uBlock = components * uComponent + Tuning.Winograd.blockPadding

    let vComponent = padded(tileCount * inputs)
    // Each thread transforms a few tiles for itself, which is faster than to read them from another one.
    let isPrivate = tileCount <= Tuning.Winograd.privateTiles
    let shared = isPrivate ? Storage(count: 0) : transformed(x, inputs)
    let groups = (blocks + group - 1) / group
    let grain = isPrivate ? (groups + Parallel.threadCount - 1) / Parallel.threadCount : 1
    Parallel.forEach(groups, grain: grain) { range in
      let v = isPrivate ? Storage(count: components * vComponent) : shared
      if isPrivate { transform(x, 0..<tileCount, inputs, into: v.pointer) }
      let transformed = Storage(count: cached == nil ? group * uBlock : 0)
      let m = Storage(count: components * mComponent)
      for kb in stride(from: range.lowerBound * group, to: min(range.upperBound * group, blocks), by: group) {
        let count = min(group, blocks - kb)
        func multiply(_ tiles: Range<Int>, _ c: Range<Int>, _ u: UnsafePointer<Scalar>, component: Int, block: Int) {
          let product = en_winograd_product(
            form: form, tiles: tiles.count, channels: inputs, first: c.lowerBound, end: c.upperBound,
            vComponent: vComponent, blocks: count, uBlock: block, uComponent: component, mComponent: mComponent)
          en_winograd_multiply(product, v.pointer + tiles.lowerBound * inputs, u, m.pointer, en_prefetch())
        }
        for first in stride(from: 0, to: tileCount, by: size) {
          let chunk = first..<min(first + size, tileCount)
          if let cached {
            let u = cached.pointer + kb * weights.block
            multiply(chunk, 0..<inputs, u, component: weights.component, block: weights.block)
          } else {
            for c in stride(from: 0, to: inputs, by: depth) {
              let part = c..<min(c + depth, inputs)
              if first == 0 || depth < inputs {
                for b in 0..<count {
                  weights.transform(
                    block: kb + b, part, into: transformed.pointer + b * uBlock, component: uComponent)
                }
              }
              multiply(chunk, part, transformed.pointer, component: uComponent, block: uBlock)
            }
          }
          en_winograd_output(
            tiles(outputs, chunk), en_channel_blocks(first: kb, count: count),
            en_component_layout(component: mComponent, tile: count * 16, block: 16), m.pointer, epilogue.descriptor, y)
        }
      }
    }
  }

  func reader(_ source: ImageSource, channels: Int) -> ImageReader {
    ImageReader(source, pixels: height * width, channels: channels, together: imagesTogether)
  }

  /// The images of `tiles`.
  func imagesOf(_ tiles: Range<Int>) -> Range<Int> {
    tiles.lowerBound / tilesPerImage..<(tiles.upperBound + tilesPerImage - 1) / tilesPerImage
  }
}
