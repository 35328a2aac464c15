extension Tensor {
  /// `0, 1, …` below `end`, of shape `[⌈end⌉]`.
  public static func arange(_ end: Scalar) -> Tensor { arange(0, end) }

  /// `start, start + step, …` up to `end`, which is not reached: NumPy's and PyTorch's `arange`.
  ///
  /// - Precondition: All numbers are finite, and `step` is not 0.
  public static func arange(_ start: Scalar, _ end: Scalar, step: Scalar = 1) -> Tensor {
    require(
      start.isFinite && end.isFinite && step.isFinite && step != 0,
      "arange: from \(start) to \(end) by steps of \(step)")
    let count = Swift.max(0, ((Double(end) - Double(start)) / Double(step)).rounded(.up))
    require(count < 0x1p40, "arange: \(count) numbers from \(start) to \(end) by steps of \(step)")
    return Tensor(shape: [Int(count)]) { out in
      // In double, as a sum of steps drifts.
      guard let y = out.baseAddress else { return }
      Parallel.sweep(out.count, grain: elementwiseGrain) { range in
        Movement.count(range, from: Double(start), by: Double(step), into: y)
      }
    }
  }

  /// The identity matrix of `rows` rows: ones on the diagonal, zeros elsewhere.
  ///
  /// - Parameter columns: As many as rows by default.
  public static func eye(_ rows: Int, columns: Int? = nil) -> Tensor {
    let columns = columns ?? rows
    require(rows >= 0 && columns >= 0, "eye: \(rows) rows, \(columns) columns")
    return Tensor(shape: [rows, columns]) { out in
      out.update(repeating: 0)
      for i in 0..<Swift.min(rows, columns) { out[i * columns + i] = 1 }
    }
  }
}
