@_exported import Kernels

/// A contiguous, row-major array of numbers that can be differentiated.
///
/// A value: copies share storage until one of them is changed. Images are `[batch, height, width, channels]`.
public struct Tensor: Sendable {
  package var storage: Storage
  public let shape: Shape
  package var id = TensorID.untracked

  package init(storage: Storage, shape: Shape) {
    require(storage.count == shape.count, "\(storage.count) scalars cannot fill shape \(shape)")
    self.storage = storage
    self.shape = shape
  }

  /// A tensor of `shape` filled with `scalars` in row-major order.
  public init(_ scalars: [Scalar], shape: Shape) {
    require(scalars.count == shape.count, "\(scalars.count) scalars cannot fill shape \(shape)")
    self.init(shape: shape) { buffer in _ = buffer.update(fromContentsOf: scalars) }
  }

  /// A vector: `Tensor([1, 2, 3])`.
  public init(_ scalars: [Scalar]) { self.init(scalars, shape: [scalars.count]) }

  /// A matrix, by its rows: `Tensor([[1, 2], [3, 4]])`.
  ///
  /// - Precondition: All rows have one length.
  public init(_ rows: [[Scalar]]) { self = .stacked(rows.map { Tensor($0) }, shapes: "rows") }

  /// A tensor of three axes, by its matrices.
  ///
  /// - Precondition: All matrices have one shape.
  public init(_ matrices: [[[Scalar]]]) { self = .stacked(matrices.map { Tensor($0) }, shapes: "matrices") }

  /// A tensor of four axes, such as images `[batch, height, width, channels]`.
  ///
  /// - Precondition: All images have one shape.
  public init(_ images: [[[[Scalar]]]]) { self = .stacked(images.map { Tensor($0) }, shapes: "images") }

  private static func stacked(_ parts: [Tensor], shapes: String) -> Tensor {
    for part in parts {
      require(
        part.shape == parts[0].shape, "Tensor: \(shapes) of shapes \(parts[0].shape) and \(part.shape) in one literal")
    }
    return parts.isEmpty ? .zeros([0]) : .stacked(parts)
  }

  /// A scalar, of shape `[]`.
  public init(_ scalar: Scalar) { self.init(repeating: scalar, shape: []) }

  public init(repeating scalar: Scalar, shape: Shape) {
    self.init(storage: Storage(repeating: scalar, count: shape.count), shape: shape)
  }

  /// A tensor of `shape` whose elements are all written by `initialize`.
  public init(shape: Shape, initializingWith initialize: (UnsafeMutableBufferPointer<Scalar>) throws -> Void) rethrows {
    let storage = Storage(count: shape.count)
    try initialize(UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count))
    self.init(storage: storage, shape: shape)
  }

  public static func zeros(_ shape: Shape) -> Tensor { Tensor(repeating: 0, shape: shape) }
  public static func ones(_ shape: Shape) -> Tensor { Tensor(repeating: 1, shape: shape) }

  public var count: Int { shape.count }
  /// Whether no element is NaN or infinite.
  package var isFinite: Bool {
    // The largest magnitude as an integer: a loop over vectors, unlike one that ends at the first of them.
    withUnsafeScalars { $0.reduce(0) { Swift.max($0, $1.magnitude.bitPattern) } } < Scalar.infinity.bitPattern
  }
  public var rank: Int { shape.rank }

  /// The elements in row-major order. Complexity: O(count), a copy.
  public var scalars: [Scalar] { withUnsafeScalars { Array($0) } }

  /// The only element.
  /// - Precondition: `count == 1`.
  public var item: Scalar {
    require(count == 1, "item needs a single scalar, the shape is \(shape)")
    return storage.pointer[0]
  }

  public func withUnsafeScalars<R, E: Error>(_ body: (UnsafeBufferPointer<Scalar>) throws(E) -> R) throws(E) -> R {
    try body(UnsafeBufferPointer(start: storage.pointer, count: storage.count))
  }

  /// Changes the elements in place, copying them first where they are shared; no tape tracks the result.
  public mutating func withUnsafeMutableScalars<R, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> R
  ) throws(E) -> R {
    if !Storage.isUnique(&storage) { storage = Storage(copying: storage) }
    id = .untracked
    return try body(UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count))
  }

  /// The address for kernels to read. Materializes a lazy tensor: on all threads, but inside of a parallel section on one, so ask
  /// for it before.
  package var pointer: UnsafePointer<Scalar> { UnsafePointer(storage.pointer) }

  /// A lazy tensor of `shape`, whose rows along the last axis are computed at its first use or fused into its consumers.
  ///
  /// - Parameter write: Writes the rows `range`, the first of them to `start`, past the caches where it `streams`.
  package init(
    shape: Shape,
    producingRows write: @escaping RowProducer.Write
  ) {
    let width = Swift.max(shape[-1], 1)
    self.init(
      storage: Storage(producer: RowProducer(count: shape.count / width, width: width, write: write)),
      shape: shape)
  }
}

extension Tensor: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral value: Double) { self.init(Scalar(value)) }
  public init(integerLiteral value: Int) { self.init(Scalar(value)) }
}
