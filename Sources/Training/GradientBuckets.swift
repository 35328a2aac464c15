import Layers

/// Sums gradients over ranks: small ones together in a bucket, which takes one message in place of many.
final class GradientBuckets {
  /// 16 MiB in single precision: smaller buckets wait for more messages, larger ones for more memory.
  private static let size = 4 << 20

  private let communicator: any Communicator
  private var bucket: [Scalar] = []

  init(_ communicator: any Communicator) { self.communicator = communicator }

  /// The sums of the gradients of `parameters`, which are the same on all ranks; a rank without one adds zeros.
  ///
  /// - Parameter factor: Multiplies the sums.
  func sum(_ gradients: Gradients, of parameters: [Parameter], scaledBy factor: Double) -> Gradients {
    var result = Gradients(byID: [:])
    var waiting: [(parameter: Parameter, gradient: Tensor)] = []
    var count = 0
    func flush() {
      for (parameter, sum) in summed(waiting.map(\.gradient), factor: Scalar(factor), waiting.map(\.parameter)) {
        result[parameter] = sum
      }
      (waiting, count) = ([], 0)
    }
    // The last layers' gradients are known first.
    for parameter in parameters.reversed() {
      let gradient = gradients[parameter] ?? .zeros(parameter.wrappedValue.shape)
      if count > 0, count + gradient.count > Self.size { flush() }
      waiting.append((parameter, gradient))
      count += gradient.count
    }
    flush()
    return result
  }

  private func summed(
    _ gradients: [Tensor], factor: Scalar, _ parameters: [Parameter]
  ) -> [(Parameter, Tensor)] {
    var gradients = gradients
    if gradients.count == 1 {
      gradients[0].withUnsafeMutableScalars { communicator.sum($0) }
    } else {
      let count = gradients.reduce(0) { $0 + $1.count }
      if bucket.count < count { bucket = [Scalar](repeating: 0, count: count) }
      bucket.withUnsafeMutableBufferPointer { bucket in
        let bucket = UnsafeMutableBufferPointer(rebasing: bucket[..<count])
        var place = 0
        for gradient in gradients {
          gradient.withUnsafeScalars { scalars in
            if let base = scalars.baseAddress { (bucket.baseAddress! + place).update(from: base, count: scalars.count) }
          }
          place += gradient.count
        }
        if count > 0 { communicator.sum(bucket) }
        place = 0
        for index in gradients.indices {
          gradients[index].withUnsafeMutableScalars { scalars in
            scalars.baseAddress?.update(from: bucket.baseAddress! + place, count: scalars.count)
          }
          place += gradients[index].count
        }
      }
    }
    if factor != 1 { gradients = gradients.map { $0 * factor } }
    return Array(zip(parameters, gradients))
  }
}
