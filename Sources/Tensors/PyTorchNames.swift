// What users of PyTorch write first, with the name that it has here: the compiler says it instead of "no member".
extension Tensor {
  @available(*, unavailable, renamed: "reshaped(to:)")
  public func view(_ shape: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "reshaped(to:)")
  public func reshape(_ shape: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "reshaped(to:)")
  public func reshape(_ shape: [Int]) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "permuted(_:)")
  public func permute(_ axes: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, message: "transposed() is that of a matrix, permuted([1, 0, 2]) exchanges any axes")
  public func transpose(_ a: Int, _ b: Int) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "unsqueezed(at:)")
  public func unsqueeze(_ axis: Int) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "squeezed(at:)")
  public func squeeze(_ axis: Int = 0) -> Tensor { fatalError() }
  @available(*, unavailable, message: "reshape it: x.reshaped(to: [x.shape[0], -1])")
  public func flatten(_ start: Int = 0) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "concatenated(_:axis:)")
  public static func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "stacked(_:axis:)")
  public static func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor { fatalError() }
  @available(*, unavailable, message: "numbers come from a generator: Tensor.normal([2, 3], using: &generator)")
  public static func randn(_ shape: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, message: "numbers come from a generator: Tensor.normal([2, 3], using: &generator)")
  public static func randn(_ shape: [Int]) -> Tensor { fatalError() }
  @available(*, unavailable, message: "numbers come from a generator: Tensor.uniform([2, 3], using: &generator)")
  public static func rand(_ shape: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, message: "numbers come from a generator: Tensor.uniform([2, 3], using: &generator)")
  public static func rand(_ shape: [Int]) -> Tensor { fatalError() }
  @available(*, unavailable, message: "a shape is written in brackets: Tensor.zeros([2, 3])")
  public static func zeros(_ first: Int, _ others: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, message: "a shape is written in brackets: Tensor.ones([2, 3])")
  public static func ones(_ first: Int, _ others: Int...) -> Tensor { fatalError() }
  @available(*, unavailable, message: "a sum over some axes is sum(alongAxes: [1])")
  public func sum(dim: Int) -> Tensor { fatalError() }
  @available(*, unavailable, message: "a mean over some axes is mean(alongAxes: [1])")
  public func mean(dim: Int) -> Tensor { fatalError() }
  @available(*, unavailable, renamed: "argmax(axis:)")
  public func argmax(dim: Int) -> [Int] { fatalError() }
  @available(*, unavailable, message: "a tensor is a value, so that an assignment is a copy")
  public func clone() -> Tensor { fatalError() }
  @available(*, unavailable, message: "without its history a tensor is x.detached")
  public func detach() -> Tensor { fatalError() }
  @available(
    *, unavailable,
    message:
      "gradients are values: let (loss, gradients) = valueWithGradient(of: model) { … }, or gradient(at: x) { … }"
  )
  public func backward() { fatalError() }

  @available(*, unavailable, message: "elements are compared by .>, a single scalar by its item: x.item > 0")
  public static func > (a: Tensor, b: Tensor) -> Bool { fatalError() }
  @available(*, unavailable, message: "elements are compared by .<, a single scalar by its item: x.item < 0")
  public static func < (a: Tensor, b: Tensor) -> Bool { fatalError() }
  @available(*, unavailable, message: "elements are compared by .==, a single scalar by its item: x.item == 0")
  public static func == (a: Tensor, b: Tensor) -> Bool { fatalError() }
}

@available(*, unavailable, message: "nothing is recorded outside of valueWithGradient and gradient: leave it out")
public func withoutGradient<R>(_ body: () throws -> R) rethrows -> R { fatalError() }
