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
    count > 1 && outputs < en_panel_width && !(outputs <= en_narrow_columns && inputs % en_panel_width == 0)
  }

  /// Products for each scalar of the result.
  var products: Int { taps * inputs }

  /// The weights in the order in which `en_convolve_groups` reads them.
  func packed(_ w: UnsafePointer<Scalar>) -> Storage {
    let storage = Storage(count: count * outputs * taps * inputs)
    forEachBlock { group, output, lanes in
      en_read_strided(
        3, [taps, inputs, lanes], [steps.tap, steps.input, steps.output],
        w + group * steps.group + output * steps.output,
        storage.pointer + (group * outputs + output) * taps * inputs)
    }
    return storage
  }

  /// The inverse of ``packed(_:)``.
  func unpack(_ packed: UnsafePointer<Scalar>, into w: UnsafeMutablePointer<Scalar>) {
    forEachBlock { group, output, lanes in
      en_write_strided(
        3, [taps, inputs, lanes], [steps.tap, steps.input, steps.output],
        packed + (group * outputs + output) * taps * inputs,
        w + group * steps.group + output * steps.output)
    }
  }

  private func forEachBlock(_ body: (_ group: Int, _ output: Int, _ lanes: Int) -> Void) {
    for group in 0..<count {
      var output = 0
      while output < outputs {
        let lanes = en_group_lanes(outputs - output)
        body(group, output, lanes)
        output += lanes
      }
    }
  }
}
