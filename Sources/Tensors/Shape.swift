/// The extents of a tensor along each axis, outermost first.
///
/// Images are `[batch, height, width, channels]`. The shape of a scalar is empty.
public struct Shape: Hashable, Sendable, Codable, ExpressibleByArrayLiteral {
  public var dimensions: [Int]

  /// - Precondition: No dimension is negative, and their product is an `Int`.
  public init(_ dimensions: [Int]) {
    require(dimensions.allSatisfy { $0 >= 0 }, "shape \(dimensions) has a negative dimension")
    self.dimensions = dimensions
    _ = count
  }
  public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }

  /// - Throws: For a negative dimension, and where the count overflows.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    dimensions = try values.decode([Int].self, forKey: .dimensions)
    var count = 1
    for dimension in dimensions {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !isTooLarge else {
        throw DecodingError.dataCorruptedError(
          forKey: .dimensions, in: values, debugDescription: "\(dimensions) is not a shape")
      }
      count = product
    }
  }

  public var rank: Int { dimensions.count }

  /// The number of elements: the product of the dimensions.
  public var count: Int {
    var count = 1
    for dimension in dimensions {
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: dimension)
      require(!isTooLarge, "shape \(dimensions) has more elements than an Int counts")
      count = product
    }
    return count
  }

  /// The dimension along `axis`; negative axes count from the end.
  public subscript(axis: Int) -> Int {
    get { dimensions[normalized(axis)] }
    set { dimensions[normalized(axis)] = newValue }
  }

  /// `axis` counted from the front.
  package func normalized(_ axis: Int, _ operation: String = "shape") -> Int {
    require((-rank..<rank).contains(axis), "\(operation): axis \(axis) is out of range for shape \(self)")
    return axis < 0 ? axis + rank : axis
  }

  /// The distance in elements between adjacent indices of each axis.
  package var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    return strides
  }

  /// The shape that both `self` and `other` broadcast to by NumPy's rules, nil where there is none.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = max(rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 1...max(rank, 1) where axis <= rank {
      let a = axis <= self.rank ? dimensions[self.rank - axis] : 1
      let b = axis <= other.rank ? other.dimensions[other.rank - axis] : 1
      guard a == b || a == 1 || b == 1 else { return nil }
      result[rank - axis] = a == 1 ? b : a
    }
    return Shape(result)
  }
}

extension Shape: CustomStringConvertible {
  public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
