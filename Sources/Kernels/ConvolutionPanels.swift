import CKernels

/// Packed weights of the direct convolution: for each group, panels of 16 columns, or one panel of few columns.
struct ConvolutionPanels {
  let storage: Storage
  let columns: Int
  let perGroup: Int
  let count: Int
  let rows: Int
  /// Whether the panels are column-major, for few columns.
  let isNarrow: Bool

  var size: Int { rows * (isNarrow ? columns : DirectConvolution.panelWidth) }

  /// - Parameters:
  ///   - taps: Where the matrix of each tap begins in `w`, of `perTap` rows.
  ///   - columns: Of each group.
  ///   - strides: From row to row and from column to column.
  init(
    _ w: UnsafePointer<Scalar>, taps: [Int32], perTap: Int, columns: Int, groups: Int,
    strides: (row: Int, column: Int), packed: PackedWeights? = nil
  ) {
    let width = DirectConvolution.panelWidth
    let isNarrow = columns <= en_narrow_columns && perTap % DirectConvolution.panelWidth == 0
    let (perGroup, rows) = ((columns + width - 1) / width, taps.count * perTap)
    let (count, size) = (groups * perGroup, rows * (isNarrow ? columns : width))
    // In backward-data, whose columns are inputs, a group's outputs are its rows.
    let groupStride = strides.column == 1 ? columns : perTap
    storage = packed.storage(.panels) {
      let storage = Storage(count: count * size)
      Parallel.forEach(count, grain: max(1, Tuning.Tasks.packedWeights / max(size, 1))) { range in
        for task in range {
          let (group, panel) = task.quotientAndRemainder(dividingBy: perGroup)
          let (first, to) = (w + group * groupStride + panel * width * strides.column, storage.pointer + task * size)
          guard isNarrow else {
            taps.withUnsafeBufferPointer { taps in
              let matrices = en_tap_matrices(
                tapCount: taps.count, taps: taps.baseAddress, rows: perTap,
                columns: min(width, columns - panel * width), rowStride: strides.row, columnStride: strides.column)
              en_pack_panel(matrices, first, to)
            }
            continue
          }
          for (t, tap) in taps.enumerated() {
            for column in 0..<columns {
              en_read_strided(
                1, [perTap], [strides.row], 0, first + Int(tap) + column * strides.column,
                to + column * rows + t * perTap)
            }
          }
        }
      }
      return storage
    }
    (self.columns, self.perGroup, self.count, self.rows, self.isNarrow) = (columns, perGroup, count, rows, isNarrow)
  }
}
