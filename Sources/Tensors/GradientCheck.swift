/// A gradient that disagrees with the finite differences of its function.
public struct GradientMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// The input, or the parameter's name.
  public let input: String
  /// The indices of the worst element in that input.
  public let place: [Int]
  /// The derivative by the backward pass.
  public let gradient: Scalar
  /// The derivative by the central difference.
  public let difference: Scalar
  /// The number of compared elements that disagree, in all inputs.
  public let mismatches: Int
  /// The number of compared elements.
  public let compared: Int

  public var description: String {
    "gradient of \(input) at \(place) is \(gradient), the central difference \(difference); "
      + "\(mismatches) of \(compared) elements disagree"
  }
}

/// Compares the gradients of `f` at `points` with central differences.
///
/// An output that is no scalar is multiplied by fixed random weights and summed. Differences are meaningless at kinks, such
/// as 0 for `relu`, and for random functions.
///
/// ```swift
/// try checkGradient(of: { sin($0[0]) * $0[1] }, at: [x, y])
/// ```
/// - Parameters:
///   - step: The step of an element, times its magnitude where that is above 1; by default the cube root of the precision.
///   - tolerance: The largest difference that passes, relative to the derivative of the element, plus a tenth of the largest one
///     of its input; by default 1e-6 in double, 1e-2 in float, whose differences are no better. What rounding of the function can
///     change in a central difference passes too.
///   - limit: The number of elements of each input that are compared; of larger inputs a fixed random choice.
/// - Returns: The largest difference found, relative as for `tolerance`.
/// - Throws: `GradientMismatch` for the worst element, and what `f` throws.
@discardableResult
public func checkGradient(
  of f: ([Tensor]) throws -> Tensor, at points: [Tensor], step: Scalar? = nil, tolerance: Scalar? = nil,
  limit: Int = 100
) throws -> Scalar {
  // Outer tapes must not record the thousand evaluations.
  try GradientTape.$active.withValue([]) {
    let points = points.map(\.detached)
    let (value, pullback) = try valueWithPullback(at: points, of: f)
    var comparison = GradientComparison(of: value, step: step, tolerance: tolerance, limit: limit)
    for (index, gradient) in pullback(comparison.weights).enumerated() {
      try comparison.compare(gradient, at: points[index], of: "input \(index)") { moved in
        var points = points
        points[index] = moved
        return try f(points)
      }
    }
    return try comparison.result()
  }
}

/// Compares gradients with finite differences, and collects the mismatches.
package struct GradientComparison {
  /// The weights of the output's elements in the sum that is differentiated.
  package let weights: Tensor
  private let (step, tolerance, limit): (Scalar, Scalar, Int)
  private var (compared, mismatches, largest) = (0, 0, Scalar(0))
  /// An element's derivative by both ways, and what rounding may change in the central difference.
  private typealias Pair = (element: Int, found: Scalar, difference: Scalar, noise: Scalar)
  private var worst: (input: String, place: [Int], gradient: Scalar, difference: Scalar)?
  private var generator = SplittableGenerator(seed: 0)

  package init(of value: Tensor, step: Scalar?, tolerance: Scalar?, limit: Int) {
    weights = value.count == 1 ? .ones(value.shape) : .normal(value.shape, using: &generator)
    // At the cube root of the precision, a central difference has rounding and truncation errors of one size.
    let isDouble = Scalar.self == Double.self
    self.step = step ?? (isDouble ? 6e-6 : 5e-3)
    self.tolerance = tolerance ?? (isDouble ? 1e-6 : 1e-2)
    self.limit = limit
  }

  /// Compares one input's gradient with the differences of `f`, a function of that input.
  package mutating func compare(
    _ gradient: Tensor, at point: Tensor, of input: String, _ f: (Tensor) throws -> Tensor
  ) throws {
    require(gradient.shape == point.shape, "checkGradient: gradient \(gradient.shape) of \(input) \(point.shape)")
    let elements =
      point.count <= limit
      ? Array(0..<point.count) : Array(randomPermutation(of: point.count, using: &generator).prefix(limit))
    let pairs = try elements.map { element -> Pair in
      let x = point.pointer[element]
      let reach = step * max(1, x.magnitude)
      let (difference, noise) = contracted(
        try f(point.replacing(element, with: x + reach)), try f(point.replacing(element, with: x - reach)),
        // The step after rounding.
        width: (x + reach) - (x - reach))
      return (element, gradient.pointer[element], difference, noise)
    }
    let scale = pairs.reduce(0) { max($0, $1.difference.magnitude) }
    for (element, found, difference, noise) in pairs {
      let distance = (found - difference).magnitude
      let error = distance == 0 ? 0 : distance / (difference.magnitude + scale / 10 + noise / tolerance)
      compared += 1
      guard error <= tolerance else {
        mismatches += 1
        // NaN is the worst of all.
        if worst == nil || error > largest || (error.isNaN && !largest.isNaN) {
          worst = (input, point.shape.place(of: element), found, difference)
          largest = error
        }
        continue
      }
      if worst == nil { largest = max(largest, error) }
    }
  }

  package func result() throws(GradientMismatch) -> Scalar {
    guard let worst else { return largest }
    throw GradientMismatch(
      input: worst.input, place: worst.place, gradient: worst.gradient, difference: worst.difference,
      mismatches: mismatches, compared: compared)
  }

  /// The weighted sum of `above - below` over `width`, in double, as rounding of the sum could hide the difference; and what a few
  /// roundings of the elements that differ may change in it.
  private func contracted(_ above: Tensor, _ below: Tensor, width: Scalar) -> (difference: Scalar, noise: Scalar) {
    var (sum, magnitude) = (0.0, 0.0)
    for i in 0..<weights.count where above.pointer[i] != below.pointer[i] {
      let weight = Double(weights.pointer[i])
      sum += weight * (Double(above.pointer[i]) - Double(below.pointer[i]))
      magnitude += (weight * Double(above.pointer[i])).magnitude
    }
    return (Scalar(sum / Double(width)), Scalar(8 * Double(Scalar.ulpOfOne) * magnitude / Double(width)))
  }
}

extension Tensor {
  fileprivate func replacing(_ element: Int, with value: Scalar) -> Tensor {
    var copy = self
    copy.withUnsafeMutableScalars { $0[element] = value }
    return copy
  }
}

extension Shape {
  /// The indices along each axis of the element at `offset` in row-major order.
  fileprivate func place(of offset: Int) -> [Int] {
    zip(strides, dimensions).map { offset / $0 % $1 }
  }
}
