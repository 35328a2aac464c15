/// Changes parameters along their gradients.
///
/// A parameter without a gradient is left unchanged, without weight decay.
public protocol Optimizer: AnyObject {
  /// The learning rate of the next update, which a schedule may set.
  var learningRate: Scalar { get set }
  /// The parameters that change.
  var groups: [ParameterGroup] { get }
  /// Takes one step.
  func update(with gradients: Gradients)

  /// The state that updates depend on besides the parameters, by stable names.
  var state: [String: Tensor] { get }
  /// Loads a saved ``state``.
  func load(_ state: [String: Tensor]) throws(OptimizerStateError)
}

/// A saved state that does not fit the optimizer.
public struct OptimizerStateError: Error, CustomStringConvertible {
  /// The mismatch.
  public let description: String

  /// An error of an optimizer of one's own.
  public init(description: String) { self.description = description }
}

/// The base class of this library's optimizers, and of one's own: groups, and for each parameter a few tensors and a count of steps.
///
/// A subclass names its tensors and overrides ``step(_:)``; groups, weight decay of groups, saving and loading are done.
/// ```swift
/// final class SignDescent: SlottedOptimizer {
///   init(_ model: some Module, learningRate: Scalar) {
///     super.init([ParameterGroup(model)], learningRate: learningRate, weightDecay: 0, slots: [])
///   }
///   override func step(_ s: Step) {
///     for i in 0..<s.count { s.w[i] -= s.rate * (s.g[i] < 0 ? -1 : 1) }
///   }
/// }
/// ```
open class SlottedOptimizer: Optimizer {
  /// The learning rate of the next update, which a schedule may set.
  ///
  /// - Precondition: It is finite, and not negative.
  public var learningRate: Scalar { didSet { requireNotNegative("the learning rate", learningRate) } }
  /// λ, for groups without one.
  ///
  /// - Precondition: It is finite, and not negative.
  public var weightDecay: Scalar { didSet { requireNotNegative("the weight decay", weightDecay) } }
  /// The parameters that change. Groups may be added, removed and changed between updates: a parameter keeps its state as long as it
  /// is in one.
  public var groups: [ParameterGroup] {
    didSet {
      Self.check(groups)
      var known: [ObjectIdentifier: Slots] = [:]
      for (group, slots) in zip(oldValue, slots) {
        for (named, slots) in zip(group.parameters, slots) { known[ObjectIdentifier(named.parameter)] = slots }
      }
      slots = groups.map { $0.parameters.map { known[ObjectIdentifier($0.parameter)] ?? Slots() } }
    }
  }

  /// The state of a parameter: tensors of its shape, empty before its first step.
  struct Slots {
    var tensors: [Tensor] = []
    var steps = 0
  }
  private var slots: [[Slots]]
  /// The names of the tensors of a parameter that has had a step.
  let slotNames: [String]

  /// - Parameter slots: The names of the tensors of a parameter, which are zero before its first step.
  public init(_ groups: [ParameterGroup], learningRate: Scalar, weightDecay: Scalar, slots: [String]) {
    requireNotNegative("the learning rate", learningRate)
    requireNotNegative("the weight decay", weightDecay)
    Self.check(groups)
    self.groups = groups
    (self.learningRate, self.weightDecay) = (learningRate, weightDecay)
    slotNames = slots
    self.slots = groups.map { $0.parameters.map { _ in Slots() } }
  }

  /// Stops where a group has a negative setting, or a parameter is in two groups: it would be updated twice.
  private static func check(_ groups: [ParameterGroup]) {
    var owners: [ObjectIdentifier: Int] = [:]
    for (g, group) in groups.enumerated() {
      requireNotNegative("the learning rate's scale of group \(g)", group.learningRateScale)
      requireNotNegative("the weight decay of group \(g)", group.weightDecay ?? 0)
      for (name, parameter) in group.parameters {
        let owner = owners.updateValue(g, forKey: ObjectIdentifier(parameter))
        require(
          owner == nil,
          "\(Self.self): the parameter '\(name)' is in the groups \(owner ?? 0) and \(g), each update would change it twice"
        )
      }
    }
  }

  public func update(with gradients: Gradients) {
    for (g, group) in groups.enumerated() {
      let rate = learningRate * group.learningRateScale
      let decay = group.weightDecay ?? weightDecay
      for (p, (_, parameter)) in group.parameters.enumerated() {
        guard let gradient = gradients[parameter] else { continue }
        if slots[g][p].tensors.isEmpty {
          slots[g][p].tensors = slotNames.map { _ in .zeros(gradient.shape) }
        }
        slots[g][p].steps += 1
        let slotPointers = slots[g][p].tensors.indices.map { index in
          slots[g][p].tensors[index].withUnsafeMutableScalars { $0.baseAddress }
        }
        let number = slots[g][p].steps
        parameter.wrappedValue.update(with: gradient) { w, g, count in
          step(
            Step(
              w: w, g: g, slots: slotPointers.compactMap { $0 }, count: count, number: number, rate: rate,
              weightDecay: decay))
        }
      }
    }
  }

  /// One update of a parameter: the addresses of its elements, its gradient and its slots.
  public struct Step {
    /// The parameter, to be changed.
    public let w: UnsafeMutablePointer<Scalar>
    /// Its gradient.
    public let g: UnsafePointer<Scalar>
    /// Its tensors, to be changed, in the order of their names.
    public let slots: [UnsafeMutablePointer<Scalar>]
    /// The number of elements of each of these.
    public let count: Int
    /// The number of the parameter's steps, counted from 1.
    public let number: Int
    /// The learning rate of the parameter's group.
    public let rate: Scalar
    /// The weight decay of the parameter's group.
    public let weightDecay: Scalar
  }

  /// Updates a parameter and its slots in place.
  open func step(_ s: Step) { fatalError("an optimizer overrides step") }

  /// `learning_rate`, and `GROUP.NAME.step` and `GROUP.NAME.SLOT` for each parameter that has had a step.
  public var state: [String: Tensor] {
    var state = ["learning_rate": Tensor(learningRate)]
    forEachParameter { g, p, key, _ in
      let slots = slots[g][p]
      guard slots.steps > 0 else { return }
      state["\(key).step"] = Tensor(Scalar(slots.steps))
      for (name, tensor) in zip(slotNames, slots.tensors) { state["\(key).\(name)"] = tensor }
    }
    return state
  }

  public func load(_ state: [String: Tensor]) throws(OptimizerStateError) {
    var remaining = state
    var loaded = groups.map { $0.parameters.map { _ in Slots() } }
    guard let rate = remaining.removeValue(forKey: "learning_rate"), rate.count == 1 else {
      throw OptimizerStateError(description: "the optimizer's state has no scalar 'learning_rate'")
    }
    var problem: String?
    forEachParameter { g, p, key, shape in
      guard let step = remaining.removeValue(forKey: "\(key).step") else { return }
      guard step.count == 1, step.item >= 1, step.item < 0x1p53 else {
        problem = problem ?? "'\(key).step' is not a count of steps"
        return
      }
      loaded[g][p].steps = Int(step.item)
      for name in slotNames {
        guard let tensor = remaining.removeValue(forKey: "\(key).\(name)") else {
          problem = problem ?? "the optimizer's state lacks '\(key).\(name)'"
          return
        }
        guard tensor.shape == shape else {
          problem = problem ?? "'\(key).\(name)' has shape \(tensor.shape), the parameter \(shape)"
          return
        }
        loaded[g][p].tensors.append(tensor.detached)
      }
    }
    if problem == nil, let stray = remaining.keys.min() {
      problem = "the optimizer's state has '\(stray)', which belongs to none of its parameters"
    }
    if let problem { throw OptimizerStateError(description: problem) }
    guard rate.item >= 0, rate.item.isFinite else {
      throw OptimizerStateError(description: "the optimizer's state has the learning rate \(rate.item)")
    }
    learningRate = rate.item
    slots = loaded
  }

  private func forEachParameter(_ body: (_ g: Int, _ p: Int, _ key: String, _ shape: Shape) -> Void) {
    for (g, group) in groups.enumerated() {
      var taken: Set<String> = []
      for (p, (name, parameter)) in group.parameters.enumerated() {
        // Two models in one group may have parameters of one name.
        var key = name
        while !taken.insert(key).inserted { key += "'" }
        body(g, p, "\(g).\(key)", parameter.wrappedValue.shape)
      }
    }
  }
}

/// Stops where a setting of an optimizer is negative, infinite or NaN.
func requireNotNegative(_ setting: String, _ value: Scalar) {
  require(value >= 0 && value.isFinite, "optimizer: \(setting) is \(value), not 0 or more")
}

extension Tensor {
  /// Updates the elements in place with a gradient of the same shape.
  mutating func update(
    with gradient: Tensor, _ body: (UnsafeMutablePointer<Scalar>, UnsafePointer<Scalar>, Int) -> Void
  ) {
    requireSameShape("optimizer", self, gradient)
    withUnsafeMutableScalars { x in
      if let base = x.baseAddress { body(base, gradient.pointer, x.count) }
    }
  }
}
