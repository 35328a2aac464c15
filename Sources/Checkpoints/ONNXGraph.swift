import FileFormats
import Layers

/// The nodes and constants of an ONNX file, in the order of the computation.
struct ONNXGraph {
  /// An intermediate tensor and its shape: `[height, width, channels]` or `[channels]`.
  struct Value {
    var name: String
    var shape: Shape
  }
  /// An input or output of the graph.
  struct Port {
    /// An extent that is known, or the name of one that each run decides.
    enum Extent {
      case known(Int)
      case any(String)
    }
    var name: String
    var type: ElementType
    var extents: [Extent]

    /// Floats `[batch, …]` of a shape `[height, width, channels]`, whose channels come first there, or of another.
    init(_ name: String, _ shape: Shape) {
      let extents = shape.rank == 3 ? [shape[2], shape[0], shape[1]] : shape.dimensions
      self.init(name, .float, [.any("batch")] + extents.map { .known($0) })
    }
    init(_ name: String, _ type: ElementType, _ extents: [Extent]) {
      (self.name, self.type, self.extents) = (name, type, extents)
    }
  }
  /// The type of a tensor's elements, by its number in ONNX.
  enum ElementType: Int {
    case float = 1
    case uint8 = 2
    case int32 = 6
    case int64 = 7
    case double = 11
  }
  enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
    case text(String)
  }
  private let operatorSet: Int
  private var nodes: [[UInt8]] = []
  private var constants: [[UInt8]] = []

  init(operatorSet: Int = 17) { self.operatorSet = operatorSet }

  @discardableResult
  mutating func node(
    _ type: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], named output: String? = nil
  ) -> String {
    let output = output ?? "\(type.lowercased())\(nodes.count)"
    nodes.append(
      ProtocolBuffer { node in
        for input in inputs { node.text(1, input) }
        node.text(2, output)
        node.text(3, output)
        node.text(4, type)
        for (name, value) in attributes {
          node.message(5) { attribute in
            attribute.text(1, name)
            switch value {
            case .float(let value):
              attribute.float(2, value)
              attribute.integer(20, 1)
            case .integer(let value):
              attribute.integer(3, value)
              attribute.integer(20, 2)
            case .text(let text):
              attribute.text(4, text)
              attribute.integer(20, 3)
            case .integers(let values):
              for value in values { attribute.integer(8, value) }
              attribute.integer(20, 7)
            }
          }
        }
      }.bytes)
    return output
  }

  /// A constant of single precision, whatever `Scalar` is.
  mutating func constant(_ tensor: Tensor) -> String {
    let values = tensor.withUnsafeScalars { $0.map { Float($0).bitPattern.littleEndian } }
    return constant(tensor.shape.dimensions, .float, values.withUnsafeBytes { Array($0) })
  }
  mutating func constant(_ integers: [Int]) -> String {
    let values = integers.map { Int64($0).littleEndian }
    return constant([integers.count], .int64, values.withUnsafeBytes { Array($0) })
  }
  mutating func constant(_ shape: [Int], _ type: ElementType, _ content: [UInt8]) -> String {
    let name = "constant\(constants.count)"
    constants.append(
      ProtocolBuffer { tensor in
        for extent in shape { tensor.integer(1, extent) }
        tensor.integer(2, type.rawValue)
        tensor.text(8, name)
        tensor.content(9, content)
      }.bytes)
    return name
  }

  /// Reduces `axes` of `x`, which are an input from operator set 18 on.
  mutating func reduced(_ type: String, _ x: String, axes: [Int]) -> String {
    operatorSet < 18
      ? node(type, [x], [("axes", .integers(axes)), ("keepdims", .integer(1))])
      : node(type, [x, constant(axes)], [("keepdims", .integer(1))])
  }

  func file(input: Port, output: Port, _ metadata: [String: String]) -> [UInt8] {
    func port(_ port: Port) -> (inout ProtocolBuffer) -> Void {
      return { value in
        value.text(1, port.name)
        value.message(2) { type in
          type.message(1) { tensor in
            tensor.integer(1, port.type.rawValue)
            tensor.message(2) { shape in
              for extent in port.extents {
                shape.message(1) { dimension in
                  switch extent {
                  case .any(let name): dimension.text(2, name)
                  case .known(let count): dimension.integer(1, count)
                  }
                }
              }
            }
          }
        }
      }
    }
    return ProtocolBuffer { model in
      model.integer(1, 8)
      model.text(2, "EncodeNet")
      model.message(7) { graph in
        for node in nodes { graph.content(1, node) }
        graph.text(2, "network")
        for constant in constants { graph.content(5, constant) }
        graph.message(11, port(input))
        graph.message(12, port(output))
      }
      model.message(8) { $0.integer(2, operatorSet) }
      for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
        model.message(14) {
          $0.text(1, name)
          $0.text(2, value)
        }
      }
    }.bytes
  }
}
