import FileFormats
import Foundation
import Layers

/// Writes networks as ONNX, to be run by ONNX Runtime and others: https://github.com/onnx/onnx/blob/main/docs/IR.md.
///
/// Batch norms are folded into the convolutions before them. Operator set 17, and 18 where pixels come in.
public enum ONNX {
  /// The images that a network in a file takes, as its input `images`.
  public enum Input: Sendable, Hashable {
    /// Floats of the network's own size, `[batch, channels, height, width]`.
    case floats
    /// Bytes of any size in colour, `[batch, height, width, 3]`, as Pillow and OpenCV (after `COLOR_BGR2RGB`) hold them: the file
    /// scales them to the network's size, as `fit` says, divides them by 255, and for a network of grey images makes them grey
    /// by Rec. 601.
    ///
    /// Every image of a batch has one size. By ONNX Runtime the scaled images are those of `ImagePreparation`, but for a level in
    /// few values.
    case pixels(Fit)
  }

  /// What becomes of pixels of another ratio of sides than the network's: see `ImagePreparation.Fit`, which has the same names.
  public enum Fit: String, Sendable, Hashable, CaseIterable {
    /// Scales them to cover the size, and cuts out the centre.
    case resize
    /// Scales both sides by themselves.
    case stretch
    /// Scales them to lie within the size, and fills the rest with black.
    case pad
  }

  /// Writes `model` in evaluation mode, atomically.
  ///
  /// - Parameters:
  ///   - imageShape: `[height, width, channels]` of its input.
  ///   - input: The images that the file takes.
  ///   - mean: Subtracted from each channel first, so that the network takes images in 0...1; one for all or one for each.
  ///   - deviation: The standard deviations that the channels are then divided by.
  ///   - output: The name of the output.
  ///   - probabilities: Whether the output is the softmax of the network's.
  ///   - metadata: Stored in the file.
  /// - Throws: For a layer that cannot be written, by its name; for pixels where the network takes no images of one or three
  ///   channels; and where the file cannot be written.
  public static func save(
    _ model: any Layer, imageShape: Shape, input: Input = .floats, mean: [Double] = [], deviation: [Double] = [],
    output: String = "logits", probabilities: Bool = false, metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let bytes: [UInt8]
    do {
      bytes = try encode(
        model, imageShape: imageShape, input: input, mean: mean, deviation: deviation, output: output,
        probabilities: probabilities, metadata: metadata)
    } catch { throw CheckpointError(error.problem, in: url.path) }
    try writeAtomically(bytes, to: url)
  }

  /// The bytes of that file.
  public static func encode(
    _ model: any Layer, imageShape: Shape, input: Input = .floats, mean: [Double] = [], deviation: [Double] = [],
    output: String = "logits", probabilities: Bool = false, metadata: [String: String] = [:]
  ) throws(CheckpointError) -> [UInt8] {
    require(
      mean.count == deviation.count && (mean.count <= 1 || mean.count == imageShape[2]),
      "ONNX: \(mean.count) means and \(deviation.count) standard deviations for images \(imageShape)")
    var graph: ONNXGraph
    var value = ONNXGraph.Value(name: "images", shape: imageShape)
    let port: ONNXGraph.Port
    switch input {
    case .floats:
      graph = ONNXGraph()
      port = ONNXGraph.Port(value.name, imageShape)
      if !mean.isEmpty { value.name = graph.normalized(value.name, mean, deviation) }
    case .pixels(let fit):
      guard imageShape.rank == 3, [1, 3].contains(imageShape[2]) else {
        throw CheckpointError("a network of images \(imageShape) cannot take pixels: these have 1 or 3 channels")
      }
      graph = ONNXGraph(operatorSet: 18)
      port = ONNXGraph.Port(value.name, .uint8, [.any("batch"), .any("height"), .any("width"), .known(3)])
      value.name = graph.scaled(value.name, fit, to: imageShape)
      value.name = graph.normalized(bytes: value.name, mean, deviation)
    }
    value = try graph.add(model, value)
    if probabilities { value.name = graph.node("Softmax", [value.name], [("axis", .integer(-1))]) }
    graph.node("Identity", [value.name], named: output)
    return graph.file(input: port, output: ONNXGraph.Port(output, value.shape), metadata)
  }
}
