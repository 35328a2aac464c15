import CKernels

/// Random numbers by their place in the sequence that a seed stands for, so that any thread can make any part of it.
package enum RandomSequence: Sendable {
  /// Uniform in 0..<1.
  case uniform
  /// Normal with mean 0 and standard deviation 1, by Box and Muller.
  case normal

  /// Writes numbers `first`, `first` + 1, …; `first` is even.
  package func callAsFunction(seed: UInt64, first: Int, count: Int, into y: UnsafeMutablePointer<Scalar>) {
    switch self {
    case .uniform: en_uniform(UInt(seed), first, count, y)
    case .normal: en_normal(UInt(seed), first, count, y)
    }
  }
  /// y = x / keep where the uniform number of that place in a tensor is below `keep`, else 0, for numbers from `first` on.
  package static func dropout(
    seed: UInt64, first: Int, count: Int, keep: Scalar, _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>
  ) {
    en_dropout(UInt(seed), first, count, keep, x, y)
  }
}
