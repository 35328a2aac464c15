/// A module that draws random numbers, whose generator a checkpoint keeps.
public protocol Stochastic: Module {
  /// Where the random numbers come from.
  var generator: SplittableGenerator { get set }
}

extension Module {
  /// The random modules in this one, with their names: what a checkpoint must keep to repeat a run.
  public var namedStochasticModules: [(name: String, module: any Stochastic)] {
    var found: [(String, any Stochastic)] = []
    if let itself = self as? any Stochastic { found.append(("", itself)) }
    visit { name, part in if let module = part as? any Stochastic { found.append((name, module)) } }
    return found
  }
}

/// In training, zeroes elements at random and enlarges the others so that the mean stays; in evaluation, the identity.
///
/// Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting", 2014.
public final class Dropout: Layer, TrainingAware, Stochastic {
  /// The probability that an element is zeroed, in 0..<1.
  public let rate: Scalar
  /// Where the random numbers come from.
  public var generator: SplittableGenerator
  /// Whether elements are dropped.
  public var isTraining = true

  /// A layer with a generator of its own.
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
    reported(isTraining && rate > 0 ? dropout(x, rate: rate, using: &generator) : x)
  }
}
