@_exported import Communicators
@_exported import Tensors

/// A container of parameters: a layer, a model or a part of one.
///
/// Parameters, buffers and submodules are found among the stored properties by reflection, and named as PyTorch names them:
/// `layer1.0.bn1.running_mean` for `layer1[0].bn1.runningMean`. They may lie in optionals, arrays, dictionaries, tuples, structs and
/// enumerations, nested in any way. A class between them must be a module too: one that is not, and holds parameters, stops the
/// program.
///
/// A part that is found twice, such as a tied weight or a back reference, counts once, under the first of its names.
public protocol Module: AnyObject, CustomStringConvertible {
  /// The parts of this module by name, in order: `Parameter`s, `Buffer`s, modules, and collections of them.
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
  public var parts: [(name: String, part: Any)] { PartWalk.fields(of: self) }

  /// Visits every parameter, buffer and module below this one once, depth first, with the first of its full names.
  package func visit(_ body: (_ name: String, _ part: Any) -> Void) {
    withoutActuallyEscaping(body) { body in
      var walk = PartWalk(from: self, body: body)
      walk()
    }
  }

  /// The other names of the parameters and buffers that are found more than once.
  package var aliases: [(name: String, part: AnyObject)] {
    var walk = PartWalk(from: self) { _, _ in }
    walk()
    return walk.aliases.flatMap { name, part -> [(name: String, part: AnyObject)] in
      guard let module = part as? any Module else { return [(name, part)] }
      return module.namedParameters.map { ("\(name).\($0.name)", $0.parameter) }
        + module.namedBuffers.map { ("\(name).\($0.name)", $0.buffer) }
    }
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

  /// The first name that two parameters or buffers have, nil where there is none.
  package var firstNameOfTwo: String? {
    var names: Set<String> = []
    return (namedParameters.map(\.name) + namedBuffers.map(\.name)).first { !names.insert($0).inserted }
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
