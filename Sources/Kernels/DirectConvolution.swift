import CKernels

/// The direct algorithm of `Convolution.forward` and `Convolution.backwardData`: an implicit GEMM over regions of pixels.
struct DirectConvolution {
  static let panelWidth = en_nr
  /// Panels that the micro-kernel takes together, where it has registers for the sums of two.
  static let panelsTogether = en_max_mr() > 6 && Scalar.self == Float.self ? 2 : 1

  private let convolution: Convolution
  private let plan: ConvolutionPlan
  private let panels: ConvolutionPanels
  /// Scalars of an image that is read, without padding, and of one that is written.
  private let (imageSize, resultSize): (Int, Int)
  /// Channels of a group that are read.
  private let channelsPerGroup: Int
  /// Whether images are padded with zeros first.
  private let isPadded: Bool

  init(forward c: Convolution, _ w: UnsafePointer<Scalar>, packed: PackedWeights?) {
    // A border of few pixels leaves the micro-kernel idle, and padding small images costs less than writing large results out
    // of order.
    let isPadded =
      c.padding > 0
      && (c.images < Tuning.Direct.fewImages || c.inputs * Tuning.Direct.outputsForInput <= c.outputs)
    (convolution, self.isPadded) = (c, isPadded)
    plan = packed.plan(for: c) { c.forwardPlan(isPadded: isPadded) }
    panels = ConvolutionPanels(
      w, taps: plan.taps, perTap: c.inputs / c.groups, columns: c.outputs / c.groups, groups: c.groups,
      strides: (c.outputs, 1), packed: packed)
    imageSize = c.height * c.width * c.inputs
    resultSize = c.outputHeight * c.outputWidth * c.outputs
    channelsPerGroup = c.inputs / c.groups
  }

  init(backwardData c: Convolution, _ w: UnsafePointer<Scalar>) {
    (convolution, isPadded) = (c, false)
    plan = c.backwardDataPlan()
    panels = ConvolutionPanels(
      w, taps: plan.taps, perTap: c.outputs / c.groups, columns: c.inputs / c.groups, groups: c.groups,
      strides: (1, c.outputs))
    imageSize = c.outputHeight * c.outputWidth * c.outputs
    resultSize = c.height * c.width * c.inputs
    channelsPerGroup = c.outputs / c.groups
  }

  /// Convolves all regions of the plan, with each panel in turn, which stays in a cache, for a few images at a time.
  func run(_ x: UnsafePointer<Scalar>, _ epilogue: Epilogue, into y: UnsafeMutablePointer<Scalar>) {
    let images = convolution.images
    let together = imagesTogether
    let paddedSize = isPadded ? convolution.paddedHeight * convolution.paddedWidth * convolution.inputs : 0
    let batches = (images + together - 1) / together
    // A few images are split by panels as well, and where these are few by pixels.
    let slices =
      batches >= Parallel.threadCount * Tuning.Direct.batchesPerThread
      ? 1 : min(panels.count, Parallel.threadCount * Tuning.Direct.slicesPerThread)
    let parts = max(1, Parallel.threadCount / (batches * slices))
    let kernel = PanelKernel(
      panels, channelsPerGroup: channelsPerGroup,
      epilogue: epilogue.nonTemporal(for: y, images * resultSize, channels: panels.columns), y: y)
    let panelCount = panels.count
    plan.withRegions(of: together, from: isPadded ? paddedSize : imageSize, to: resultSize) { regions in
      Parallel.sweep(batches * slices * parts) { range in
        let padded = Storage(count: together * paddedSize)
        var current = -1
        for task in range {
          let (batch, rest) = task.quotientAndRemainder(dividingBy: slices * parts)
          let (slice, part) = rest.quotientAndRemainder(dividingBy: parts)
          let chunk = batch * together..<min((batch + 1) * together, images)
          if isPadded && batch != current { convolution.pad(x, chunk, into: padded.pointer) }
          current = batch
          kernel.convolve(
            regions, images: chunk.count,
            PanelKernel.Batch(
              source: isPadded ? UnsafePointer(padded.pointer) : x + chunk.lowerBound * imageSize,
              nextSource: together * imageSize, offset: chunk.lowerBound * resultSize),
            panels: Fraction(slice, of: slices)(panelCount), Fraction(part, of: parts))
        }
      }
    }
  }

  /// Images at a time: enough for the few pixels at a border to keep the micro-kernel busy, and few enough for the second-level
  /// cache. For larger images, whose pixels do so anyway, four at most, so that threads share the images of most batches evenly.
  private var imagesTogether: Int {
    let resultPixels = plan.regions.reduce(0) { $0 + $1.from.count }
    let maximum =
      resultPixels < Tuning.Direct.pixelsOfSmallImage
      ? max(Tuning.Direct.pixelsTogether / max(resultPixels, 1), Tuning.Direct.smallImagesTogether)
      : Tuning.Direct.imagesTogether
    let cached = Processor.secondLevelCache / 2 / MemoryLayout<Scalar>.stride / max(imageSize, 1)
    let batches = Parallel.threadCount * Tuning.Direct.batchesPerThread
    return max(1, min(maximum, cached, convolution.images / batches))
  }
}

/// The micro-kernel with its packed weights, epilogue and result. A trivial value, which threads copy without counting references.
private struct PanelKernel {
  private let weights: UnsafePointer<Scalar>
  /// Scalars of a panel.
  private let size: Int
  private let panelsPerGroup: Int
  private let columns: Int
  private let rows: Int
  private let isNarrow: Bool
  private let channelsPerGroup: Int
  private let epilogue: Epilogue
  private let y: UnsafeMutablePointer<Scalar>

  init(_ panels: ConvolutionPanels, channelsPerGroup: Int, epilogue: Epilogue, y: UnsafeMutablePointer<Scalar>) {
    (weights, size, panelsPerGroup) = (UnsafePointer(panels.storage.pointer), panels.size, panels.perGroup)
    (columns, rows, isNarrow) = (panels.columns, panels.rows, panels.isNarrow)
    (self.channelsPerGroup, self.epilogue, self.y) = (channelsPerGroup, epilogue, y)
  }

  /// A few images that go through the micro-kernel together.
  struct Batch {
    let source: UnsafePointer<Scalar>
    /// Scalars from `source` to the next batch.
    let nextSource: Int
    /// Scalars from the beginning of y.
    let offset: Int
  }

  /// Convolves a fraction of the pixels of each region with each panel of a range.
  func convolve(
    _ regions: UnsafeBufferPointer<ConvolutionPlan.UnsafeRegion>, images: Int, _ batch: Batch, panels: Range<Int>,
    _ fraction: Fraction
  ) {
    if let only = regions.first, regions.count == 1, only.segmentCount == 1 {
      // No two pixels read the same scalars: a block of pixels that stays in the first-level cache, in twelves, is convolved with
      // all panels, each of which prefetches a part of the next block.
      let unit = Tuning.Direct.pointwiseUnit
      let units = only.length < Tuning.Direct.deepPanel ? 1 : Tuning.Direct.pointwiseUnits
      let block = max(units, Tuning.Direct.pointwiseBlock / (only.length * unit * 4)) * unit
      let pixels = fraction(images * only.pixels)
      for first in Swift.stride(from: pixels.lowerBound, to: pixels.upperBound, by: block) {
        let offset = first + block < pixels.upperBound ? Int(only.from[first + block]) : batch.nextSource
        let next = en_prefetch(
          start: batch.source + offset, bytes: block * only.length * MemoryLayout<Scalar>.stride)
        for some in together(panels) {
          en_prefetch_part(next, some.lowerBound - panels.lowerBound, panels.count, some.count)
          convolve(only, first..<min(first + block, pixels.upperBound), batch, panels: some)
        }
      }
    } else {
      for some in together(panels) {
        for region in regions { convolve(region, fraction(images * region.pixels), batch, panels: some) }
      }
    }
  }

  /// `panels` in parts of those that the micro-kernel takes together, which are of one group.
  private func together(_ panels: Range<Int>) -> some Sequence<Range<Int>> {
    let count = isNarrow ? 1 : DirectConvolution.panelsTogether
    return sequence(state: panels.lowerBound) { [panelsPerGroup] first in
      guard first < panels.upperBound else { return nil }
      let part = first..<min(first + count, panels.upperBound, (first / panelsPerGroup + 1) * panelsPerGroup)
      first = part.upperBound
      return part
    }
  }

  private func convolve(
    _ region: ConvolutionPlan.UnsafeRegion, _ pixels: Range<Int>, _ batch: Batch, panels: Range<Int>
  ) {
    let index = panels.lowerBound
    let (group, panel) = index.quotientAndRemainder(dividingBy: panelsPerGroup)
    let channel = group * columns + panel * DirectConvolution.panelWidth
    let offset = batch.offset + channel
    let epilogue = epilogue.moved(by: offset, channel: channel).descriptor
    let source = batch.source + group * channelsPerGroup
    let region = en_region(
      pixels: pixels.count, from: region.from + pixels.lowerBound, to: region.to + pixels.lowerBound,
      segmentCount: region.segmentCount, segments: region.segments, rows: region.panelRows, length: region.length,
      columns: min(panels.count * DirectConvolution.panelWidth, columns - panel * DirectConvolution.panelWidth),
      panelSize: size)
    if isNarrow {
      en_convolve_narrow(region, source, weights + index * size, rows, epilogue, y + offset)
    } else {
      en_convolve(region, source, weights + index * size, epilogue, y + offset)
    }
  }
}

// MARK: Plans

extension Convolution {
  var paddedHeight: Int { height + 2 * padding }
  var paddedWidth: Int { width + 2 * padding }

  /// Pads `images` with zeros.
  func pad(_ x: UnsafePointer<Scalar>, _ images: Range<Int>, into padded: UnsafeMutablePointer<Scalar>) {
    let margins = en_margins(
      images: images.count, height: height, width: width, channels: inputs, top: padding, left: padding,
      paddedHeight: paddedHeight, paddedWidth: paddedWidth)
    en_pad_images(margins, x + images.lowerBound * height * width * inputs, padded)
  }

  private func weightOffset(_ row: Int, _ column: Int) -> Int {
    (row * kernelWidth + column) * (inputs / groups) * outputs
  }

  /// The pixels of y, and what of x each depends on; if it is padded, x has margins of zeros, and all taps reach every pixel.
  func forwardPlan(isPadded: Bool) -> ConvolutionPlan {
    let margin = isPadded ? padding : 0
    func lines(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.LineTaps] {
      (0..<count).map { i in
        (0..<taps).compactMap { tap in
          let source = i * stride + tap * dilation - padding + margin
          return 0..<side + 2 * margin ~= source ? (tap, source) : nil
        }
      }
    }
    return ConvolutionPlan(
      rows: lines(outputHeight, kernelHeight, height), columns: lines(outputWidth, kernelWidth, width),
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, isReversed: false, sourceWidth: width + 2 * margin,
      sourceChannels: inputs, channels: outputs, perGroup: inputs / groups, tapOffset: weightOffset)
  }

  /// The pixels of dx, and what of dy each depends on: tap r reaches row y from row (y + padding - r · dilation) / stride, where
  /// that is whole.
  fileprivate func backwardDataPlan() -> ConvolutionPlan {
    func lines(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.LineTaps] {
      (0..<count).map { y in
        (0..<taps).reversed().compactMap { tap in
          let (source, rest) = (y + padding - tap * dilation).quotientAndRemainder(dividingBy: stride)
          return rest == 0 && 0..<side ~= source ? (tap, source) : nil
        }
      }
    }
    return ConvolutionPlan(
      rows: lines(height, kernelHeight, outputHeight), columns: lines(width, kernelWidth, outputWidth),
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, isReversed: true, sourceWidth: outputWidth,
      sourceChannels: outputs, channels: inputs, perGroup: outputs / groups, tapOffset: weightOffset)
  }
}
