import ArgumentParser
import Foundation
import Reports

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a classifier's weights for other programs, or the network itself as ONNX.",
    discussion: """
        encodenet export --weights out/digits/seed-0/A3.safetensors --to a3.onnx

      The ending of the file decides: .onnx is the whole network, which takes images in 0...1 as [batch, channels, height, \
      width] and gives logits; .npz and .safetensors are the weights in PyTorch's layout, under the names of the file that \
      a given baseline came from, else under PyTorch's.
      """)

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The file to write: FILE.onnx, FILE.npz or FILE.safetensors.")
  var to: String
  @Option(help: "The images that it is for, where the weights do not say: \(DataSource.forms).", transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions

  @Flag(help: "Leave out the prefix of the names in a given baseline's file, such as 'module.'.")
  var plainNames = false

  func validate() throws {
    guard ["onnx", "npz", "safetensors"].contains(URL(fileURLWithPath: to).pathExtension) else {
      throw ValidationError("--to \(to): the file must end in .onnx, .npz or .safetensors")
    }
  }

  func run() throws {
    let saved = try options.saved()
    let images = try dataOptions.source(data).map { try dataOptions.load($0, for: saved, options.weights) }
    if let images { warn(of: images) }
    var (network, description) = try options.classifier(for: images, notice: warn)
    if plainNames { description.origin = description.origin?.plain }
    let url = fileURL(to)
    switch url.pathExtension {
    case "onnx":
      let normalization = description.normalization
      try ONNX.save(
        network, imageShape: description.imageShape, mean: normalization.mean, deviation: normalization.deviation,
        metadata: try metadata(of: description), to: url)
    case "npz": try NumPy.save(description.state(of: network), to: url)
    default: try description.save(network, to: url)
    }
    print("Written to \(to).")
  }

  /// What a program must know beside the network: the classes by label, and how images of any size are made ready.
  private func metadata(of description: SavedClassifier) throws -> [String: String] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return [
      "classes": description.classNames.joined(separator: "\n"), "model": "\(description.model)",
      "preparation": String(decoding: try encoder.encode(description.imagePreparation), as: UTF8.self),
    ]
  }
}
