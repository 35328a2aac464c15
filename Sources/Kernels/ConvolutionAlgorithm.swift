import Synchronization

/// How a convolution and its derivatives are computed.
public enum ConvolutionAlgorithm: String, Sendable, CaseIterable {
  /// Direct convolution, an implicit GEMM on images in place; serves every convolution.
  case direct
  /// Winograd's F(4×4, 3×3), with a quarter of the multiplications: kernels of 3×3, stride 1, padding 1, channels in sixteens.
  ///
  /// Rounding errors are some ten times those of the direct algorithm. Lavin, Gray, arXiv 1509.09308.
  case winograd4x4
  /// The same for images of exactly 2×2, without products with padded zeros: a quarter of the multiplications too.
  case winograd2x2

  /// Whether the algorithm can compute `convolution`.
  func serves(_ convolution: Convolution) -> Bool {
    let it = convolution
    let isSame3x3 =
      it.kernelHeight == 3 && it.kernelWidth == 3 && it.stride == 1 && it.padding == 1 && it.dilation == 1
      && it.groups == 1 && it.inputs % 16 == 0 && it.outputs % 16 == 0
    switch self {
    case .direct: return true
    case .winograd4x4: return isSame3x3
    case .winograd2x2: return isSame3x3 && it.height == 2 && it.width == 2
    }
  }

  /// The algorithm of the first rule that fits and whose algorithm serves `convolution`; the direct one where none does.
  static func chosen(for convolution: Convolution, by rules: [ConvolutionRule]) -> ConvolutionAlgorithm {
    rules.first { $0.fits(convolution) && $0.algorithm.serves(convolution) }?.algorithm ?? .direct
  }
}

/// A row of the table that chooses a ``ConvolutionAlgorithm`` by the shapes of a convolution.
public struct ConvolutionRule: Sendable, Hashable, CustomStringConvertible {
  /// The algorithm where the rule fits.
  public var algorithm: ConvolutionAlgorithm
  /// Pixels of the image's shorter side.
  public var sides: ClosedRange<Int>
  /// Input channels.
  public var inputs: ClosedRange<Int>
  /// Output channels.
  public var outputs: ClosedRange<Int>

  /// A rule that fits everything within these bounds.
  public init(
    _ algorithm: ConvolutionAlgorithm, sides: ClosedRange<Int> = 1...Int.max, inputs: ClosedRange<Int> = 1...Int.max,
    outputs: ClosedRange<Int> = 1...Int.max
  ) {
    (self.algorithm, self.sides, self.inputs, self.outputs) = (algorithm, sides, inputs, outputs)
  }

  /// The fastest algorithms on an AMD EPYC with AVX-512 and two threads; see `Docs/performance-tables.md`.
  public static let measured = [
    ConvolutionRule(.winograd2x2),
    ConvolutionRule(.winograd4x4, sides: Tuning.Winograd.leastSide...Int.max),
  ]

  package static let inUse = Mutex(measured)

  func fits(_ it: Convolution) -> Bool {
    sides ~= min(it.height, it.width) && inputs ~= it.inputs && outputs ~= it.outputs
  }

  public var description: String {
    func bounds(_ range: ClosedRange<Int>, _ what: String) -> String? {
      if range == 1...Int.max { return nil }
      return range.upperBound == Int.max
        ? "\(what) from \(range.lowerBound)" : "\(what) \(range.lowerBound)...\(range.upperBound)"
    }
    let conditions = [bounds(sides, "sides"), bounds(inputs, "inputs"), bounds(outputs, "outputs")].compactMap { $0 }
    return "\(algorithm.rawValue): \(conditions.isEmpty ? "wherever it can" : conditions.joined(separator: ", "))"
  }
}
