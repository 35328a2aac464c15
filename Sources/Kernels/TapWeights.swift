import CKernels

/// `Convolution.backwardWeights` of groups of few channels, and `Convolution.backward`, which reads dy once.
///
/// The rows of all images are in parts, each with sums of its own. There are as many parts for any number of threads, so that
/// the results are the same.
struct TapWeights {
  private let convolution: Convolution
  private let groups: TapGroups
  private let plan: TapPlan
  private let parts: Int
  /// Parts of the channels of a depthwise convolution, whose sums stay in the first-level cache.
  private let tiles: [Range<Int>]
  /// Scalars of the weights.
  private let count: Int

  /// Nil where the direct algorithm is as fast.
  init?(_ c: Convolution) {
    groups = TapGroups(forward: c)
    guard groups.areNarrow else { return nil }
    (convolution, plan) = (c, TapPlan(forward: c))
    count = groups.products * c.outputs
    let operands = c.images * (plan.sourceCount + plan.resultCount)
    parts = max(1, min(Tuning.Taps.parts, c.images * plan.rows, operands / (Tuning.Taps.operandsForSum * count)))
    tiles = groups.tiles()
  }

  func run(_ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, into dw: UnsafeMutablePointer<Scalar>) {
    add(x, dy, into: dw) { _, _, _ in }
  }

  /// Computes dx as well, by `data` of the same convolution.
  func run(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, data: TapConvolution, _ epilogue: Epilogue,
    dx: UnsafeMutablePointer<Scalar>, dw: UnsafeMutablePointer<Scalar>
  ) {
    data.withPass(dy, epilogue, into: dx) { pass in
      let (height, rows) = (convolution.height, plan.rows)
      add(x, dy, into: dw) { image, block, channels in
        // The rows of dx that lie where those of dy do, all of them once.
        let first = block.lowerBound * height / rows
        pass.compute(image, first..<block.upperBound * height / rows, channels: channels)
      }
    }
  }

  /// Adds up the products of all rows, and calls `body` after each block of rows of dy, which is then in the second-level cache.
  private func add(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, into dw: UnsafeMutablePointer<Scalar>,
    _ body: (_ image: Int, _ rows: Range<Int>, _ channels: Range<Int>) -> Void
  ) {
    let (c, groups, parts, tiles, count) = (convolution, groups, parts, tiles, count)
    let sums = Storage(repeating: 0, count: parts * count)
    let rows = plan.rows
    let rowBytes = (2 * plan.sourceCount + plan.resultCount) / max(rows, 1) * MemoryLayout<Scalar>.stride / tiles.count
    let block = max(Tuning.Taps.rowsOfBlock, Processor.secondLevelCache / 2 / max(rowBytes, 1))
    plan.withPointers { runs in
      let gradient = Gradient(
        plan: runs, sourceCount: plan.sourceCount, resultCount: plan.resultCount, groups: groups, x: x, dy: dy)
      Parallel.forEach(parts * tiles.count) { range in
        for task in range {
          let (part, tile) = task.quotientAndRemainder(dividingBy: tiles.count)
          let channels = tiles[tile]
          let partSums = sums.pointer + part * count
          forEachImage(Fraction(part, of: parts)(c.images * rows), rows) { image, rows in
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: block) {
              let some = first..<min(first + block, rows.upperBound)
              gradient.add(image, some, channels: channels, to: partSums)
              body(image, some, channels)
            }
          }
        }
      }
    }
    reduce(sums.pointer, into: dw)
  }

  /// Adds up the sums of all parts.
  private func reduce(_ sums: UnsafeMutablePointer<Scalar>, into dw: UnsafeMutablePointer<Scalar>) {
    Parallel.forEach(count, grain: Tuning.Taps.sums) { range in
      for part in stride(from: 1, to: parts, by: 1) {
        let total = sums + range.lowerBound
        BinaryFunction.add(range.count, total, total + part * count, total)
      }
    }
    if groups.isDepthwise { dw.update(from: sums, count: count) } else { groups.unpack(sums, into: dw) }
  }

  /// A trivial value, which threads copy without counting references.
  private struct Gradient {
    let plan: TapPlan.Pointers
    let (sourceCount, resultCount): (Int, Int)
    let groups: TapGroups
    let x: UnsafePointer<Scalar>
    let dy: UnsafePointer<Scalar>

    /// Adds the products of `rows` of an image, of a depthwise convolution some channels.
    func add(_ image: Int, _ rows: Range<Int>, channels: Range<Int>, to sums: UnsafeMutablePointer<Scalar>) {
      let first = groups.isDepthwise ? channels.lowerBound : 0
      let (x, dy) = (x + image * sourceCount + first, dy + image * resultCount + first)
      if groups.isDepthwise {
        en_depthwise_weights(groups.depthwise(plan(rows), channels), x, dy, sums + first)
      } else {
        en_convolve_groups_weights(groups.descriptor(plan(rows)), x, dy, sums)
      }
    }
  }
}
