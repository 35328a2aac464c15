/// A module that draws random numbers from a generator that checkpoints save.
public protocol Stochastic: Module {
  /// Where the random numbers come from.
  var generator: SplittableGenerator { get set }
}

extension Module {
  /// The stochastic modules in this one, with their names, for checkpoints.
  public var namedStochasticModules: [(name: String, module: any Stochastic)] {
    var found: [(String, any Stochastic)] = []
    if let itself = self as? any Stochastic { found.append(("", itself)) }
    visit { name, part in if let module = part as? any Stochastic { found.append((name, module)) } }
    return found
  }
}

/// Zeroes elements at random in training and scales the others to keep the mean; the identity in evaluation.
///
/// Where several ranks train, each draws its own elements, and the generator is in the same state on all of them.
///
/// Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting", 2014.
public final class Dropout: Layer, TrainingAware, Stochastic {
  /// The probability that an element is zeroed, in 0..<1.
  public let rate: Scalar
  /// Where the random numbers come from.
  public var generator: SplittableGenerator
  /// Whether elements are dropped.
  public var isTraining = true

  /// A layer with a generator seeded by `seed`.
  public init(_ rate: Scalar = 0.5, seed: UInt64) {
    require((0..<1).contains(rate), "Dropout: the rate \(rate) is not in 0..<1")
    self.rate = rate
    generator = SplittableGenerator(seed: seed)
  }

  /// A layer that seeds its own generator from `generator`.
  public convenience init(_ rate: Scalar = 0.5, using generator: inout some RandomNumberGenerator) {
    self.init(rate, seed: generator.next())
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard isTraining, rate > 0 else { return reported(x, of: x) }
    guard let rank = RankScope.current?.rank, rank > 0 else {
      return reported(dropout(x, rate: rate, using: &generator), of: x)
    }
    // The first rank draws what one process would.
    var fork = SplittableGenerator(seed: generator.next(), stream: "rank \(rank)")
    return reported(dropout(x, rate: rate, using: &fork), of: x)
  }
}
