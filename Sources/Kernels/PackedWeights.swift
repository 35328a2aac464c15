import Synchronization

/// Caches constant weights in the packed layouts of the kernels, each packed at its first use, and the plan of the last
/// convolution with them.
package final class PackedWeights: Sendable {
  enum Layout {
    case panels
    case groups
    case winograd4x4
    case winograd2x2
  }
  private let layouts = Mutex<[Layout: Storage]>([:])
  private let lastPlan = Mutex<(convolution: Convolution, plan: ConvolutionPlan)?>(nil)

  package init() {}

  func storage(_ layout: Layout, make: () -> Storage) -> Storage {
    if let storage = layouts.withLock({ $0[layout] }) { return storage }
    let storage = make()
    layouts.withLock { $0[layout] = storage }
    return storage
  }

  func plan(for convolution: Convolution, make: () -> ConvolutionPlan) -> ConvolutionPlan {
    if let last = lastPlan.withLock({ $0 }), last.convolution == convolution { return last.plan }
    let plan = make()
    lastPlan.withLock { $0 = (convolution, plan) }
    return plan
  }
}

extension PackedWeights? {
  /// The cached layout, or a new one where there is no cache.
  func storage(_ layout: PackedWeights.Layout, make: () -> Storage) -> Storage {
    self?.storage(layout, make: make) ?? make()
  }

  /// The cached plan, or a new one where there is no cache.
  func plan(for convolution: Convolution, make: () -> ConvolutionPlan) -> ConvolutionPlan {
    self?.plan(for: convolution, make: make) ?? make()
  }
}
