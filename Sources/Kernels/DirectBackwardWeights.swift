import CKernels

/// The direct algorithm of `Convolution.backwardWeights`: x and dy multiplied over pixels, for panels of 16 output channels.
///
/// A trivial value, which threads copy without counting references.
struct DirectBackwardWeights {
  private let convolution: Convolution
  /// Whether images are padded with zeros first.
  private let isPadded: Bool
  /// Scalars of an image of x, padded where it is, and of dy.
  private let (imageSize, resultSize): (Int, Int)
  /// Images that go through the micro-kernel together.
  private let together: Int
  /// Outputs of a group, and panels of them.
  private let (columns, panelCount): (Int, Int)
  /// Rows of a panel.
  private let rows: Int
  /// Blocks of rows, and parts of the images, each with its sums: a task is a block of a part.
  private let (blocks, parts): (Int, Int)

  init(_ c: Convolution) {
    convolution = c
    // Regions with fewer taps skip the products with padded zeros. That pays where the border is a good part of the image, and
    // segments are long, as dy is packed for each.
    isPadded =
      c.padding > 0
      && (c.inputs / c.groups < Tuning.DirectWeights.channelsOfSegment || c.images < Tuning.DirectWeights.fewImages
        || c.outputHeight * c.outputWidth > Tuning.DirectWeights.pixelsOfLargeImage)
    imageSize = isPadded ? c.paddedHeight * c.paddedWidth * c.inputs : c.height * c.width * c.inputs
    resultSize = c.outputHeight * c.outputWidth * c.outputs
    // Small images go through the micro-kernel together, so that they, and the few pixels at a border, keep it busy.
    let wanted = max(
      Tuning.DirectWeights.pixelsTogether / max(resultSize / c.outputs, 1),
      isPadded ? 1 : Tuning.DirectWeights.imagesTogether)
    let batches = Parallel.threadCount * Tuning.DirectWeights.batchesPerThread
    together = max(1, min(wanted, c.images / batches))
    columns = c.outputs / c.groups
    panelCount = (columns + DirectConvolution.panelWidth - 1) / DirectConvolution.panelWidth
    rows = c.kernelHeight * c.kernelWidth * (c.inputs / c.groups)
    blocks = panelCount <= en_panel_threshold ? 1 : (rows + en_max_weight_rows - 1) / en_max_weight_rows
    parts = min(c.images, max(1, batches / (blocks * c.groups)))
  }

  private var panelSize: Int { rows * DirectConvolution.panelWidth }

  func run(_ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, into dw: UnsafeMutablePointer<Scalar>) {
    let c = convolution
    let plan = c.forwardPlan(isPadded: isPadded)
    let sums = Storage(repeating: 0, count: parts * c.groups * panelCount * panelSize)
    // Images that several tasks read are padded once for all of them.
    let isPaddedOnce = isPadded && blocks * c.groups > 1
    let paddedImages = Storage(count: isPaddedOnce ? c.images * imageSize : 0)
    if isPaddedOnce {
      Parallel.forEach(c.images) { c.pad(x, $0, into: paddedImages.pointer + $0.lowerBound * imageSize) }
    }
    let shared = isPaddedOnce ? UnsafePointer(paddedImages.pointer) : isPadded ? nil : x
    plan.withRegions(of: together, from: imageSize, to: resultSize) { regions in
      Parallel.sweep(parts * c.groups * blocks) { range in
        let padded = Storage(count: shared == nil ? together * imageSize : 0)
        for index in range {
          let task = Task(index, of: self, sums: sums.pointer)
          for n in stride(from: task.images.lowerBound, to: task.images.upperBound, by: together) {
            let batch = n..<min(n + together, task.images.upperBound)
            if shared == nil { c.pad(x, batch, into: padded.pointer) }
            let source = shared.map { $0 + n * imageSize } ?? UnsafePointer(padded.pointer)
            // The first call prefetches the images of the next batch.
            let next = batch.upperBound..<min(batch.upperBound + together, task.images.upperBound)
            let prefetches = [(x, c.height * c.width * c.inputs), (dy, resultSize)].map { start, size in
              en_prefetch(start: start + next.lowerBound * size, bytes: next.count * size * MemoryLayout<Scalar>.stride)
            }
            add(
              regions, task, images: batch.count, source + task.group * (c.inputs / c.groups),
              dy + n * resultSize + task.group * columns, prefetches)
          }
        }
      }
    }
    reduce(sums.pointer, taps: plan.taps, into: dw)
  }

  /// A block of rows of the weights of one group, summed over a part of the images.
  private struct Task {
    let group: Int
    let rows: Range<Int>
    let images: Range<Int>
    /// The group's panels.
    let sums: UnsafeMutablePointer<Scalar>

    init(_ index: Int, of work: DirectBackwardWeights, sums: UnsafeMutablePointer<Scalar>) {
      let c = work.convolution
      let (part, rest) = index.quotientAndRemainder(dividingBy: c.groups * work.blocks)
      let (group, block) = rest.quotientAndRemainder(dividingBy: work.blocks)
      self.group = group
      rows = Fraction(block, of: work.blocks)(work.rows)
      images = Fraction(part, of: work.parts)(c.images)
      self.sums = sums + (part * c.groups + group) * work.panelCount * work.panelSize
    }
  }

  /// Adds the products of a batch to the rows of a task.
  private func add(
    _ regions: UnsafeBufferPointer<ConvolutionPlan.UnsafeRegion>, _ task: Task, images: Int,
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ prefetches: [en_prefetch]
  ) {
    var prefetches = prefetches
    /// Adds to `rows` of the panels, of which the first is row `first` of `segments`.
    func add(
      _ region: ConvolutionPlan.UnsafeRegion, _ segments: UnsafePointer<Int32>, _ first: Int, _ rows: Range<Int>
    ) {
      defer { prefetches = [en_prefetch(), en_prefetch()] }
      let block = en_weight_rows(
        pixels: images * region.pixels, from: region.from, to: region.to, segments: segments, length: region.length,
        firstRow: first, rows: rows.count, columns: columns, panelSize: panelSize)
      en_convolve_weights(
        block, x, dy, task.sums + rows.lowerBound * DirectConvolution.panelWidth, prefetches)
    }
    if let only = regions.first, only.segmentCount * only.length == rows, regions.count == 1 {
      // Every tap reaches every pixel: the rows of the panels are those of the segments.
      add(only, only.segments, task.rows.lowerBound, task.rows)
    } else {
      for region in regions {
        for segment in 0..<region.segmentCount {
          let row = Int(region.panelRows[segment])
          let overlap = task.rows.clamped(to: row..<row + region.length)
          if !overlap.isEmpty { add(region, region.segments + segment, overlap.lowerBound - row, overlap) }
        }
      }
    }
  }

  /// Adds up the sums of all parts, and unpacks them into dw.
  private func reduce(_ sums: UnsafeMutablePointer<Scalar>, taps: [Int32], into dw: UnsafeMutablePointer<Scalar>) {
    let c = convolution
    let width = DirectConvolution.panelWidth
    let stride = c.groups * panelCount * panelSize
    let perTap = c.inputs / c.groups
    Parallel.forEach(c.groups * panelCount) { range in
      for task in range {
        let (group, panel) = task.quotientAndRemainder(dividingBy: panelCount)
        let count = min(width, columns - panel * width)
        let total = sums + task * panelSize
        for part in 1..<max(parts, 1) { BinaryFunction.add(panelSize, total, total + part * stride, total) }
        for row in 0..<rows {
          let (tap, c) = row.quotientAndRemainder(dividingBy: perTap)
          let target = dw + Int(taps[tap]) + c * convolution.outputs + group * columns + panel * width
          target.update(from: total + row * width, count: count)
        }
      }
    }
  }
}
