extension Module {
  /// The module and its parts by name, one below the other, as PyTorch prints them.
  ///
  /// ```
  /// Sequential(
  ///   (0): Conv2d(3, 8, kernelSize: 3, padding: 1)
  ///   (1): ReLU()
  /// )
  /// ```
  public var description: String { described(within: []) }

  private func described(within outer: Set<ObjectIdentifier>) -> String {
    if let erased = self as? AnyLayer { return erased.base.described(within: outer) }
    let name = "\(type(of: self))"
    // A part that refers back to what it is in.
    guard !outer.contains(ObjectIdentifier(self)) else { return "\(name)(…)" }
    let parts = directParts.map { part in
      let text = part.module.described(within: outer.union([ObjectIdentifier(self)]))
      return "  (\(part.name)): " + text.split(separator: "\n").joined(separator: "\n  ")
    }
    let arguments = (self as? any DescribedModule)?.arguments ?? reflectedArguments
    guard !parts.isEmpty else { return "\(name)(\(arguments))" }
    return "\(name)(\(arguments)\n\(parts.joined(separator: "\n"))\n)"
  }

  /// The modules that no other part of this one has; one that is a property of its own is listed as often as it comes.
  private var directParts: [(name: String, module: any Module)] {
    var found: [(name: String, module: any Module)] = []
    var inner: [(name: String, module: any Module)] = []
    visit { name, part in if let module = part as? any Module { inner.append((name, module)) } }
    for (name, part) in parts {
      if let module = part as? any Module {
        found.append((name, module))
        continue
      }
      for (path, module) in inner where path.hasPrefix(name + ".") {
        if let last = found.last, path.hasPrefix(last.name + ".") { continue }
        found.append((path, module))
      }
    }
    return found
  }

  /// The numbers, words and shapes of parameters among the stored properties.
  private var reflectedArguments: String {
    Mirror(reflecting: self).children.compactMap { child -> String? in
      guard let label = child.label, label != "isTraining" else { return nil }
      switch child.value {
      case let parameter as Parameter:
        return "\(label.hasPrefix("_") ? String(label.dropFirst()) : label): \(parameter.wrappedValue.shape)"
      case is Int, is Bool, is Float, is Double, is String, is Shape, is Padding, is Interpolation:
        return "\(label): \(child.value)"
      default: return nil
      }
    }.joined(separator: ", ")
  }
}

/// A layer that is printed as it is made.
protocol DescribedModule: Module {
  var arguments: String { get }
}

extension Linear: DescribedModule {
  var arguments: String { "\(weight.shape[1]), \(weight.shape[0])" + (bias == nil ? ", bias: false" : "") }
}

extension Conv2d: DescribedModule {
  var arguments: String {
    kernelArguments(
      inputs: weight.shape[2] * groups, outputs: weight.shape[3], weight.shape, stride: stride,
      [("padding", padding == 0 ? nil : "\(padding)")], dilation, groups, bias)
  }
}

extension ConvTranspose2d: DescribedModule {
  var arguments: String {
    kernelArguments(
      inputs: weight.shape[3], outputs: weight.shape[2] * groups, weight.shape, stride: stride,
      [
        ("padding", padding == 0 ? nil : "\(padding)"),
        ("outputPadding", outputPadding == 0 ? nil : "\(outputPadding)"),
      ], dilation, groups, bias)
  }
}

private func kernelArguments(
  inputs: Int, outputs: Int, _ weight: Shape, stride: Int, _ padding: [(String, String?)], _ dilation: Int,
  _ groups: Int, _ bias: Parameter?
) -> String {
  let kernel = weight[0] == weight[1] ? "\(weight[0])" : "(\(weight[0]), \(weight[1]))"
  let others =
    [("stride", stride == 1 ? nil : "\(stride)")] + padding
    + [
      ("dilation", dilation == 1 ? nil : "\(dilation)"), ("groups", groups == 1 ? nil : "\(groups)"),
      ("bias", bias == nil ? "false" : nil),
    ]
  return
    (["\(inputs), \(outputs), kernelSize: \(kernel)"]
    + others.compactMap { name, value in value.map { "\(name): \($0)" } })
    .joined(separator: ", ")
}

extension BatchNorm2d: DescribedModule {
  var arguments: String { "\(weight.count), epsilon: \(epsilon), momentum: \(momentum)" }
}

extension LayerNorm: DescribedModule {
  var arguments: String { "\(weight.count), epsilon: \(epsilon)" + (bias == nil ? ", bias: false" : "") }
}

extension GroupNorm: DescribedModule {
  var arguments: String { "\(groups), \(weight.count), epsilon: \(epsilon)" }
}

extension Embedding: DescribedModule {
  var arguments: String { "\(weight.shape[0]), \(weight.shape[1])" }
}

extension MultiHeadAttention: DescribedModule {
  var arguments: String { "\(outProj.weight.shape[1]), heads: \(heads)" + (isCausal ? ", isCausal: true" : "") }
}
