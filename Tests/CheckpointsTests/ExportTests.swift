import FileFormats
import Testing

@testable import Checkpoints

struct ExportTests {
  private final class Unknown: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { softmax(x) }
  }

  @Test func aLayerWithoutAFormInONNXIsNamed() {
    let error = #expect(throws: CheckpointError.self) {
      try ONNX.encode(Sequential([ReLU(), Unknown()]), imageShape: [4, 4, 1])
    }
    #expect(error?.description.contains("Unknown") == true && error?.description.contains("'softmax'") == true)
  }

  /// Normalises by a detached mean, which a graph of operations does not show.
  private final class Detached: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { x - x.mean().detached }
  }
  private final class Attended: Layer {
    let attention: MultiHeadAttention
    init(_ attention: MultiHeadAttention) { self.attention = attention }
    func callAsFunction(_ x: Tensor) -> Tensor { attention(x, x * 2, x) }
  }
  private final class Branching: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { x.sum().item > 0 ? x : x * 2 }
  }
  private final class PerImage: Layer {
    func callAsFunction(_ x: Tensor) -> Tensor { x * (x .> 0) }
  }

  @Test func aClassThatCannotBeReadFromItsOperationsIsRefused() {
    var g = SplittableGenerator(seed: 1)
    let attended = Attended(MultiHeadAttention(4, heads: 2, using: &g))
    for (layer, shape, reason) in [
      (Detached(), [3], "detaches"), (attended, [2, 4], "'permuted'"), (Branching(), [3], "decides by its input"),
      (PerImage(), [3], "decides by its input"),
    ] as [(any Layer, Shape, String)] {
      let error = #expect(throws: CheckpointError.self) { try ONNX.encode(layer, imageShape: shape) }
      #expect(error?.description.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
    }
  }

  @Test func equalNetworksMakeEqualFiles() throws {
    func bytes() throws -> [UInt8] {
      var g = SplittableGenerator(seed: 1)
      return try ONNX.encode(
        ResNet(depth: 8, classes: 3, inputShape: [8, 8, 3], using: &g), imageShape: [8, 8, 3], metadata: ["a": "b"])
    }
    #expect(try bytes() == bytes())
  }

  @Test func messagesAreWrittenAsTheEncodingSays() {
    // The examples of https://protobuf.dev/programming-guides/encoding: 150 in field 1, "testing" in field 2, a message in 3.
    #expect(ProtocolBuffer { $0.integer(1, 150) }.bytes == [0x08, 0x96, 0x01])
    #expect(ProtocolBuffer { $0.text(2, "testing") }.bytes == [0x12, 7] + Array("testing".utf8))
    #expect(ProtocolBuffer { $0.message(3) { $0.integer(1, 150) } }.bytes == [0x1a, 3, 0x08, 0x96, 0x01])
    #expect(ProtocolBuffer { $0.integer(1, -1) }.bytes == [0x08] + [UInt8](repeating: 0xff, count: 9) + [1])
  }

  @Test func weightsAreComparedNameByName() {
    var g = SplittableGenerator(seed: 1)
    let model = Sequential([Linear(3, 2, using: &g), BatchNorm2d(2)])
    var state = model.stateDictionary
    #expect(StateFit(of: state, to: model).isExact)
    state = StateDictionary(uniqueKeysWithValues: state.map { ("module.\($0.key)", $0.value) })
    let renamed = StateFit(of: state, to: model)
    #expect(renamed.isExact && renamed.renamed.count == 6 && renamed.renamed[0].to == "0.bias")
    state["module.extra"] = Tensor(1)
    state["module.0.weight"] = .zeros([2, 4])
    state["module.1.bias"] = nil
    let fit = StateFit(of: state, to: model)
    #expect(fit.leftOver == ["extra"] && fit.missing == ["1.bias"] && fit.misshapen.map(\.name) == ["0.weight"])
    #expect(!fit.isExact && fit.matched.count == 4)
  }
}
