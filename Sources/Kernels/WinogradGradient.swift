import CKernels

/// Backward-weights, the exact adjoint: dU = Vᵀ D in each plane, D being the planes of dy.
extension Winograd {
  /// dw = the gradient of the weights `[3, 3, inputs, outputs]`.
  ///
  /// - Parameters:
  ///   - x: `[images, height, width, inputs]`.
  ///   - dy: `[images, height, width, outputs]`.
  ///   - db: Where the sums of dy's pixels are wanted, the gradient of a bias.
  package func weightsGradient(
    _ x: ImageSource, _ dy: ImageSource, inputs: Int, outputs: Int, into dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if tileCount <= 128 && !Self.hasFewWeights(inputs, outputs) {
      gradientAtOnce(x.pointer, dy.pointer, inputs, outputs, dw, db)
    } else {
      let takesComputed = takesComputed(inputs, outputs)
      gradientSplittingTiles(
        x.computed(if: takesComputed), dy.computed(if: takesComputed), inputs, outputs, dw, db)
    }
  }

  /// So few that each thread has a gradient of its own of all of them.
  static func hasFewWeights(_ inputs: Int, _ outputs: Int) -> Bool { inputs * outputs <= 64 * 64 }

  /// Scalars of all gradients of parts together: 128 MiB.
  private static let mostSums = 1 << 25

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
    let weights = Weights(w, inputs: outputs, outputs: inputs, isAdjoint: true, form: form, planes: planes)
    let epilogue = Epilogue(bias: nil, residual: residual).streaming(
      to: dx, images * height * width * inputs, channels: inputs)
    let u = weights.transformed(blocks: inputs / 16, outputs)
    let takesComputed = takesComputed(inputs, outputs)
    let (x, dy) = (x.computed(if: takesComputed), dy.computed(if: takesComputed))
    gradientSplittingTiles(x, dy, inputs, outputs, dw, db) { dy, some, room in
      convolve(dy, some, some.upperBound, weights, u, outputs, inputs, epilogue, dx, room)
    }
  }

  /// Each part of the images has a gradient of its own, and they are added up: threads that shared transformed images or sums
  /// would wait for what the others write, where they have no cache in common longer than they compute.
  ///
  /// Where there are more threads than parts, some share a part: each has a slice of the outputs, and transforms x for itself.
  private func gradientSplittingTiles(
    _ x: ImageSource, _ dy: ImageSource, _ inputs: Int, _ outputs: Int, _ dw: UnsafeMutablePointer<Scalar>,
    _ db: UnsafeMutablePointer<Scalar>?, alongside: ((UnsafePointer<Scalar>, Range<Int>, ForwardRoom) -> Void)? = nil
  ) {
    let (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let isFew = Self.hasFewWeights(inputs, outputs)
    let size = !isFew ? 64 : inputs <= 32 || inputs * height <= 512 ? 32 : 128
    let plane = padded(size * 16)
    let block = planes * plane + 32
    let uPlane = padded(inputs * 16)
    let uBlock = planes * uPlane + 32
    // What is computed goes by whole images.
    let isStored = x.isStored
    let unit = isStored && dy.isStored ? 1 : tilesPerImage
    let step = unit == 1 && alongside == nil ? tileCount : imagesTogether * tilesPerImage
    let threads = Parallel.threadCount
    let wanted = isFew ? threads * 2 : min(threads, Self.mostSums / (outputBlocks * uBlock))
    let parts = max(1, min(wanted, tileCount / max(size, unit)))
    let slices = isFew ? 1 : min(outputBlocks, max(1, threads / parts))
    let u = Storage(count: parts * outputBlocks * uBlock)
    Parallel.forEach(parts * slices) { range in
      let v = Storage(count: (inputBlocks + (outputBlocks + slices - 1) / slices) * block)
      let d = v.pointer + inputBlocks * block
      let layout = en_plane_layout(plane: plane, tile: 16, block: block)
      let xReader = reader(x, channels: inputs)
      let dyReader = reader(dy, channels: outputs)
      let room = alongside == nil ? nil : ForwardRoom(self, outputs, inputs)
      for task in range {
        let (part, slice) = task.quotientAndRemainder(dividingBy: slices)
        let some = outputBlocks * slice / slices..<outputBlocks * (slice + 1) / slices
        let own = u.pointer + (part * outputBlocks + some.lowerBound) * uBlock
        let (begin, end) = (tileCount / unit * part / parts * unit, tileCount / unit * (part + 1) / parts * unit)
        for start in stride(from: begin, to: end, by: step) {
          let these = start..<min(start + step, end)
          let (x, dy) = (xReader.read(imagesOf(these)), dyReader.read(imagesOf(these)))
          alongside?(dy, these, room!)
          let readable = isStored ? end : these.upperBound
          for first in stride(from: these.lowerBound, to: these.upperBound, by: size) {
            let here = first..<min(first + size, these.upperBound)
            en_winograd_input(tiles(inputs, here), x, layout, v.pointer, ahead(dy, outputs, here, 0..<1, 1))
            en_winograd_output_gradient(tiles(outputs, here), some.lowerBound, some.count, dy, layout, d)
            let adds: Int32 = first > begin ? 1 : 0
            for kb in 0..<some.count {
              en_winograd_pixel_sums(
                form, here.count, d + kb * block, plane, own + kb * uBlock + planes * uPlane, adds)
            }
            en_winograd_multiply_transposed(
              form, here.count, inputBlocks, v.pointer, some.count, d, block, plane, own, uBlock, uPlane, adds,
              ahead(x, inputs, here.upperBound..<min(here.upperBound + size, readable), 0..<1, 1))
          }
        }
      }
    }
    Parallel.forEach(outputBlocks * inputBlocks) { range in
      for task in range {
        let (kb, cb) = task.quotientAndRemainder(dividingBy: inputBlocks)
        en_winograd_weights_gradient(
          form, 16, parts, u.pointer + kb * uBlock + cb * 256, outputBlocks * uBlock, uPlane,
          dw + cb * 16 * outputs + kb * 16, inputs * outputs, outputs)
        if let db, cb == 0 {
          for k in 0..<16 {
            db[kb * 16 + k] = (0..<parts).reduce(0) {
              $0 + u.pointer[($1 * outputBlocks + kb) * uBlock + planes * uPlane + k]
            }
          }
        }
      }
    }
  }

  /// Many weights and few tiles: each thread takes some weights, over all tiles.
  private func gradientAtOnce(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ inputs: Int, _ outputs: Int,
    _ dw: UnsafeMutablePointer<Scalar>, _ db: UnsafeMutablePointer<Scalar>?
  ) {
    let (inputBlocks, outputBlocks) = (inputs / 16, outputs / 16)
    let plane = padded(tileCount * 16)
    let block = planes * plane + 32
    let v = Storage(count: (inputBlocks + outputBlocks) * block)
    let d = v.pointer + inputBlocks * block
    let layout = en_plane_layout(plane: plane, tile: 16, block: block)
    Parallel.forEach(tileCount, grain: 4) { range in
      en_winograd_input(tiles(inputs, range), x, layout, v.pointer + range.lowerBound * 16, en_ahead())
      en_winograd_output_gradient(
        tiles(outputs, range), 0, outputBlocks, dy, layout, d + range.lowerBound * 16)
    }
    let group = 2
    let groups = (inputBlocks + group - 1) / group
    let uPlane = padded(group * 256)
    Parallel.forEach(outputBlocks * groups) { range in
      let u = Storage(count: planes * uPlane)
      for task in range {
        let (cg, kb) = task.quotientAndRemainder(dividingBy: outputBlocks)
        let count = min(group, inputBlocks - cg * group)
        if let db, cg == 0 { en_winograd_pixel_sums(form, tileCount, d + kb * block, plane, db + kb * 16, 0) }
        en_winograd_multiply_transposed(
          form, tileCount, count, v.pointer + cg * group * block, 1, d + kb * block, block, plane, u.pointer, 0, uPlane,
          0, en_ahead())
        en_winograd_weights_gradient(
          form, count * 16, 1, u.pointer, 0, uPlane, dw + cg * group * 16 * outputs + kb * 16, inputs * outputs, outputs
        )
      }
    }
  }
}
