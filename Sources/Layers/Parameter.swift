import Tensors

/// A trainable tensor that a module owns.
///
/// Its shape is that of its first value, but for an empty one, which any may replace.
@propertyWrapper
public final class Parameter {
  public var wrappedValue: Tensor { didSet { adopt() } }
  public var projectedValue: Parameter { self }

  /// Whether gradients are taken with respect to this parameter; a frozen parameter costs the tape nothing.
  public var isTrainable = true

  package let id = TensorID.fresh()
  private var shape: Shape
  /// Whether ``Module/with(_:_:)`` sets or has set another value.
  private var (isReplacing, isReplaced) = (false, false)

  public init(wrappedValue: Tensor) {
    require(
      !wrappedValue.isTracked,
      "Parameter: made of a tensor that a gradient tracks, which no gradient would reach; use `detached` of it, or with(_:_:)"
    )
    self.wrappedValue = wrappedValue
    shape = wrappedValue.shape
    self.wrappedValue.id = id
  }

  /// Makes the value that was just set the parameter's own.
  private func adopt() {
    if isReplacing { return }
    requireSameShape(&shape, wrappedValue.shape, "Parameter")
    require(
      !isReplaced, "Parameter: assigned inside of with(_:_:), whose end restores the value before; assign it afterwards"
    )
    if wrappedValue.id != id {
      // A computed tensor becomes a leaf here: its history would be lost, and with it the gradient.
      require(
        GradientTape.active.isEmpty || !wrappedValue.isTracked,
        """
        Parameter '\(GradientTape.name(of: id) ?? "of another module")': a tensor that the gradient's scope has computed was assigned to it, and no \
        gradient would reach what it was computed from; run the model with it instead: \
        model.with(["\(GradientTape.name(of: id) ?? "NAME")": tensor]) { … }
        """)
      wrappedValue.id = id
    }
  }

  /// Runs `body` with another value, which gradients flow through, then restores the present one.
  func replaced<R, E: Error>(by value: Tensor, _ body: () throws(E) -> R) throws(E) -> R {
    let before = (value: wrappedValue, isReplaced: isReplaced)
    func set(_ value: Tensor) {
      isReplacing = true
      wrappedValue = value
      isReplacing = false
    }
    // A leaf of its own, so that one tensor can stand for several parameters.
    set(value.freshLeaf())
    isReplaced = true
    defer {
      set(before.value)
      isReplaced = before.isReplaced
    }
    return try body()
  }
}

/// A tensor of a module's state that is not trained, such as a running mean.
///
/// Its shape is that of its first value, but for an empty one, which any may replace.
@propertyWrapper
public final class Buffer {
  public var wrappedValue: Tensor {
    didSet {
      requireSameShape(&shape, wrappedValue.shape, "Buffer")
      wrappedValue.id = .untracked
    }
  }
  public var projectedValue: Buffer { self }
  private var shape: Shape
  public init(wrappedValue: Tensor) {
    self.wrappedValue = wrappedValue.detached
    shape = wrappedValue.shape
  }
}

private func requireSameShape(_ shape: inout Shape, _ new: Shape, _ kind: String) {
  if shape == new { return }
  require(shape.count == 0, "\(kind): a tensor of shape \(new) was assigned to one of shape \(shape)")
  shape = new
}

extension Module {
  /// Runs `body` with parameters replaced by tensors, through which gradients flow, then restores them: PyTorch's
  /// `functional_call`.
  ///
  /// ```swift
  /// // Weight normalisation: v and g are trained, the weight is computed.
  /// linear.with(["weight": g * v / sqrt(square(v).sum(alongAxes: [1], keepingDimensions: true))]) { $0(x) }
  /// ```
  /// Assigned to a parameter, a tensor loses the history of its computation; here it does not. Inside of `body`,
  /// ``valueWithGradient(of:_:)`` takes gradients with respect to the replaced values.
  /// - Parameter parameters: Tensors by the parameters' names, of their shapes; parameters without one keep their value.
  /// - Precondition: Every name is one of ``namedParameters``.
  public func with<R, E: Error>(
    _ parameters: [String: Tensor], _ body: (Self) throws(E) -> R
  ) throws(E) -> R {
    var found = namedParameters.filter { parameters[$0.name] != nil }
    // An alias of a tied parameter names it too.
    if found.count < parameters.count {
      found += aliases.compactMap { name, part in
        (part as? Parameter).flatMap { parameters[name] == nil ? nil : (name, $0) }
      }
    }
    let unknown = Set(parameters.keys).subtracting(found.map(\.name)).sorted()
    require(
      unknown.isEmpty,
      "with: no parameter is named '\(unknown.first ?? "")', the model has \(namedParameters.map(\.name).joined(separator: ", "))"
    )
    for (name, parameter) in found {
      let (new, shape) = (parameters[name]!.shape, parameter.wrappedValue.shape)
      require(new == shape, "with: the tensor for '\(name)' has shape \(new), the parameter \(shape)")
    }
    func run(_ rest: ArraySlice<(name: String, parameter: Parameter)>) throws(E) -> R {
      guard let (name, parameter) = rest.first else { return try body(self) }
      return try parameter.replaced(by: parameters[name]!) { () throws(E) in try run(rest.dropFirst()) }
    }
    return try run(found[...])
  }
}
