import CKernels

/// What follows a convolution in its epilogue.
package enum Rectifier: Int32, Sendable {
  case none = 0
  case relu = 1
  /// `min(max(v, 0), 6)`.
  case relu6 = 6
}

/// The epilogue of a convolution, applied to results in registers: y = convolution + `bias` + `residual`, then the rectifier.
package struct Epilogue {
  var bias: UnsafePointer<Scalar>?
  /// In the layout of y.
  var residual: UnsafePointer<Scalar>?
  private let rectifier: Rectifier
  private var isNonTemporal = false

  package init(
    bias: UnsafePointer<Scalar>? = nil, residual: UnsafePointer<Scalar>? = nil, rectifier: Rectifier = .none
  ) {
    (self.bias, self.residual, self.rectifier) = (bias, residual, rectifier)
  }

  /// The same with non-temporal stores where y, of `count` scalars and `channels` to a pixel, is too large for any cache: from
  /// `least` bytes on.
  func nonTemporal(
    for y: UnsafePointer<Scalar>, _ count: Int, channels: Int, from least: Int = Tuning.Cache.streamedResult
  ) -> Epilogue {
    var epilogue = self
    let isLarge = count * MemoryLayout<Scalar>.stride > least
    epilogue.isNonTemporal = isLarge && channels % DirectConvolution.panelWidth == 0 && UInt(bitPattern: y) % 64 == 0
    return epilogue
  }

  /// The same for the pixels and channels `offset` scalars into y, of which `channel` is the first channel.
  func moved(by offset: Int, channel: Int) -> Epilogue {
    var epilogue = self
    epilogue.bias = bias.map { $0 + channel }
    epilogue.residual = residual.map { $0 + offset }
    return epilogue
  }

  var descriptor: EpilogueDescriptor {
    EpilogueDescriptor(bias: bias, residual: residual, relu: rectifier.rawValue, nontemporal: isNonTemporal ? 1 : 0)
  }
}
