import CKernels

/// `Convolution.forward` and `Convolution.backwardData` of groups of few channels, tap by tap: depthwise, where each group is a
/// single channel, and groups whose results would leave most of a panel of the direct algorithm empty.
struct TapConvolution {
  private let plan: TapPlan
  private let images: Int
  private let groups: TapGroups
  private let weights: Weights

  /// The weights as the kernel reads them.
  private enum Weights {
    /// `[taps][channels]`, in place.
    case depthwise(UnsafePointer<Scalar>)
    /// Of each group's results, packed.
    case packed(Storage)

    var pointer: UnsafePointer<Scalar> {
      switch self {
      case .depthwise(let w): w
      case .packed(let storage): UnsafePointer(storage.pointer)
      }
    }
  }

  /// Nil where the direct algorithm is as fast.
  init?(forward c: Convolution, _ w: UnsafePointer<Scalar>, packed: PackedWeights?) {
    groups = TapGroups(forward: c)
    guard groups.areNarrow else { return nil }
    (plan, images) = (TapPlan(forward: c), c.images)
    weights = groups.isDepthwise ? .depthwise(w) : .packed(packed.storage(.groups) { [groups] in groups.packed(w) })
  }

  /// Nil where the direct algorithm is as fast.
  init?(backwardData c: Convolution, _ w: UnsafePointer<Scalar>) {
    groups = TapGroups(backwardData: c)
    guard groups.areNarrow else { return nil }
    (plan, images) = (TapPlan(backwardData: c), c.images)
    weights = groups.isDepthwise ? .depthwise(w) : .packed(groups.packed(w))
  }

  func run(_ x: UnsafePointer<Scalar>, _ epilogue: Epilogue, into y: UnsafeMutablePointer<Scalar>) {
    withPass(x, epilogue, into: y) { pass in
      let rows = plan.rows
      let grain = max(1, Tuning.Taps.products / max(1, plan.resultCount / rows * groups.products))
      groups.tiles().withUnsafeBufferPointer { tiles in
        Parallel.sweep(images * rows, grain: grain) { range in
          forEachImage(range, rows) { image, rows in
            for channels in tiles { pass.compute(image, rows, channels: channels) }
          }
        }
      }
    }
  }

  /// Runs `body` with what computes some rows of an image.
  func withPass(
    _ x: UnsafePointer<Scalar>, _ epilogue: Epilogue, into y: UnsafeMutablePointer<Scalar>, _ body: (Pass) -> Void
  ) {
    let channels = groups.count * groups.outputs
    let epilogue = epilogue.nonTemporal(
      for: y, images * plan.resultCount, channels: channels, from: Tuning.Taps.streamedResult)
    plan.withPointers {
      body(
        Pass(
          plan: $0, sourceCount: plan.sourceCount, resultCount: plan.resultCount, groups: groups, x: x,
          w: weights.pointer, epilogue: epilogue, y: y))
    }
  }

  /// A trivial value, which threads copy without counting references.
  struct Pass {
    fileprivate let plan: TapPlan.Pointers
    fileprivate let (sourceCount, resultCount): (Int, Int)
    fileprivate let groups: TapGroups
    fileprivate let x: UnsafePointer<Scalar>
    fileprivate let w: UnsafePointer<Scalar>
    fileprivate let epilogue: Epilogue
    fileprivate let y: UnsafeMutablePointer<Scalar>

    /// Computes `rows` of an image, of a depthwise convolution some channels.
    func compute(_ image: Int, _ rows: Range<Int>, channels: Range<Int>) {
      let first = groups.isDepthwise ? channels.lowerBound : 0
      let offset = image * resultCount + first
      let epilogue = epilogue.moved(by: offset, channel: first).descriptor
      let x = x + image * sourceCount + first
      if groups.isDepthwise {
        en_depthwise(groups.depthwise(plan(rows), channels), x, w + first, epilogue, y + offset)
      } else {
        en_convolve_groups(groups.descriptor(plan(rows)), x, w, epilogue, y + offset)
      }
    }
  }
}

/// Runs `body` with each image, and its rows, of a range of the rows of all images.
func forEachImage(_ range: Range<Int>, _ rows: Int, _ body: (_ image: Int, _ rows: Range<Int>) -> Void) {
  var row = range.lowerBound
  while row < range.upperBound {
    let (image, first) = row.quotientAndRemainder(dividingBy: rows)
    let count = min(rows - first, range.upperBound - row)
    body(image, first..<first + count)
    row += count
  }
}
