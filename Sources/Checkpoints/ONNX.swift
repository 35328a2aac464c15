import FileFormats
import Foundation
import Layers

/// Writes networks as ONNX, to be run by ONNX Runtime and others: https://github.com/onnx/onnx/blob/main/docs/IR.md.
///
/// Images are `[batch, channels, height, width]` there, of any batch; batch norms are folded into the convolutions before
/// them. Operator set 17.
public enum ONNX {
  /// Writes `model` in evaluation mode, atomically.
  ///
  /// - Parameters:
  ///   - imageShape: `[height, width, channels]` of its input.
  ///   - mean: Subtracted from each channel first, so that the network takes images in 0...1; one for all or one for each.
  ///   - deviation: The standard deviations that the channels are then divided by.
  ///   - metadata: Stored in the file.
  /// - Throws: For a layer that cannot be written, by its name; and where the file cannot be written.
  public static func save(
    _ model: any Layer, imageShape: Shape, mean: [Double] = [], deviation: [Double] = [], output: String = "logits",
    metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let bytes: [UInt8]
    do {
      bytes = try encode(
        model, imageShape: imageShape, mean: mean, deviation: deviation, output: output, metadata: metadata)
    } catch { throw CheckpointError(error.problem, in: url.path) }
    try writeAtomically(bytes, to: url)
  }

  /// The bytes of that file.
  public static func encode(
    _ model: any Layer, imageShape: Shape, mean: [Double] = [], deviation: [Double] = [], output: String = "logits",
    metadata: [String: String] = [:]
  ) throws(CheckpointError) -> [UInt8] {
    var graph = ONNXGraph()
    var value = ONNXGraph.Value(name: "images", shape: imageShape)
    if !mean.isEmpty || !deviation.isEmpty {
      require(
        mean.count == deviation.count && (mean.count == 1 || mean.count == imageShape[2]),
        "ONNX: \(mean.count) means and \(deviation.count) standard deviations for \(imageShape[2]) channels")
      func channels(_ values: [Double]) -> Tensor { Tensor(values.map { Scalar($0) }, shape: [values.count, 1, 1]) }
      value.name = graph.node("Sub", [value.name, graph.constant(channels(mean))])
      value.name = graph.node("Div", [value.name, graph.constant(channels(deviation))])
    }
    value = try graph.add(model, value)
    graph.node("Identity", [value.name], named: output)
    return graph.file(input: imageShape, output: output, value.shape, metadata)
  }
}
