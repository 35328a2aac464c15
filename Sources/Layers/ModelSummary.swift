/// A table of a model's layers in the order they run: names, output shapes, parameters and multiply-adds.
///
/// ```swift
/// print(ModelSummary(of: model, input: [32, 32, 3]))
/// ```
public struct ModelSummary: Sendable, CustomStringConvertible {
  /// One run of a layer.
  public struct Row: Sendable, Hashable {
    /// The layer's name in the model's state, empty where the model does not own it.
    public let name: String
    /// The layer's type, such as "Conv2d".
    public let type: String
    /// The output of a single image, with a batch axis of 1.
    public let output: Shape
    /// The layer's parameters; 0 where an earlier row has counted them.
    public let parameters: Int
    /// Its multiply-adds for one image.
    public let multiplyAdds: Int
  }
  /// The layers' runs in order.
  public let rows: [Row]
  /// All parameters of the model, each counted once.
  public let parameters: Int
  /// Multiply-adds of convolutions and matrix products for one image.
  public let multiplyAdds: Int

  /// Runs `model` once on a zero image.
  ///
  /// - Parameter input: The shape of one input, `[height, width, channels]`, without the batch axis.
  public init(of model: any Layer, input: Shape) {
    var names: [ObjectIdentifier: String] = [:]
    var parameters: [ObjectIdentifier: [Parameter]] = [:]
    var counted: Set<ObjectIdentifier> = []
    func note(_ name: String, _ module: any Module) {
      names[ObjectIdentifier(module)] = names[ObjectIdentifier(module)] ?? name
      parameters[ObjectIdentifier(module)] = module.parameters
    }
    note("", model)
    model.visit { name, part in if let module = part as? any Module { note(name, module) } }

    rows = LayerTrace.run(model, on: input).trace.events.map { event in
      // A parameter counts in the first row that has it, tied ones too.
      let new = (parameters[event.layer] ?? []).filter { counted.insert(ObjectIdentifier($0)).inserted }
      return Row(
        name: names[event.layer] ?? "", type: event.type, output: event.output,
        parameters: new.reduce(0) { $0 + $1.wrappedValue.count }, multiplyAdds: event.multiplyAdds)
    }
    self.parameters = model.parameterCount
    multiplyAdds = rows.reduce(0) { $0 + $1.multiplyAdds }
  }

  /// The table as text, with a line of totals.
  public var description: String {
    let header = ["layer", "type", "output", "parameters", "MACs"]
    let body = rows.map {
      [$0.name, $0.type, "\($0.output)", grouped($0.parameters), grouped($0.multiplyAdds)]
    }
    let total = ["total", "", "", grouped(parameters), grouped(multiplyAdds)]
    let table = [header] + body + [total]
    let widths = header.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { cells in
      zip(cells, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < 3 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}

/// 14728266 as "14,728,266".
package func grouped(_ number: Int) -> String {
  let digits = Array(String(number))
  return digits.indices.reduce(into: "") { text, i in
    if i > 0 && (digits.count - i) % 3 == 0 { text += "," }
    text.append(digits[i])
  }
}
