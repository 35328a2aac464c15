import Synchronization

/// How tensors are computed, for the whole process.
public enum Computation {
  /// The number of threads for one operation; initially the number of active processors.
  ///
  /// Results repeat for a given number of threads; another number may round sums differently.
  public static var threadCount: Int {
    get { Parallel.threadCount }
    set { Parallel.threadCount = newValue }
  }

  /// The table that chooses how a convolution is computed, initially ``ConvolutionRule/measured``.
  ///
  /// The first rule that fits decides, if its algorithm can compute that convolution; the direct algorithm serves where none does.
  /// ```swift
  /// print(Computation.convolutionRules)
  /// // Direct convolution for images of less than 8×8.
  /// Computation.convolutionRules.insert(ConvolutionRule(.direct, sides: 1...7), at: 0)
  /// ```
  public static var convolutionRules: [ConvolutionRule] {
    get { ConvolutionRule.inUse.withLock { $0 } }
    set { ConvolutionRule.inUse.withLock { $0 = newValue } }
  }

  /// How ``conv2d(_:_:bias:stride:padding:dilation:groups:)`` computes images and weights of these shapes, by the current table.
  public static func convolutionAlgorithm(
    images: Shape, weight: Shape, stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) -> ConvolutionAlgorithm {
    Convolution(images, weight, stride: stride, padding: padding, dilation: dilation, groups: groups).algorithm
  }

  /// Whether 3×3 convolutions may use Winograd's filtering, initially true: it is two to four times as fast, with rounding
  /// errors some ten times those of the direct algorithm (about 3e-6 of the largest element).
  ///
  /// Setting it sets the whole table ``convolutionRules``.
  public static var allowsWinograd: Bool {
    get { convolutionRules.contains { $0.algorithm != .direct } }
    set { convolutionRules = newValue ? ConvolutionRule.measured : [] }
  }

  /// Whether every recorded operation and gradient is checked for NaN and infinite elements, so that `Fit` can name the first
  /// non-finite one; initially false, since it reads all of memory once more.
  public static var detectsAnomalies: Bool {
    get { anomalyDetection.load(ordering: .relaxed) }
    set { anomalyDetection.store(newValue, ordering: .relaxed) }
  }
  private static let anomalyDetection = Atomic(false)
}
