import CKernels
import Synchronization

/// What a convolution does to its results on their way to memory.
#if DoublePrecision
  package typealias Epilogue = en_double_epilogue
#else
  package typealias Epilogue = en_float_epilogue
#endif

extension Epilogue {
  /// y = convolution + `bias` + `residual`, and 0 in place of what is then negative if it `rectifies`.
  package init(bias: UnsafePointer<Scalar>?, residual: UnsafePointer<Scalar>? = nil, rectifies: Bool = false) {
    self.init(bias: bias, residual: residual, rectifies: rectifies ? 1 : 0, streams: 0)
  }

  /// The same where y has so many scalars, `channels` to a pixel: what no cache holds streams to memory.
  func streaming(to y: UnsafePointer<Scalar>, _ count: Int, channels: Int) -> Epilogue {
    var epilogue = self
    let isLarge = count * MemoryLayout<Scalar>.stride > 6 << 20
    epilogue.streams = isLarge && channels % en_panel_width == 0 && UInt(bitPattern: y) % 64 == 0 ? 1 : 0
    return epilogue
  }
}

/// Keeps weights that do not change as the kernels want them: each layout is made when it is first asked for. Keeps the plan of
/// the last convolution with them too.
package final class WeightLayouts: Sendable {
  enum Layout {
    case panels
    case winograd4x4
    case winograd2x2
  }
  private let made = Mutex<[Layout: Storage]>([:])
  private let planned = Mutex<(convolution: Convolution, plan: ConvolutionPlan)?>(nil)

  package init() {}

  func storage(_ layout: Layout, make: () -> Storage) -> Storage {
    if let storage = made.withLock({ $0[layout] }) { return storage }
    let storage = make()
    made.withLock { $0[layout] = storage }
    return storage
  }

  func plan(for convolution: Convolution, make: () -> ConvolutionPlan) -> ConvolutionPlan {
    if let last = planned.withLock({ $0 }), last.convolution == convolution { return last.plan }
    let plan = make()
    planned.withLock { $0 = (convolution, plan) }
    return plan
  }
}

extension WeightLayouts? {
  /// The layout as it is kept, or made anew where nothing is kept.
  func storage(_ layout: WeightLayouts.Layout, make: () -> Storage) -> Storage {
    self?.storage(layout, make: make) ?? make()
  }

  /// The plan as it is kept, or made anew where nothing is kept.
  func plan(for convolution: Convolution, make: () -> ConvolutionPlan) -> ConvolutionPlan {
    self?.plan(for: convolution, make: make) ?? make()
  }
}
