// A tensor takes one number from the generator, the seed of a counter-based sequence of which any thread generates any part: the
// tensor does not depend on the number of threads.
extension Tensor {
  /// Numbers drawn uniformly from `range`.
  public static func uniform(
    _ shape: Shape, in range: Range<Scalar> = 0..<1, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    let (low, width) = (range.lowerBound, range.upperBound - range.lowerBound)
    let unit = sequence(shape, .uniform, seed: generator.next())
    // Rounding may reach the upper bound, which is not in the range.
    return range == 0..<1 ? unit : minimum(unit * width + low, Tensor(range.upperBound.nextDown))
  }

  /// Numbers drawn from a normal distribution, by Box and Muller; `std` is the standard deviation.
  public static func normal(
    _ shape: Shape, mean: Scalar = 0, std: Scalar = 1, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    let standard = sequence(shape, .normal, seed: generator.next())
    return mean == 0 && std == 1 ? standard : standard * std + mean
  }

  /// 1 with a probability, else 0.
  public static func bernoulli(
    _ shape: Shape, probability: Scalar, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    require((0...1).contains(probability), "bernoulli: the probability \(probability) is not in 0...1")
    return uniform(shape, using: &generator) .< Tensor(probability)
  }

  private static func sequence(_ shape: Shape, _ numbers: RandomSequence, seed: UInt64) -> Tensor {
    Tensor(shape: shape) { out in
      guard let y = out.baseAddress else { return }
      // Pairs, so that each range begins at an even place.
      Parallel.forEach((out.count + 1) / 2, grain: elementwiseGrain / 4) { range in
        let first = range.lowerBound * 2
        let count = Swift.min(range.upperBound * 2, out.count) - first
        numbers(seed: seed, first: first, count: count, into: y + first)
      }
    }
  }
}

/// The numbers `0..<count` in random order.
public func randomPermutation(of count: Int, using generator: inout some RandomNumberGenerator) -> [Int] {
  (0..<count).shuffled(using: &generator)
}

/// Zeroes elements with probability `rate` and scales the others by `1 / (1 - rate)`.
///
/// Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting", 2014.
public func dropout(_ x: Tensor, rate: Scalar, using generator: inout some RandomNumberGenerator) -> Tensor {
  require((0..<1).contains(rate), "dropout: the rate \(rate) is not in 0..<1")
  return dropped(x, keep: 1 - rate, seed: generator.next())
}

/// The numbers of `seed` are made again for the gradient, which needs no mask.
private func dropped(_ x: Tensor, keep: Scalar, seed: UInt64) -> Tensor {
  Tensor(shape: x.shape) { out in
    guard let y = out.baseAddress else { return }
    let source = x.pointer
    Parallel.sweep(out.count, grain: elementwiseGrain / 4) { range in
      let first = range.lowerBound
      RandomSequence.dropout(
        seed: seed, first: first, count: range.count, keep: keep, source + first, into: y + first)
    }
  }.recorded("dropout", (x, { dropped($0, keep: keep, seed: seed) }))
}
