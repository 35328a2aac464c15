import CKernels

extension Winograd {
  /// The weights of a convolution, and their Winograd-domain components.
  struct Weights {
    let w: UnsafePointer<Scalar>
    let form: en_winograd_form
    let (tapStride, inputStride, outputStride): (Int, Int, Int)
    /// The stride of components, and of blocks of 16 outputs.
    let (component, block): (Int, Int)

    init(
      _ w: UnsafePointer<Scalar>, inputs: Int, outputs: Int, isBackwardData: Bool, form: en_winograd_form,
      components: Int
    ) {
      (self.w, self.form) = (w, form)
      // Backward-data has the weights rotated by 180°, inputs and outputs exchanged.
      (tapStride, inputStride, outputStride) =
        isBackwardData ? (-inputs * outputs, 1, inputs) : (inputs * outputs, outputs, 1)
      component = inputs * 16 + Tuning.Winograd.componentPadding
      block = components * component + Tuning.Winograd.blockPadding
    }

    /// Transforms a range of inputs of a block of outputs; u begins with the first of these inputs.
    func transform(block kb: Int, _ inputs: Range<Int>, into u: UnsafeMutablePointer<Scalar>, component: Int) {
      let filters = en_winograd_filters(
        form: form, inputs: inputs.count, tapStride: tapStride, inputStride: inputStride, outputStride: outputStride,
        component: component)
      en_winograd_weights(filters, w + kb * 16 * outputStride + inputs.lowerBound * inputStride, u)
    }

    /// Transforms all inputs of all outputs.
    func transformed(blocks: Int, _ inputs: Int) -> Storage {
      let u = Storage(count: blocks * block)
      let (inputBlocks, slices) = (inputs / 16, max(1, inputs / Tuning.Winograd.transformedInputs))
      Parallel.forEach(blocks * slices) { range in
        for task in range {
          let (kb, slice) = task.quotientAndRemainder(dividingBy: slices)
          let sliceBlocks = Fraction(slice, of: slices)(inputBlocks)
          let inputs = sliceBlocks.lowerBound * 16..<sliceBlocks.upperBound * 16
          transform(block: kb, inputs, into: u.pointer + kb * block + inputs.lowerBound * 16, component: component)
        }
      }
      return u
    }
  }
}
