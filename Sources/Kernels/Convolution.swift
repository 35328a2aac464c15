import CKernels

/// The shapes of a two-dimensional convolution, and its three products on the fastest kernels for them.
package struct Convolution: Sendable, Equatable {
  package let images: Int
  package let height: Int
  package let width: Int
  package let inputs: Int
  package let kernelHeight: Int
  package let kernelWidth: Int
  package let outputs: Int
  package let stride: Int
  package let padding: Int
  package let dilation: Int
  package let groups: Int
  /// Chosen when the operation runs, for its derivatives too.
  package private(set) var algorithm = ConvolutionAlgorithm.direct

  package init(
    images: Int, height: Int, width: Int, inputs: Int, kernelHeight: Int, kernelWidth: Int, outputs: Int, stride: Int,
    padding: Int, dilation: Int, groups: Int
  ) {
    (self.images, self.height, self.width, self.inputs) = (images, height, width, inputs)
    (self.kernelHeight, self.kernelWidth, self.outputs) = (kernelHeight, kernelWidth, outputs)
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
    algorithm = .chosen(for: self, by: ConvolutionRule.inUse.withLock { $0 })
  }

  package var outputHeight: Int { (height + 2 * padding - dilation * (kernelHeight - 1) - 1) / stride + 1 }
  package var outputWidth: Int { (width + 2 * padding - dilation * (kernelWidth - 1) - 1) / stride + 1 }

  private var winograd: Winograd? {
    algorithm == .direct ? nil : Winograd(algorithm, images: images, height: height, width: width)
  }

  /// Scalars multiplied for an image, as the definition has it, and weights read for it.
  private var directCost: (products: Int, weights: Int) {
    let weights = kernelHeight * kernelWidth * inputs / groups * outputs
    return (max(4, images * outputHeight * outputWidth) * weights, weights)
  }

  private var paddedHeight: Int { height + 2 * padding }
  private var paddedWidth: Int { width + 2 * padding }

  /// Whether the gradient of a bias comes along with that of the weights.
  package var sumsPixels: Bool { winograd != nil }

  // MARK: The three products

  /// y = epilogue of x ∗ w: `[images, height, width, inputs]` and `[kernelHeight, kernelWidth, inputs / groups, outputs]` to
  /// `[images, outputHeight, outputWidth, outputs]`.
  ///
  /// - Parameter layouts: Keeps `w` as the kernels want it, for the next time.
  package func forward(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, layouts: WeightLayouts? = nil,
    epilogue: Epilogue = Epilogue(), into y: UnsafeMutablePointer<Scalar>
  ) {
    if let winograd {
      // Winograd's weights are four times as many. Where they lie ready, and images are few, reading them is what costs.
      if layouts == nil || winograd.isFaster(than: directCost, inputs: inputs, outputs: outputs) {
        return winograd.convolve(
          x, w, layouts: layouts, inputs: inputs, outputs: outputs, epilogue: epilogue, into: y)
      }
    }
    let x = x.pointer
    // A border of few pixels would not keep the micro-kernel busy, and small images cost less to pad than large results to
    // write out of order.
    let isPadded = padding > 0 && (images < 4 || inputs * 4 <= outputs)
    let plan = layouts.plan(for: self) { forwardPlan(isPadded: isPadded) }
    let panels = ConvolutionPanels(
      w, taps: plan.taps, perTap: inputs / groups, columns: outputs / groups, groups: groups, strides: (outputs, 1),
      layouts: layouts)
    convolve(
      plan, panels, x, imageSize: height * width * inputs, isPadded: isPadded, perGroup: inputs / groups, epilogue, y,
      resultSize: outputHeight * outputWidth * outputs)
  }

  /// dx = the adjoint of `forward` in x, applied to dy, plus `residual`, which may be what dx holds.
  package func backwardData(
    _ dy: ImageSource, _ w: UnsafePointer<Scalar>, adding residual: UnsafePointer<Scalar>? = nil,
    into dx: UnsafeMutablePointer<Scalar>
  ) {
    let epilogue = Epilogue(bias: nil, residual: residual)
    if let winograd {
      return winograd.convolve(
        dy, w, isAdjoint: true, inputs: outputs, outputs: inputs, epilogue: epilogue, into: dx)
    }
    let dy = dy.pointer
    let plan = adjointPlan()
    let panels = ConvolutionPanels(
      w, taps: plan.taps, perTap: outputs / groups, columns: inputs / groups, groups: groups, strides: (1, outputs))
    convolve(
      plan, panels, dy, imageSize: outputHeight * outputWidth * outputs, isPadded: false, perGroup: outputs / groups,
      epilogue, dx, resultSize: height * width * inputs)
  }

  /// Both adjoints: `backwardData` and `backwardWeights`, of which dy is read once where that takes less time.
  package func backward(
    _ x: ImageSource, _ w: UnsafePointer<Scalar>, _ dy: ImageSource, adding residual: UnsafePointer<Scalar>? = nil,
    dx: UnsafeMutablePointer<Scalar>, dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if let winograd, Winograd.hasFewWeights(inputs, outputs) {
      return winograd.gradients(
        x, w, dy, inputs: inputs, outputs: outputs, adding: residual, dx: dx, dw: dw, db: db)
    }
    backwardData(dy, w, adding: residual, into: dx)
    backwardWeights(x, dy, into: dw, db: db)
  }

  /// dw = the adjoint of `forward` in w, applied to dy.
  ///
  /// - Parameter db: Gets the sums of dy's pixels, the gradient of a bias, where this ``sumsPixels``.
  package func backwardWeights(
    _ x: ImageSource, _ dy: ImageSource, into dw: UnsafeMutablePointer<Scalar>,
    db: UnsafeMutablePointer<Scalar>? = nil
  ) {
    if let winograd { return winograd.weightsGradient(x, dy, inputs: inputs, outputs: outputs, into: dw, db: db) }
    require(db == nil, "convolution: the definition does not sum pixels on its way")
    if let turned { return turned.backwardWeights(dy, x, turnedInto: dw) }
    let (x, dy) = (x.pointer, dy.pointer)
    // Classes with fewer taps save the products with padded zeros. That pays where the border is a good part of the image, and
    // segments are long, as dy is packed for each.
    let isPadded = padding > 0 && (inputs / groups < 64 || images < 16 || outputHeight * outputWidth > 256)
    let imageSize = isPadded ? paddedHeight * paddedWidth * inputs : height * width * inputs
    let resultSize = outputHeight * outputWidth * outputs
    // Small images go through the micro-kernel together, so that they, and the few pixels at a border, keep it busy.
    let together = max(
      1, min(max(256 / max(resultSize / outputs, 1), isPadded ? 1 : 16), images / (Parallel.threadCount * 4)))
    let plan = forwardPlan(isPadded: isPadded)
    let perGroup = outputs / groups
    let panelCount = (perGroup + Self.panelWidth - 1) / Self.panelWidth
    let panelSize = plan.rows * Self.panelWidth

    // A task is some rows of the weights, summed over a part of the images; parts have sums of their own.
    let blocks = panelCount <= en_few_panels ? 1 : (plan.rows + en_weight_rows - 1) / en_weight_rows
    let parts = min(images, max(1, Parallel.threadCount * 4 / (blocks * groups)))
    let sums = Storage(repeating: 0, count: parts * groups * panelCount * panelSize)
    // What several tasks read is padded once for all of them.
    let isPaddedOnce = isPadded && blocks * groups > 1
    let room = Storage(count: isPaddedOnce ? images * imageSize : 0)
    if isPaddedOnce {
      Parallel.forEach(images) { some in pad(x, some, into: room.pointer + some.lowerBound * imageSize) }
    }
    let shared = isPaddedOnce ? UnsafePointer(room.pointer) : isPadded ? nil : x
    plan.withClasses(of: together, from: imageSize, to: resultSize) { classes in
      Parallel.sweep(parts * groups * blocks) { range in
        let own = Storage(count: shared == nil ? together * imageSize : 0)
        for task in range {
          let (part, rest) = task.quotientAndRemainder(dividingBy: groups * blocks)
          let (group, block) = rest.quotientAndRemainder(dividingBy: blocks)
          let rows = plan.rows * block / blocks..<plan.rows * (block + 1) / blocks
          let end = images * (part + 1) / parts
          for n in Swift.stride(from: images * part / parts, to: end, by: together) {
            let some = n..<min(n + together, end)
            if shared == nil { pad(x, some, into: own.pointer) }
            let source = shared.map { $0 + n * imageSize } ?? UnsafePointer(own.pointer)
            // The images after these, of which the first call brings all near.
            let after = some.upperBound..<min(some.upperBound + together, end)
            var next = [(x, height * width * inputs), (dy, resultSize)].map { start, size in
              en_ahead(start: start + after.lowerBound * size, bytes: after.count * size * MemoryLayout<Scalar>.stride)
            }
            /// Some rows of the panels, `first` the first of them in these segments.
            func add(
              _ one: ConvolutionPlan.UnsafeClass, _ segments: UnsafePointer<Int32>, _ first: Int, _ rows: Range<Int>
            ) {
              defer { next = [en_ahead(), en_ahead()] }
              en_convolve_weights(
                some.count * one.pixels, one.from, one.to, segments, one.length, first, rows.count,
                source + group * (inputs / groups), dy + n * resultSize + group * perGroup, perGroup,
                sums.pointer + (part * groups + group) * panelCount * panelSize + rows.lowerBound * Self.panelWidth,
                panelSize, next)
            }
            if let only = classes.first, only.segmentCount * only.length == plan.rows, classes.count == 1 {
              // Every tap meets every pixel: the rows of the panels are those of the segments.
              add(only, only.segments, rows.lowerBound, rows)
            } else {
              for one in classes {
                for segment in 0..<one.segmentCount {
                  let row = Int(one.panelRows[segment])
                  let met = rows.clamped(to: row..<row + one.length)
                  if !met.isEmpty { add(one, one.segments + segment, met.lowerBound - row, met) }
                }
              }
            }
          }
        }
      }
    }
    let stride = groups * panelCount * panelSize
    let perTap = inputs / groups
    Parallel.forEach(groups * panelCount) { range in
      for task in range {
        let (group, panel) = task.quotientAndRemainder(dividingBy: panelCount)
        let columns = min(Self.panelWidth, perGroup - panel * Self.panelWidth)
        let total = sums.pointer + task * panelSize
        for part in 1..<max(parts, 1) {
          en_add(1, panelSize, 0, 1, 0, 1, total, total + part * stride, total)
        }
        for row in 0..<plan.rows {
          let (tap, c) = row.quotientAndRemainder(dividingBy: perTap)
          let target = dw + Int(plan.taps[tap]) + c * outputs + group * perGroup + panel * Self.panelWidth
          target.update(from: total + row * Self.panelWidth, count: columns)
        }
      }
    }
  }

  /// The convolution of dy whose weights have this one's gradient, turned by half and transposed, as theirs, where it leaves
  /// fewer columns of a panel empty.
  private var turned: Convolution? {
    func cost(_ rows: Int, _ columns: Int) -> Int {
      rows * ((columns + Self.panelWidth - 1) / Self.panelWidth * Self.panelWidth)
    }
    guard groups == 1, stride == 1, dilation == 1, kernelHeight == kernelWidth, padding < kernelHeight,
      2 * cost(outputs, inputs) <= cost(inputs, outputs)
    else { return nil }
    return Convolution(
      images: images, height: outputHeight, width: outputWidth, inputs: outputs, kernelHeight: kernelHeight,
      kernelWidth: kernelWidth, outputs: inputs, stride: 1, padding: kernelHeight - 1 - padding, dilation: 1, groups: 1)
  }

  private func backwardWeights(_ x: ImageSource, _ dy: ImageSource, turnedInto dw: UnsafeMutablePointer<Scalar>) {
    let taps = kernelHeight * kernelWidth
    let own = Storage(count: taps * inputs * outputs)
    backwardWeights(x, dy, into: own.pointer)
    for tap in 0..<taps {
      en_read_strided(
        2, [outputs, inputs], [1, outputs], own.pointer + (taps - 1 - tap) * inputs * outputs,
        dw + tap * inputs * outputs)
    }
  }

  // MARK: Plans

  static let panelWidth = en_panel_width

  private func weightOffset(_ row: Int, _ column: Int) -> Int {
    (row * kernelWidth + column) * (inputs / groups) * outputs
  }

  /// Each pixel of y, and what of x it is made of; if it is padded, x lies amid zeros and every tap meets something.
  private func forwardPlan(isPadded: Bool = false) -> ConvolutionPlan {
    let margin = isPadded ? padding : 0
    func reaches(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.Reach] {
      (0..<count).map { i in
        (0..<taps).compactMap { tap in
          let source = i * stride + tap * dilation - padding + margin
          return 0..<side + 2 * margin ~= source ? (tap, source) : nil
        }
      }
    }
    return ConvolutionPlan(
      down: reaches(outputHeight, kernelHeight, height), across: reaches(outputWidth, kernelWidth, width),
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, isAdjoint: false, sourceWidth: width + 2 * margin,
      sourceChannels: inputs, channels: outputs, perGroup: inputs / groups, tapOffset: weightOffset)
  }

  /// Each pixel of dx, and what of dy it is made of: tap r reaches row y from row (y + padding - r · dilation) / stride, where
  /// that is whole.
  private func adjointPlan() -> ConvolutionPlan {
    func reaches(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.Reach] {
      (0..<count).map { y in
        (0..<taps).reversed().compactMap { tap in
          let (source, rest) = (y + padding - tap * dilation).quotientAndRemainder(dividingBy: stride)
          return rest == 0 && 0..<side ~= source ? (tap, source) : nil
        }
      }
    }
    return ConvolutionPlan(
      down: reaches(height, kernelHeight, outputHeight), across: reaches(width, kernelWidth, outputWidth),
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, isAdjoint: true, sourceWidth: outputWidth,
      sourceChannels: outputs, channels: inputs, perGroup: outputs / groups, tapOffset: weightOffset)
  }

  /// Images amid zeros.
  private func pad(_ x: UnsafePointer<Scalar>, _ images: Range<Int>, into padded: UnsafeMutablePointer<Scalar>) {
    en_pad_images(
      images.count, height, width, inputs, padding, padding, paddedHeight, paddedWidth,
      x + images.lowerBound * height * width * inputs, padded)
  }

  /// Every class of the plan, for each panel in turn, which stays in a cache meanwhile; a few images at a time.
  private func convolve(
    _ plan: ConvolutionPlan, _ panels: ConvolutionPanels, _ x: UnsafePointer<Scalar>, imageSize: Int, isPadded: Bool,
    perGroup: Int, _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>, resultSize: Int
  ) {
    let together = imagesTogether(imageSize: imageSize, resultPixels: plan.classes.reduce(0) { $0 + $1.from.count })
    let paddedSize = isPadded ? paddedHeight * paddedWidth * inputs : 0
    let batches = (images + together - 1) / together
    let epilogue = epilogue.streaming(to: y, images * resultSize, channels: panels.columns)
    // A few images are shared out by panels as well, and where these are few by pixels.
    let shares = batches >= Parallel.threadCount * 4 ? 1 : min(panels.count, Parallel.threadCount * 2)
    let parts = max(1, Parallel.threadCount / (batches * shares))
    func run(
      _ one: ConvolutionPlan.UnsafeClass, _ pixels: Range<Int>, _ source: UnsafePointer<Scalar>, _ batch: Int,
      _ task: Int
    ) {
      let (group, panel) = task.quotientAndRemainder(dividingBy: panels.perGroup)
      let channel = group * panels.columns + panel * Self.panelWidth
      let offset = batch * together * resultSize + channel
      let here = Epilogue(
        bias: epilogue.bias.map { $0 + channel }, residual: epilogue.residual.map { $0 + offset },
        rectifies: epilogue.rectifies, streams: epilogue.streams)
      let weights = panels.storage.pointer + task * panels.size
      let (from, to) = (one.from + pixels.lowerBound, one.to + pixels.lowerBound)
      if panels.isNarrow {
        en_convolve_narrow(
          pixels.count, from, to, one.segmentCount, one.segments, one.panelRows, one.length,
          source + group * perGroup, weights, panels.rows, here, panels.columns, y + offset)
      } else {
        en_convolve(
          pixels.count, from, to, one.segmentCount, one.segments, one.panelRows, one.length,
          source + group * perGroup, weights, here, min(Self.panelWidth, panels.columns - panel * Self.panelWidth),
          y + offset)
      }
    }
    plan.withClasses(of: together, from: isPadded ? paddedSize : imageSize, to: resultSize) { classes in
      Parallel.sweep(batches * shares * parts) { range in
        let room = Storage(count: together * paddedSize)
        var current = -1
        for task in range {
          let (batch, rest) = task.quotientAndRemainder(dividingBy: shares * parts)
          let (share, part) = rest.quotientAndRemainder(dividingBy: parts)
          let some = batch * together..<min((batch + 1) * together, images)
          if isPadded && batch != current { pad(x, some, into: room.pointer) }
          current = batch
          let source = isPadded ? UnsafePointer(room.pointer) : x + some.lowerBound * imageSize
          let tasks = panels.count * share / shares..<panels.count * (share + 1) / shares
          func ours(_ count: Int) -> Range<Int> { count * part / parts..<count * (part + 1) / parts }
          if let only = classes.first, classes.count == 1, only.segmentCount == 1 {
            // No two pixels share what they read: so many as stay in the first-level cache, in twelves, while the panels go by,
            // each of which brings near some of the pixels after these.
            let block = max(1, (14 << 10) / (only.length * 48)) * 12
            let ours = ours(some.count * only.pixels)
            for first in Swift.stride(from: ours.lowerBound, to: ours.upperBound, by: block) {
              let next =
                first + block < ours.upperBound ? source + Int(only.from[first + block]) : source + imageSize * together
              let ahead = en_ahead(start: next, bytes: block * only.length * MemoryLayout<Scalar>.stride)
              for (step, task) in tasks.enumerated() {
                en_bring_near(ahead, step, tasks.count, 1)
                run(only, first..<min(first + block, ours.upperBound), source, batch, task)
              }
            }
          } else {
            for task in tasks {
              for one in classes { run(one, ours(some.count * one.pixels), source, batch, task) }
            }
          }
        }
      }
    }
  }

  /// So many that the few pixels at a border keep the micro-kernel busy, and that they stay in the second-level cache. Of larger
  /// images, whose pixels do so anyway, four at most: threads share the images of most batches evenly then.
  private func imagesTogether(imageSize: Int, resultPixels: Int) -> Int {
    let most = resultPixels < 64 ? max(24 / max(resultPixels, 1), 6) : 4
    let near = Processor.secondLevelCache / 2 / MemoryLayout<Scalar>.stride / max(imageSize, 1)
    return max(1, min(most, near, images / (Parallel.threadCount * 4)))
  }
}
