/// The operations on a tape, to be printed: where the memory of a backward pass goes.
public struct RecordedTape: Sendable, CustomStringConvertible {
  /// One recorded operation.
  public struct Operation: Sendable, Hashable {
    public let name: String
    /// The output's shape.
    public let shape: Shape
    /// Bytes of saved tensors of this operation that no operation before it saves.
    public let bytesHeld: Int
  }

  /// In the order of recording.
  public let operations: [Operation]

  /// Bytes of saved tensors of the whole tape, without those of the inputs.
  public var bytesHeld: Int { operations.reduce(0) { $0 + $1.bytesHeld } }

  /// - Parameter inputs: Tensors that are not counted.
  package init(_ tape: GradientTape, inputs: [Tensor]) {
    var counted = Set(inputs.map { ObjectIdentifier($0.storage.owner) })
    operations = tape.entries.map { entry in
      let fresh = entry.saved.map(\.owner).filter { counted.insert(ObjectIdentifier($0)).inserted }
      return Operation(name: entry.operation, shape: entry.shape, bytesHeld: fresh.reduce(0) { $0 + $1.byteCount })
    }
  }

  public var description: String {
    let header = ("operation", "shape", "bytes held")
    let rows =
      [header] + operations.map { ($0.name, "\($0.shape)", "\($0.bytesHeld)") }
      + [("\(operations.count) operations", "", "\(bytesHeld)")]
    let widths = rows.reduce((0, 0, 0)) { widths, row in
      (max(widths.0, row.0.count), max(widths.1, row.1.count), max(widths.2, row.2.count))
    }
    func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
    return rows.map { row in
      row.0 + spaces(widths.0 - row.0.count + 2) + row.1 + spaces(widths.1 - row.1.count + 2)
        + spaces(widths.2 - row.2.count) + row.2
    }.joined(separator: "\n")
  }
}

/// Records the operations of `f` on a tape that tracks `xs`.
///
/// ```swift
/// print(recordedTape(at: [x, weight]) { relu(conv2d($0[0], $0[1])).sum() })
/// ```
public func recordedTape<E: Error>(
  at xs: [Tensor], of f: ([Tensor]) throws(E) -> Tensor
) throws(E) -> RecordedTape {
  let xs = xs.map { $0.freshLeaf() }
  let tape = GradientTape(tracking: xs.map(\.id))
  _ = try tape.record { () throws(E) in try f(xs) }
  return RecordedTape(tape, inputs: xs)
}
