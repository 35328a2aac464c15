/// Where in each image the maxima of its windows are, for the gradient, in pooled memory.
struct MaximumPlaces: Sendable {
  let xShape: Shape
  let yShape: Shape
  private let storage: Storage

  /// - Parameters:
  ///   - xShape: `[batch, height, width, channels]`.
  ///   - yShape: Of the maxima.
  init(in xShape: Shape, of yShape: Shape) {
    (self.xShape, self.yShape) = (xShape, yShape)
    storage = Storage(count: yShape.count)
  }

  /// The saved tensor of a printed tape.
  var tensor: Tensor { Tensor(storage: storage, shape: [storage.count]) }

  /// The index of each maximum in its image. A scalar is as large as an index, or two.
  var pointer: UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: Int32.self)
  }

  private var xSize: Int { xShape[1] * xShape[2] * xShape[3] }
  private var ySize: Int { yShape[1] * yShape[2] * yShape[3] }

  /// Calls `body` with the offset of each image in arrays of the sizes of x and y.
  func forEachImage(_ body: (_ x: Int, _ y: Int) -> Void) {
    let (xSize, ySize) = (xSize, ySize)
    Parallel.sweep(xShape[0], grain: max(1, elementwiseGrain / max(xSize, 1))) { range in
      for n in range { body(n * xSize, n * ySize) }
    }
  }

  /// Each element of `dy` added at the place of its maximum.
  func spread(_ dy: Tensor, _ operation: String) -> Tensor {
    Tensor(shape: xShape) { out in
      let (dy, dx) = (dy.pointer, out.baseAddress!)
      forEachImage { to, from in
        (dx + to).update(repeating: 0, count: xSize)
        Movement.scatterAdd(ySize, pointer + from, from: dy + from, to: dx + to)
      }
    }.recorded(operation + "Backward", (dy, { gather($0, operation) }))
  }

  private func gather(_ x: Tensor, _ operation: String) -> Tensor {
    Tensor(shape: yShape) { out in
      let (x, y) = (x.pointer, out.baseAddress!)
      forEachImage { from, to in Movement.gather(ySize, pointer + to, from: x + from, to: y + to) }
    }.recorded(operation, (x, { spread($0, operation) }))
  }
}
