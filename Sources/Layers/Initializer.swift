/// The initialisation of weights, by the names of the authors.
///
/// The fan is the number of inputs of an output (`.in`) or of outputs of an input (`.out`), for convolutions times the kernel's
/// area, as in PyTorch.
public enum Initializer: Sendable, Hashable {
  /// The direction in which connections are counted.
  public enum Fan: Sendable, Hashable { case `in`, out }

  /// The same number everywhere.
  case constant(Scalar)
  /// Uniform in `-bound...bound`.
  case uniform(bound: Scalar)
  /// Normal with mean 0 and standard deviation `std`.
  case normal(std: Scalar)
  /// Standard deviation `gain / √fan`. He et al.: "Delving deep into rectifiers", 2015; PyTorch's `kaiming_normal_`.
  case heNormal(fan: Fan = .in, gain: Scalar = 1.414_213_562_373_095_1)
  /// Bound `gain √(3 / fan)`; PyTorch's `kaiming_uniform_`.
  case heUniform(fan: Fan = .in, gain: Scalar = 1.414_213_562_373_095_1)
  /// Standard deviation `gain √(2 / (fanIn + fanOut))`. Glorot, Bengio, 2010; PyTorch's `xavier_normal_`.
  case glorotNormal(gain: Scalar = 1)
  /// Bound `gain √(6 / (fanIn + fanOut))`; PyTorch's `xavier_uniform_`.
  case glorotUniform(gain: Scalar = 1)
  /// Orthogonal rows or columns, by QR of a normal matrix. Saxe et al., 2013; PyTorch's `orthogonal_`.
  ///
  /// A convolution's weight counts as a matrix with a row for each output channel.
  case orthogonal(gain: Scalar = 1)

  /// Zeros.
  public static let zeros = constant(0)
  /// The default of PyTorch's `Linear` and convolutions: uniform, bound `1 / √fanIn`.
  public static let standard = heUniform(gain: 0.577_350_269_189_625_8)

  /// A weight of `shape`: `[outputs, inputs]`, or `[height, width, inputs, outputs]`.
  public func callAsFunction(_ shape: Shape, using generator: inout some RandomNumberGenerator) -> Tensor {
    let (fanIn, fanOut) = Self.fans(of: shape)
    func fan(_ fan: Fan) -> Scalar { Scalar(fan == .in ? fanIn : fanOut) }
    switch self {
    case .constant(let value): return Tensor(repeating: value, shape: shape)
    case .uniform(let bound): return .uniform(shape, in: -bound..<bound, using: &generator)
    case .normal(let std): return .normal(shape, std: std, using: &generator)
    case .heNormal(let side, let gain):
      return .normal(shape, std: gain / fan(side).squareRoot(), using: &generator)
    case .heUniform(let side, let gain):
      let bound = gain * (3 / fan(side)).squareRoot()
      return .uniform(shape, in: -bound..<bound, using: &generator)
    case .glorotNormal(let gain):
      return .normal(shape, std: gain * (2 / Scalar(fanIn + fanOut)).squareRoot(), using: &generator)
    case .glorotUniform(let gain):
      let bound = gain * (6 / Scalar(fanIn + fanOut)).squareRoot()
      return .uniform(shape, in: -bound..<bound, using: &generator)
    case .orthogonal(let gain): return Self.orthogonal(shape, gain, using: &generator)
    }
  }

  /// PyTorch's default bias of a layer with a weight of `shape`: uniform, bound `1 / √fanIn`.
  static func standardBias(
    of shape: Shape, _ count: Int, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    let bound = 1 / Scalar(fans(of: shape).in).squareRoot()
    return .uniform([count], in: -bound..<bound, using: &generator)
  }

  static func fans(of shape: Shape) -> (in: Int, out: Int) {
    require(shape.rank == 2 || shape.rank == 4, "Initializer: \(shape) is neither a matrix nor a convolution's weight")
    if shape.rank == 2 { return (shape[1], shape[0]) }
    let area = shape[0] * shape[1]
    return (area * shape[2], area * shape[3])
  }

  private static func orthogonal(
    _ shape: Shape, _ gain: Scalar, using generator: inout some RandomNumberGenerator
  ) -> Tensor {
    let rows = shape.rank == 2 ? shape[0] : shape[3]
    let columns = shape.count / max(rows, 1)
    let (tall, narrow) = (max(rows, columns), min(rows, columns))
    guard let (q, r) = try? Tensor.normal([tall, narrow], using: &generator).qr() else {
      fatalError("Initializer: a random matrix [\(tall), \(narrow)] was not decomposed")
    }
    // The signs of R's diagonal make the distribution uniform over the orthogonal matrices (Mezzadri, 2007).
    let signs = Tensor(shape: [narrow]) { out in
      for i in 0..<narrow { out[i] = r.pointer[i * narrow + i] < 0 ? -gain : gain }
    }
    let matrix = q * signs
    // In memory a convolution's outputs are the columns, a matrix's the rows.
    let isTall = rows >= columns
    if shape.rank == 4 { return (isTall ? matrix.transposed() : matrix).reshaped(to: shape) }
    return isTall ? matrix : matrix.transposed()
  }
}
