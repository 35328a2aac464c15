import Foundation
import Tensors
import Testing

/// What is wrong about shapes stops the program, and says so in the operation's own words.
@Suite("Wrong shapes") struct TrapTests {
  private struct Trap: Sendable {
    let message: String
    let body: @Sendable () -> Void
    init(_ message: String, _ body: @escaping @Sendable () -> Void) { (self.message, self.body) = (message, body) }
  }

  private static func image(_ shape: Shape) -> Tensor { .ones(shape) }

  private static let traps: [String: Trap] = [
    "broadcasting": Trap("*: shapes [2, 3] and [2, 4] do not broadcast") { _ = Tensor.ones([2, 3]) * .ones([2, 4]) },
    "elements": Trap("3 scalars cannot fill shape [2, 2]") { _ = Tensor([1, 2, 3], shape: [2, 2]) },
    "reshaping": Trap("reshaped: shape [2, 3] does not fit [4, -1]") {
      _ = Tensor.ones([2, 3]).reshaped(to: [4, -1])
    },
    "an axis": Trap("sum: axis 2 is out of range for shape [2, 3]") { _ = Tensor.ones([2, 3]).sum(alongAxes: [2]) },
    "an axis twice": Trap("sum: axes [0, -2] name an axis of [2, 3] twice") {
      _ = Tensor.ones([2, 3]).sum(alongAxes: [0, -2])
    },
    "matrices": Trap("matmul: shapes [2, 3] transposed and [3, 2] do not fit") {
      _ = matmul(.ones([2, 3]), .ones([3, 2]), transposeA: true)
    },
    "concatenating": Trap("concatenated: shapes [[2, 3], [2, 4]] differ in more than axis 0") {
      _ = Tensor.concatenated([.ones([2, 3]), .ones([2, 4])])
    },
    "slicing": Trap("sliced: 1..<4 is not inside axis 1 of [2, 3]") { _ = Tensor.ones([2, 3]).sliced(1..<4, axis: 1) },
    "gathering": Trap("gather: index 2 is out of range for shape [2, 3]") {
      _ = Tensor.ones([2, 3]).gather([0, 2])
    },
    "a label": Trap("oneHot: label 3 is not one of 3 classes") { _ = Tensor.oneHot([0, 3], classes: 3) },
    "channels": Trap("conv2d: input [1, 8, 8, 4] has 4 channels, weight [3, 3, 3, 16] in 1 groups wants 3") {
      _ = conv2d(image([1, 8, 8, 4]), .ones([3, 3, 3, 16]))
    },
    "channels first": Trap("wants 3; images are [batch, height, width, channels]") {
      _ = conv2d(image([1, 3, 32, 32]), .ones([3, 3, 3, 16]))
    },
    "a mask of truths": Trap("the mask [2, 2] has 0 and 1 alone, and is added to the logits") {
      _ = scaledDotProductAttention(.ones([1, 2, 4]), .ones([1, 2, 4]), .ones([1, 2, 4]), mask: .eye(2))
    },
    "a kernel without channels": Trap("conv2d: weight [3, 3, 3, 0] is empty") {
      _ = conv2d(image([1, 8, 8, 3]), .ones([3, 3, 3, 0]))
    },
    "a kernel too large": Trap("conv2d: weight [5, 5, 1, 1] does not fit input [1, 4, 4, 1]") {
      _ = conv2d(image([1, 4, 4, 1]), .ones([5, 5, 1, 1]))
    },
    "margins to subsample with": Trap("subsampled2d: negative margins (before: 0, after: -1)") {
      _ = subsampled2d(image([1, 8, 8, 3]), stride: 2, channelMargins: (0, -1))
    },
    "nothing to subsample": Trap("subsampled2d: [1, 8, 8, 0] has no channels") {
      _ = subsampled2d(image([1, 8, 8, 0]), stride: 2)
    },
    "an empty batch to normalise": Trap("batchNorm2d: nothing to take the mean of in shape [0, 8, 8, 3]") {
      _ = batchNorm2d(image([0, 8, 8, 3]), gamma: .ones([3]), beta: .ones([3]))
    },
    "an empty mean": Trap("mean: nothing to take the mean of in shape [0, 3]") { _ = Tensor.ones([0, 3]).mean() },
    "a window too large": Trap("averagePool2d: windows of 3, stride 3, padding 0 do not fit [1, 2, 5, 1]") {
      _ = averagePool2d(image([1, 2, 5, 1]), size: 3)
    },
    "an index of two extents": Trap("einsum: an index of 'ij,jk->ik' has both extents 3 and 4") {
      _ = einsum("ij,jk->ik", .ones([2, 3]), .ones([4, 2]))
    },
    "an equation": Trap("einsum: the output of 'ij->k' names an index twice, or one that no factor has") {
      _ = einsum("ij->k", .ones([2, 3]))
    },
    "same padding with a stride": Trap("conv2d: padding .same needs a stride of 1, not 2") {
      _ = conv2d(image([1, 8, 8, 1]), .ones([3, 3, 1, 1]), stride: 2, padding: .same)
    },
    "reflecting too far": Trap("reflected: the margins (before: 3, after: 0) of axis 0") {
      _ = Tensor.ones([3]).reflected([(3, 0)])
    },
    "rows of a literal": Trap("Tensor: rows of shapes [2] and [1] in one literal") { _ = Tensor([[1, 2], [3]]) },
    "more elements than there are numbers": Trap("[4611686018427387904, 4] has more elements than an Int counts") {
      _ = Tensor.zeros([1 << 62, 4])
    },
    "a shape that grows too large": Trap("[4611686018427387904, 4] has more elements than an Int counts") {
      var shape: Shape = [1 << 62, 1]
      shape[1] = 4
      _ = shape.count
    },
    "more memory than there is": Trap("out of memory: 1152921504606846976 scalars for a tensor") {
      _ = Tensor.zeros([1 << 60])
    },
    "too few gradients": Trap("customGradient: the pullback of 'pair' gives 1 gradients for 2 inputs") {
      _ = gradient(at: [Tensor(1), Tensor(2)]) { x in
        customGradient(x, named: "pair", { $0[0] * $0[1] }, pullback: { [$0] })
      }
    },
    "work on another thread in a gradient": Trap("'*' runs on another thread than the gradient around it") {
      _ = gradient(at: Tensor(3)) { x in
        nonisolated(unsafe) var product = Tensor(0)
        let thread = Thread { product = x * x }
        thread.start()
        while !thread.isFinished { usleep(1000) }
        return product
      }
    },
    "a task in a gradient": Trap("'*' runs on another thread than the gradient around it") {
      _ = gradient(at: Tensor(3)) { x in
        let done = DispatchSemaphore(value: 0)
        Task {
          _ = x * x
          done.signal()
        }
        done.wait()
        return x
      }
    },
    "a gradient of many": Trap("gradient: the function must return a single scalar, it returned shape [2]") {
      _ = gradient(at: Tensor.ones([2])) { $0 * 2 }
    },
    "a vector of another shape": Trap("pullback: the vector has shape [3], the value [2]") {
      _ = valueWithPullback(at: [.ones([2])]) { $0[0] }.pullback(.ones([3]))
    },
    "a decomposition in a gradient": Trap("symmetricEigen: has no gradient; give it a detached matrix") {
      _ = gradient(at: Tensor.ones([2, 2])) { (try? $0.symmetricEigen().values.sum()) ?? 0 }
    },
  ]

  @Test(arguments: traps.keys.sorted()) func stopTheProgram(name: String) async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [name] in
      Self.traps[name]!.body()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(Self.traps[name]!.message), "\(text.prefix(500))")
  }
}
