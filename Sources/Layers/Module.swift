@_exported import Tensors

/// A trainable tensor that a module owns.
@propertyWrapper
public final class Parameter {
  public var wrappedValue: Tensor { didSet { wrappedValue.id = id } }
  public var projectedValue: Parameter { self }

  /// Whether gradients are taken with respect to this parameter; a frozen parameter costs the tape nothing.
  public var isTrainable = true

  package let id = TensorID.fresh()

  public init(wrappedValue: Tensor) {
    self.wrappedValue = wrappedValue
    self.wrappedValue.id = id
  }
}

/// A tensor of a module's state that is not trained, such as a running mean.
@propertyWrapper
public final class Buffer {
  public var wrappedValue: Tensor { didSet { wrappedValue.id = .untracked } }
  public var projectedValue: Buffer { self }
  public init(wrappedValue: Tensor) { self.wrappedValue = wrappedValue.detached }
}

/// A container of parameters: a layer, a model or a part of one.
///
/// Parameters, buffers and submodules are found among the stored properties by reflection, and named as PyTorch names them:
/// `layer1.0.bn1.running_mean` for `layer1[0].bn1.runningMean`.
public protocol Module: AnyObject, CustomStringConvertible {
  /// The parts of this module by name, in order: `Parameter`s, `Buffer`s, modules and arrays of modules.
  var parts: [(name: String, part: Any)] { get }
}

/// A module that maps one tensor to another.
public protocol Layer: Module {
  /// The layer's output for `x`, whose first axis is the batch.
  func callAsFunction(_ x: Tensor) -> Tensor
}

/// A module that differs between training and evaluation: batch norm and dropout.
public protocol TrainingAware: Module {
  /// Whether the module is in training mode, as it is initially.
  var isTraining: Bool { get set }
}

extension Module {
  public var parts: [(name: String, part: Any)] {
    var parts: [(String, Any)] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    var levels: [[(String, Any)]] = []
    while let level = mirror {
      levels.append(
        level.children.compactMap { child in
          child.label.map { (snakeCased($0.hasPrefix("_") ? String($0.dropFirst()) : $0), child.value) }
        })
      mirror = level.superclassMirror
    }
    for level in levels.reversed() { parts += level }
    return parts
  }

  /// Visits every parameter, buffer and module below this one, depth first, with its full name.
  package func visit(_ prefix: String = "", _ body: (_ name: String, _ part: Any) -> Void) {
    func walk(_ name: String, _ value: Any) {
      switch value {
      case is Parameter, is Buffer: body(name, value)
      case let module as any Module:
        body(name, module)
        module.visit(name + ".", body)
      case let modules as [any Module]:
        for (index, module) in modules.enumerated() { walk("\(name).\(index)", module) }
      default:
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional, let value = mirror.children.first?.value { walk(name, value) }
      }
    }
    for (name, part) in parts { walk(prefix + name, part) }
  }

  /// Every parameter with its name in the state, in the order of declaration.
  public var namedParameters: [(name: String, parameter: Parameter)] {
    var found: [(String, Parameter)] = []
    visit { name, part in if let parameter = part as? Parameter { found.append((name, parameter)) } }
    return found
  }
  /// Every parameter.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// Every buffer with its name in the state, in the order of declaration.
  public var namedBuffers: [(name: String, buffer: Buffer)] {
    var found: [(String, Buffer)] = []
    visit { name, part in if let buffer = part as? Buffer { found.append((name, buffer)) } }
    return found
  }

  /// The name of the first parameter or buffer with a NaN or infinite element, nil where there is none.
  package var firstNonFinite: String? {
    namedParameters.first { !$0.parameter.wrappedValue.isFinite }?.name
      ?? namedBuffers.first { !$0.buffer.wrappedValue.isFinite }?.name
  }

  /// The number of scalars in all parameters.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.wrappedValue.count } }

  /// Stops gradients with respect to every parameter of this module, and the running statistics of its batch norms.
  public func freeze() { setTrainable(false) }
  /// Takes gradients with respect to every parameter of this module again.
  public func unfreeze() { setTrainable(true) }
  private func setTrainable(_ isTrainable: Bool) { for parameter in parameters { parameter.isTrainable = isTrainable } }

  /// Puts batch norm and dropout into training or evaluation mode.
  public func train(_ isTraining: Bool = true) {
    (self as? any TrainingAware)?.isTraining = isTraining
    visit { _, part in (part as? any TrainingAware)?.isTraining = isTraining }
  }
  /// Puts batch norm and dropout into evaluation mode.
  public func evaluate() { train(false) }
}

package func snakeCased(_ name: String) -> String {
  name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
}
