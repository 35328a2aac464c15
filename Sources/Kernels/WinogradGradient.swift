import CKernels

/// Backward-weights, the exact adjoint: dU = Vᵀ D for each component, where D are the components of dy.
extension Winograd {
  /// dw = the gradient of the weights `[3, 3, inputs, outputs]`.
  ///
  /// - Parameters:
  ///   - x: `[images, height, width, inputs]`.
  ///   - dy: `[images, height, width, outputs]`.
  ///   - db: Gets the gradient of a bias, the sums of dy's pixels.
  package func weightsGradient(
    _ x: ImageSource, _ dy: ImageSource, inputs: Int, outputs: Int, into dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if tileCount <= Tuning.WinogradWeights.fewTiles && !Self.hasFewWeights(inputs, outputs) {
      gradientByWeights(x.pointer, dy.pointer, inputs, outputs, dw, db)
    } else {
      let isFused = fusesProducers(inputs, outputs)
      gradientByTiles(
        x.materialized(unless: isFused), dy.materialized(unless: isFused), inputs, outputs, dw, db)
    }
  }

  /// Whether each thread can have a gradient of all weights.
  static func hasFewWeights(_ inputs: Int, _ outputs: Int) -> Bool { inputs * outputs <= Tuning.Winograd.fewWeights }

  /// Both gradients in one sweep over the images; for few weights.
  ///
  /// - Parameters:
  ///   - w: `[3, 3, inputs, outputs]`.
  ///   - residual: Is added to dx, and may be dx.
  func gradients(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, _ dy: ImageSource, inputs: Int, outputs: Int,
    adding residual: UnsafePointer<Scalar>?, dx: UnsafeMutablePointer<Scalar>, dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>?
  ) {
    let weights = Weights(
      w, inputs: outputs, outputs: inputs, isBackwardData: true, form: form, components: components)
    let epilogue = Epilogue(residual: residual).nonTemporal(
      for: dx, images * height * width * inputs, channels: inputs)
    let u = weights.transformed(blocks: inputs / 16, outputs)
    let isFused = fusesProducers(inputs, outputs)
    let (x, dy) = (x.materialized(unless: isFused), dy.materialized(unless: isFused))
    gradientByTiles(x, dy, inputs, outputs, dw, db) { dy, chunk, scratch in
      convolve(dy, chunk, chunk.upperBound, weights, u, outputs, inputs, epilogue, dx, scratch)
    }
  }

  /// Each part of the images has its gradient, and these are added up: threads that shared transformed images or sums would wait
  /// for the writes of others longer than they compute, where they have no common cache.
  ///
  /// Where there are more threads than parts, several share a part: each has a slice of the outputs, and transforms x itself.
  private func gradientByTiles(
    _ x: ImageSource, _ dy: ImageSource, _ inputs: Int, _ outputs: Int, _ dw: UnsafeMutablePointer<Scalar>,
    _ db: UnsafeMutablePointer<Scalar>?, alongside: ((UnsafePointer<Scalar>, Range<Int>, ForwardScratch) -> Void)? = nil
  ) {
    let blocking = GradientBlocking(self, inputs, outputs, areStored: x.isStored && dy.isStored)
    let step =
      blocking.unit == 1 && alongside == nil ? tileCount : imagesTogether * tilesPerImage
    let u = Storage(count: blocking.parts * blocking.outputBlocks * blocking.uBlock)
    Parallel.forEach(blocking.parts * blocking.slices) { range in
      let v = Storage(count: blocking.scratchCount)
      let xReader = reader(x, channels: inputs)
      let dyReader = reader(dy, channels: outputs)
      let scratch = alongside == nil ? nil : ForwardScratch(self, outputs, inputs)
      for index in range {
        let task = blocking.task(index, u.pointer)
        for start in stride(from: task.tiles.lowerBound, to: task.tiles.upperBound, by: step) {
          let chunk = start..<min(start + step, task.tiles.upperBound)
          let (xs, dys) = (xReader.read(imagesOf(chunk)), dyReader.read(imagesOf(chunk)))
          alongside?(dys, chunk, scratch!)
          let readable = x.isStored ? task.tiles.upperBound : chunk.upperBound
          addGradient(xs, dys, chunk, readable: readable, task, blocking, v.pointer)
        }
      }
    }
    reduce(u.pointer, blocking, into: dw, db)
  }

  /// Adds the products of a chunk of tiles to the sums of a task; x can be read up to tile `readable`.
  private func addGradient(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ chunk: Range<Int>, readable: Int,
    _ task: GradientBlocking.Task, _ blocking: GradientBlocking, _ v: UnsafeMutablePointer<Scalar>
  ) {
    let (component, block) = (blocking.component, blocking.block)
    let (uComponent, uBlock) = (blocking.uComponent, blocking.uBlock)
    let d = v + blocking.inputBlocks * block
    let layout = en_component_layout(component: component, tile: 16, block: block)
    for first in stride(from: chunk.lowerBound, to: chunk.upperBound, by: blocking.size) {
      let tileRange = first..<min(first + blocking.size, chunk.upperBound)
      en_winograd_input(
        tiles(blocking.inputs, tileRange), x, layout, v, prefetchRange(dy, blocking.outputs, tileRange))
      en_winograd_output_gradient(
        tiles(blocking.outputs, tileRange),
        en_channel_blocks(first: task.blocks.lowerBound, count: task.blocks.count), dy, layout, d)
      let adds: Int32 = first > task.tiles.lowerBound ? 1 : 0
      for kb in 0..<task.blocks.count {
        en_winograd_pixel_sums(
          form, tileRange.count, d + kb * block, component, task.sums + kb * uBlock + components * uComponent, adds)
      }
      let next = tileRange.upperBound..<min(tileRange.upperBound + blocking.size, readable)
      let product = en_winograd_transposed_product(
        form: form, tiles: tileRange.count, inputs: blocking.inputBlocks, outputs: task.blocks.count, block: block,
        component: component, duBlock: uBlock, duComponent: uComponent, adds: adds)
      en_winograd_multiply_transposed(product, v, d, task.sums, prefetchRange(x, blocking.inputs, next))
    }
  }

  /// Adds up the sums of all parts, and transforms them into dw and db.
  private func reduce(
    _ u: UnsafeMutablePointer<Scalar>, _ blocking: GradientBlocking, into dw: UnsafeMutablePointer<Scalar>,
    _ db: UnsafeMutablePointer<Scalar>?
  ) {
    let (inputs, outputs, parts) = (blocking.inputs, blocking.outputs, blocking.parts)
    let (inputBlocks, outputBlocks) = (blocking.inputBlocks, blocking.outputBlocks)
    let (uComponent, uBlock) = (blocking.uComponent, blocking.uBlock)
    Parallel.forEach(outputBlocks * inputBlocks) { range in
      for task in range {
        let (kb, cb) = task.quotientAndRemainder(dividingBy: inputBlocks)
        let filters = en_winograd_filters(
          form: form, inputs: 16, tapStride: inputs * outputs, inputStride: outputs, outputStride: 1,
          component: uComponent)
        en_winograd_weights_gradient(
          filters, parts, outputBlocks * uBlock, u + kb * uBlock + cb * 256, dw + cb * 16 * outputs + kb * 16)
        if let db, cb == 0 {
          for k in 0..<16 {
            db[kb * 16 + k] = (0..<parts).reduce(0) {
              $0 + u[($1 * outputBlocks + kb) * uBlock + components * uComponent + k]
            }
          }
        }
      }
    }
  }

  /// Many weights and few tiles: each thread takes a range of weights, over all tiles.
  private func gradientByWeights(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ inputs: Int, _ outputs: Int,
    _ dw: UnsafeMutablePointer<Scalar>, _ db: UnsafeMutablePointer<Scalar>?
  ) {
    let (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let component = padded(tileCount * 16)
    let block = components * component + Tuning.Winograd.blockPadding
    let v = Storage(count: (inputBlocks + outputBlocks) * block)
    let d = v.pointer + inputBlocks * block
    let layout = en_component_layout(component: component, tile: 16, block: block)
    Parallel.forEach(tileCount, grain: Tuning.Tasks.transformedTiles) { range in
      en_winograd_input(tiles(inputs, range), x, layout, v.pointer + range.lowerBound * 16, en_prefetch())
      en_winograd_output_gradient(
        tiles(outputs, range), en_channel_blocks(first: 0, count: outputBlocks), dy, layout,
        d + range.lowerBound * 16)
    }
    let group = Tuning.WinogradWeights.inputBlocks
    let groups = (inputBlocks + group - 1) / group
    let uComponent = padded(group * 256)
    Parallel.forEach(outputBlocks * groups) { range in
      let u = Storage(count: components * uComponent)
      for task in range {
        let (cg, kb) = task.quotientAndRemainder(dividingBy: outputBlocks)
        let count = min(group, inputBlocks - cg * group)
        if let db, cg == 0 { en_winograd_pixel_sums(form, tileCount, d + kb * block, component, db + kb * 16, 0) }
        let product = en_winograd_transposed_product(
          form: form, tiles: tileCount, inputs: count, outputs: 1, block: block, component: component, duBlock: 0,
          duComponent: uComponent, adds: 0)
        en_winograd_multiply_transposed(
          product, v.pointer + cg * group * block, d + kb * block, u.pointer, en_prefetch())
        let filters = en_winograd_filters(
          form: form, inputs: count * 16, tapStride: inputs * outputs, inputStride: outputs, outputStride: 1,
          component: uComponent)
        en_winograd_weights_gradient(filters, 1, 0, u.pointer, dw + cg * group * 16 * outputs + kb * 16)
      }
    }
  }
}

/// How backward-weights is cut into tasks, and the strides of its operands in the Winograd domain.
private struct GradientBlocking {
  let (inputs, outputs): (Int, Int)
  let (inputBlocks, outputBlocks): (Int, Int)
  /// Tiles that are multiplied at a time.
  let size: Int
  /// Strides of the components, and of the blocks of 16 channels, of x and dy.
  let (component, block): (Int, Int)
  /// The same of the weights' gradient.
  let (uComponent, uBlock): (Int, Int)
  /// Tiles that are not divided: those of an image where images are lazy.
  let unit: Int
  /// Parts of the tiles, and slices of the outputs: a task is a slice of a part.
  let (parts, slices): (Int, Int)
  private let tileCount: Int

  init(_ winograd: Winograd, _ inputs: Int, _ outputs: Int, areStored: Bool) {
    (self.inputs, self.outputs, tileCount) = (inputs, outputs, winograd.tileCount)
    (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let isFew = Winograd.hasFewWeights(inputs, outputs)
    size = Tuning.WinogradWeights.tiles(inputs: inputs, height: winograd.height, hasFewWeights: isFew)
    component = winograd.padded(size * 16)
    block = winograd.components * component + Tuning.Winograd.blockPadding
    uComponent = winograd.padded(inputs * 16)
    uBlock = winograd.components * uComponent + Tuning.Winograd.blockPadding
    unit = areStored ? 1 : winograd.tilesPerImage
    let threads = Parallel.threadCount
    let target =
      isFew
      ? threads * Tuning.WinogradWeights.partsPerThread
      : min(threads, Tuning.WinogradWeights.partialSums / (outputBlocks * uBlock))
    parts = max(1, min(target, tileCount / max(size, unit)))
    slices = isFew ? 1 : min(outputBlocks, max(1, threads / parts))
  }

  /// Scalars of the transformed x and dy of a task.
  var scratchCount: Int { (inputBlocks + (outputBlocks + slices - 1) / slices) * block }

  /// A range of tiles, and of blocks of outputs, with its sums.
  struct Task {
    let tiles: Range<Int>
    let blocks: Range<Int>
    let sums: UnsafeMutablePointer<Scalar>
  }

  /// - Parameter u: The sums of all tasks.
  func task(_ index: Int, _ u: UnsafeMutablePointer<Scalar>) -> Task {
    let (part, slice) = index.quotientAndRemainder(dividingBy: slices)
    let units = Fraction(part, of: parts)(tileCount / unit)
    let blocks = Fraction(slice, of: slices)(outputBlocks)
    return Task(
      tiles: units.lowerBound * unit..<units.upperBound * unit, blocks: blocks,
      sums: u + (part * outputBlocks + blocks.lowerBound) * uBlock)
  }
}
