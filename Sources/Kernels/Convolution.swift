import CKernels
import Synchronization

/// The shapes of a two-dimensional convolution, and its three products on the fastest kernels for them.
package struct Convolution: Sendable {
  package let (images, height, width, inputs): (Int, Int, Int, Int)
  package let (kernelHeight, kernelWidth, outputs): (Int, Int, Int)
  package let (stride, padding, dilation, groups): (Int, Int, Int, Int)

  package init(
    images: Int, height: Int, width: Int, inputs: Int, kernelHeight: Int, kernelWidth: Int, outputs: Int, stride: Int,
    padding: Int, dilation: Int, groups: Int
  ) {
    (self.images, self.height, self.width, self.inputs) = (images, height, width, inputs)
    (self.kernelHeight, self.kernelWidth, self.outputs) = (kernelHeight, kernelWidth, outputs)
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  package var outputHeight: Int { (height + 2 * padding - dilation * (kernelHeight - 1) - 1) / stride + 1 }
  package var outputWidth: Int { (width + 2 * padding - dilation * (kernelWidth - 1) - 1) / stride + 1 }

  /// Whether Winograd's filtering may serve where it applies; its rounding errors are some ten times those of the definition.
  package static var allowsWinograd: Bool {
    get { winogradIsAllowed.load(ordering: .relaxed) }
    set { winogradIsAllowed.store(newValue, ordering: .relaxed) }
  }
  private static let winogradIsAllowed = Atomic<Bool>(true)

  private var winograd: Winograd? {
    guard Self.allowsWinograd, kernelHeight == 3, kernelWidth == 3, stride == 1, padding == 1, dilation == 1,
      groups == 1,
      Winograd.applies(height: height, width: width, inputs: inputs, outputs: outputs)
    else { return nil }
    return Winograd(images: images, height: height, width: width)
  }

  /// Scalars multiplied for an image, as the definition has it, and weights read for it.
  private var directCost: (products: Int, weights: Int) {
    let weights = kernelHeight * kernelWidth * inputs / groups * outputs
    return (max(4, images * outputHeight * outputWidth) * weights, weights)
  }

  // MARK: The three products

  /// y = epilogue of x ∗ w: `[images, height, width, inputs]` and `[kernelHeight, kernelWidth, inputs / groups, outputs]` to
  /// `[images, outputHeight, outputWidth, outputs]`.
  ///
  /// - Parameter layouts: Keeps `w` as the kernels want it, for the next time.
  package func forward(
    _ x: UnsafePointer<Scalar>, _ w: UnsafePointer<Scalar>, layouts: WeightLayouts? = nil,
    epilogue: Epilogue = Epilogue(), into y: UnsafeMutablePointer<Scalar>
  ) {
    if let winograd {
      // Winograd's weights are four times as many. Where they lie ready, and images are few, reading them is what costs.
      if layouts == nil || winograd.isFaster(than: directCost, inputs: inputs, outputs: outputs) {
        return winograd.convolve(
          x, w, layouts: layouts, inputs: inputs, outputs: outputs, epilogue: epilogue, into: y)
      }
    }
    let padded = (height: height + 2 * padding, width: width + 2 * padding)
    let plan = forwardPlan(paddedWidth: padded.width)
    let panels = Panels(
      columns: outputs / groups, groups: groups, rows: plan.rows, layouts: layouts
    ) { group, column, count, panel in
      en_pack_panel(
        plan.taps.count, plan.taps, inputs / groups, count, outputs, 1, w + group * (outputs / groups) + column, panel)
    }
    convolve(
      [plan], [panels], x, (height, width, inputs), margins: (padding, padding), padded: padded, epilogue, y,
      imageSize: outputHeight * outputWidth * outputs)
  }

  /// dx = the adjoint of `forward` in x, applied to dy.
  ///
  /// Pixels of dx that are reached by the same taps form a phase, of which there are `stride²`; each is a convolution of dy
  /// without strides, and no product with an inserted zero is ever made.
  package func backwardData(
    _ dy: UnsafePointer<Scalar>, _ w: UnsafePointer<Scalar>, into dx: UnsafeMutablePointer<Scalar>
  ) {
    if let winograd { return winograd.convolve(dy, w, isAdjoint: true, inputs: outputs, outputs: inputs, into: dx) }
    let rowsBefore = dilation * (kernelHeight - 1) / stride
    let columnsBefore = dilation * (kernelWidth - 1) / stride
    let padded = (
      height: rowsBefore + max(outputHeight, (height - 1 + padding) / stride + 1),
      width: columnsBefore + max(outputWidth, (width - 1 + padding) / stride + 1)
    )
    var plans: [Plan] = []
    var panels: [Panels] = []
    for phaseY in 0..<min(stride, height) {
      for phaseX in 0..<min(stride, width) {
        let plan = backwardPlan(phaseY, phaseX, rowsBefore, columnsBefore, paddedWidth: padded.width)
        plans.append(plan)
        panels.append(
          Panels(columns: inputs / groups, groups: groups, rows: plan.rows) { group, column, count, panel in
            en_pack_panel(
              plan.taps.count, plan.taps, outputs / groups, count, 1, outputs,
              w + group * (outputs / groups) + column * outputs, panel)
          })
      }
    }
    convolve(
      plans, panels, dy, (outputHeight, outputWidth, outputs), margins: (rowsBefore, columnsBefore), padded: padded,
      Epilogue(), dx, imageSize: height * width * inputs)
  }

  /// dw = the adjoint of `forward` in w, applied to dy.
  package func backwardWeights(
    _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, into dw: UnsafeMutablePointer<Scalar>
  ) {
    if let winograd { return winograd.weightsGradient(x, dy, inputs: inputs, outputs: outputs, into: dw) }
    let padded = (height: height + 2 * padding, width: width + 2 * padding)
    let paddedSize = padded.height * padded.width * inputs
    let pixels = outputHeight * outputWidth
    let together = imagesTogether(pixels: pixels, enough: 256)
    let plan = forwardPlan(paddedWidth: padded.width).repeated(together, from: paddedSize, to: pixels * outputs)
    let perGroup = outputs / groups
    let panelCount = (perGroup + Self.panelWidth - 1) / Self.panelWidth
    let panelSize = plan.rows * Self.panelWidth

    // A task is some rows of the weights, summed over a part of the images; parts have sums of their own.
    let blocks = panelCount <= en_few_panels ? 1 : (plan.rows + en_weight_rows - 1) / en_weight_rows
    let parts = min(images, max(1, Parallel.threadCount * 4 / (blocks * groups)))
    let sums = Storage(repeating: 0, count: parts * groups * panelCount * panelSize)
    // What several tasks read is padded once for all of them.
    let isShared = padding > 0 && blocks * groups > 1
    let shared = Storage(count: isShared ? images * paddedSize : 0)
    let shape = (height: height, width: width, channels: inputs)
    if isShared {
      Parallel.forEach(images) { some in
        _ = pad(x, some, shape, (padding, padding), padded, shared.pointer + some.lowerBound * paddedSize)
      }
    }
    Parallel.forEach(parts * groups * blocks) { range in
      let own = Storage(count: isShared ? 0 : together * paddedSize)
      for task in range {
        let (part, rest) = task.quotientAndRemainder(dividingBy: groups * blocks)
        let (group, block) = rest.quotientAndRemainder(dividingBy: blocks)
        let rows = plan.rows * block / blocks..<plan.rows * (block + 1) / blocks
        let end = images * (part + 1) / parts
        for n in Swift.stride(from: images * part / parts, to: end, by: together) {
          let some = n..<min(n + together, end)
          let source =
            isShared
            ? UnsafePointer(shared.pointer + n * paddedSize)
            : pad(x, some, shape, (padding, padding), padded, own.pointer)
          en_convolve_weights(
            some.count * pixels, plan.from, plan.to, plan.segments, plan.length, rows.lowerBound, rows.count,
            source + group * (inputs / groups), dy + n * pixels * outputs + group * perGroup, perGroup,
            sums.pointer + (part * groups + group) * panelCount * panelSize + rows.lowerBound * Self.panelWidth,
            panelSize)
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

  // MARK: Plans

  private static let panelWidth = en_panel_width

  /// Which scalars meet: for each output pixel where its window begins, and where in the window the taps are.
  private struct Plan {
    var from: [Int32] = []
    var to: [Int32] = []
    /// Taps in the order of the segments, as offsets of their matrices in the weights.
    var taps: [Int32] = []
    var segments: [Int32] = []
    /// Scalars in a segment.
    var length = 0
    var rows: Int { segments.count * length }

    /// The same pixels of `count` images, which lie so far from each other.
    func repeated(_ count: Int, from: Int, to: Int) -> Plan {
      var plan = self
      for n in 1..<max(count, 1) {
        plan.from += self.from.map { $0 + Int32(n * from) }
        plan.to += self.to.map { $0 + Int32(n * to) }
      }
      return plan
    }

    /// Adds taps that lie side by side in one line: one segment where nothing is between them.
    mutating func addLine(_ line: [(offset: Int, tap: Int)], channels: Int, merging: Bool) {
      let line = line.sorted { $0.offset < $1.offset }
      taps += line.map { Int32($0.tap) }
      if merging, zip(line, line.dropFirst()).allSatisfy({ $1.offset - $0.offset == channels }) {
        segments.append(Int32(line[0].offset))
        length = line.count * channels
      } else {
        segments += line.map { Int32($0.offset) }
        length = channels
      }
    }
  }

  /// How many images go through the micro-kernel together, so that small ones, too, keep it busy.
  private func imagesTogether(pixels: Int, enough: Int) -> Int {
    max(1, min(enough / max(pixels, 1), images / (Parallel.threadCount * 4)))
  }

  private func weightOffset(_ row: Int, _ column: Int) -> Int {
    (row * kernelWidth + column) * (inputs / groups) * outputs
  }

  private func forwardPlan(paddedWidth: Int) -> Plan {
    var plan = Plan()
    for i in 0..<outputHeight {
      for j in 0..<outputWidth {
        plan.from.append(Int32((i * stride * paddedWidth + j * stride) * inputs))
        plan.to.append(Int32((i * outputWidth + j) * outputs))
      }
    }
    for r in 0..<kernelHeight {
      plan.addLine(
        (0..<kernelWidth).map { ((r * paddedWidth + $0) * dilation * inputs, weightOffset(r, $0)) },
        channels: inputs / groups, merging: groups == 1)
    }
    return plan
  }

  private func backwardPlan(
    _ phaseY: Int, _ phaseX: Int, _ rowsBefore: Int, _ columnsBefore: Int, paddedWidth: Int
  ) -> Plan {
    var plan = Plan()
    for y in Swift.stride(from: phaseY, to: height, by: stride) {
      for x in Swift.stride(from: phaseX, to: width, by: stride) {
        let (row, column) = ((y + padding) / stride + rowsBefore, (x + padding) / stride + columnsBefore)
        plan.from.append(Int32((row * paddedWidth + column) * outputs))
        plan.to.append(Int32((y * width + x) * inputs))
      }
    }
    // Tap r reaches row y from row (y + padding - r · dilation) / stride of dy, where that is whole.
    let columns = (0..<kernelWidth).filter { ($0 * dilation - phaseX - padding) % stride == 0 }
    let (restY, restX) = ((phaseY + padding) % stride, (phaseX + padding) % stride)
    for r in 0..<kernelHeight where (r * dilation - phaseY - padding) % stride == 0 {
      let up = (r * dilation - restY) / stride
      let line = columns.map { s in
        (-(up * paddedWidth + (s * dilation - restX) / stride) * outputs, weightOffset(r, s))
      }
      if !line.isEmpty { plan.addLine(line, channels: outputs / groups, merging: groups == 1) }
    }
    return plan
  }

  /// Weights packed for the micro-kernel: for each group, panels of 16 columns.
  private struct Panels {
    let storage: Storage
    let columns: Int
    let perGroup: Int
    let count: Int
    let size: Int

    init(
      columns: Int, groups: Int, rows: Int, layouts: WeightLayouts? = nil,
      pack: (_ group: Int, _ column: Int, _ count: Int, _ panel: UnsafeMutablePointer<Scalar>) -> Void
    ) {
      let width = Convolution.panelWidth
      self.columns = columns
      perGroup = (columns + width - 1) / width
      count = groups * perGroup
      size = rows * width
      let (count, perGroup, size) = (count, perGroup, size)
      storage = layouts.storage(.panels) {
        let storage = Storage(count: count * size)
        Parallel.forEach(count, grain: max(1, (1 << 14) / max(size, 1))) { range in
          for task in range {
            let (group, panel) = task.quotientAndRemainder(dividingBy: perGroup)
            pack(group, panel * width, min(width, columns - panel * width), storage.pointer + task * size)
          }
        }
        return storage
      }
    }
  }

  /// Images amid zeros, or in place where there are to be none.
  private func pad(
    _ x: UnsafePointer<Scalar>, _ images: Range<Int>, _ shape: (height: Int, width: Int, channels: Int),
    _ margins: (top: Int, left: Int), _ padded: (height: Int, width: Int),
    _ room: UnsafeMutablePointer<Scalar>
  ) -> UnsafePointer<Scalar> {
    let source = x + images.lowerBound * shape.height * shape.width * shape.channels
    if margins == (0, 0) && padded.height == shape.height && padded.width == shape.width { return source }
    en_pad_images(
      images.count, shape.height, shape.width, shape.channels, margins.top, margins.left, padded.height, padded.width,
      source, room)
    return UnsafePointer(room)
  }

  private func convolve(
    _ plans: [Plan], _ panels: [Panels], _ x: UnsafePointer<Scalar>,
    _ shape: (height: Int, width: Int, channels: Int), margins: (top: Int, left: Int),
    padded: (height: Int, width: Int), _ epilogue: Epilogue, _ y: UnsafeMutablePointer<Scalar>, imageSize: Int
  ) {
    let perGroup = shape.channels / groups
    let paddedSize = padded.height * padded.width * shape.channels
    let together = imagesTogether(pixels: plans[0].from.count, enough: 24)
    let pixels = plans.map(\.from.count)
    let plans = plans.map { $0.repeated(together, from: paddedSize, to: imageSize) }
    let batches = (images + together - 1) / together
    // A few images are shared out by panels as well.
    let shares = batches >= Parallel.threadCount * 4 ? 1 : min(panels[0].count, Parallel.threadCount * 2)
    Parallel.forEach(batches * shares) { range in
      let room = Storage(count: together * paddedSize)
      var current = -1
      var source = x
      for task in range {
        let (batch, share) = task.quotientAndRemainder(dividingBy: shares)
        let some = batch * together..<min((batch + 1) * together, images)
        if batch != current {
          source = pad(x, some, shape, margins, padded, room.pointer)
          current = batch
        }
        for (index, (plan, panels)) in zip(plans, panels).enumerated() {
          let count = some.count * pixels[index]
          // Pixels that stay in the first-level cache while the panels go by, where no two share what they read.
          let block = plan.segments.count == 1 ? max(1, (24 << 10) / (plan.length * 24)) * 6 : count
          for first in Swift.stride(from: 0, to: count, by: max(block, 1)) {
            for task in panels.count * share / shares..<panels.count * (share + 1) / shares {
              let (group, panel) = task.quotientAndRemainder(dividingBy: panels.perGroup)
              let channel = group * panels.columns + panel * Self.panelWidth
              let offset = some.lowerBound * imageSize + channel
              plan.from.withUnsafeBufferPointer { from in
                plan.to.withUnsafeBufferPointer { to in
                  en_convolve(
                    min(block, count - first), from.baseAddress! + first, to.baseAddress! + first,
                    plan.segments.count, plan.segments, plan.length, source + group * perGroup,
                    panels.storage.pointer + task * panels.size,
                    Epilogue(
                      bias: epilogue.bias.map { $0 + channel }, residual: epilogue.residual.map { $0 + offset },
                      rectifies: epilogue.rectifies),
                    min(Self.panelWidth, panels.columns - panel * Self.panelWidth), y + offset)
                }
              }
            }
          }
        }
      }
    }
  }
}
