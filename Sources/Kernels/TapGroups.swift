import CKernels

/// The groups of a pass of a convolution: how many there are, and the channels that each reads and writes.
struct TapGroups {
  let count: Int
  let (inputs, outputs): (Int, Int)
  private let taps: Int
  /// The steps of the weights from tap to tap, from what is read to the next, from what is written to the next, and from group to
  /// group.
  private let steps: (tap: Int, input: Int, output: Int, group: Int)

  init(forward c: Convolution) {
    (count, taps) = (c.groups, c.kernelHeight * c.kernelWidth)
    (inputs, outputs) = (c.inputs / c.groups, c.outputs / c.groups)
    steps = (inputs * c.outputs, c.outputs, 1, outputs)
  }

  init(backwardData c: Convolution) {
    (count, taps) = (c.groups, c.kernelHeight * c.kernelWidth)
    (inputs, outputs) = (c.outputs / c.groups, c.inputs / c.groups)
    steps = (outputs * c.outputs, 1, c.outputs, inputs)
  }

  var isDepthwise: Bool { inputs == 1 && outputs == 1 }

  /// Whether most of a panel of the direct algorithm would be empty, which has a kernel of its own for the fewest columns.
  var areNarrow: Bool {
    count > 1 && outputs < en_nr && !(outputs <= en_narrow_columns && inputs % en_nr == 0)
  }

  /// Products for each scalar of the result.
  var products: Int { taps * inputs }

  /// What the kernel of depthwise convolutions needs to know of some channels, with which x and y then begin.
  func depthwise(_ plan: en_tap_plan, _ channels: Range<Int>) -> en_depthwise_channels {
    var plan = plan
    plan.xCount -= channels.lowerBound
    plan.yCount -= channels.lowerBound
    return en_depthwise_channels(plan: plan, channels: channels.count, wStep: count)
  }

  func descriptor(_ plan: en_tap_plan) -> en_channel_groups {
    en_channel_groups(plan: plan, groups: count, inputs: inputs, outputs: outputs)
  }

  /// The weights in the order in which `en_convolve_groups` reads them.
  func packed(_ w: UnsafePointer<Scalar>) -> Storage {
    let storage = Storage(count: count * outputs * products)
    forEachBlock { block in
      en_read_strided(4, block.dimensions, block.steps, 0, w + block.offset, storage.pointer + block.packedOffset)
    }
    return storage
  }

  /// The inverse of ``packed(_:)``.
  func unpack(_ packed: UnsafePointer<Scalar>, into w: UnsafeMutablePointer<Scalar>) {
    forEachBlock { block in
      en_write_strided(4, block.dimensions, block.steps, packed + block.packedOffset, w + block.offset)
    }
  }

  /// A vector of results: where its weights are, and the steps between them.
  private struct Block {
    let (offset, packedOffset): (Int, Int)
    /// Taps, inputs, groups and outputs.
    let dimensions: [Int]
    let steps: [Int]
  }

  private func forEachBlock(_ body: (Block) -> Void) {
    // Vectors of results have whole groups, or a part of one.
    let groups = en_takes_whole_groups(count, inputs, outputs) != 0 ? en_nr / outputs : 1
    for group in stride(from: 0, to: count, by: groups) {
      var output = 0
      while output < outputs {
        let lanes = groups > 1 ? outputs : en_group_lanes(outputs - output)
        body(
          Block(
            offset: group * steps.group + output * steps.output, packedOffset: (group * outputs + output) * products,
            dimensions: [taps, inputs, groups, lanes], steps: [steps.tap, steps.input, steps.group, steps.output]))
        output += lanes
      }
    }
  }

  /// Parts of the channels of a depthwise convolution, whose weights stay in the first-level cache.
  func tiles() -> [Range<Int>] {
    let vectors = (count * outputs + en_nr - 1) / en_nr
    let cached = max(1, Tuning.Taps.cachedWeights / MemoryLayout<Scalar>.stride / (products * en_nr))
    let parts = isDepthwise ? (vectors + cached - 1) / cached : 1
    return (0..<parts).map {
      let range = Fraction($0, of: parts)(vectors)
      return range.lowerBound * en_nr..<min(range.upperBound * en_nr, count * outputs)
    }
  }
}
