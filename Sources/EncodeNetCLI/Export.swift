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

  @Flag(help: "Leave out the prefix of the names in a given baseline's file, such as 'module.'.")
  var plainNames = false

  func validate() throws {
    guard ["onnx", "npz", "safetensors"].contains(URL(fileURLWithPath: to).pathExtension) else {
      throw ValidationError("--to \(to): the file must end in .onnx, .npz or .safetensors")
    }
  }

  func run() throws {
    let images = try data?.load()
    if let images { warn(of: images) }
    var (network, description) = try options.classifier(for: images, notice: warn)
    if plainNames { description.origin = description.origin?.plain }
    let url = fileURL(to)
    switch url.pathExtension {
    case "onnx":
      let normalization = description.normalization
      try ONNX.save(
        network, imageShape: description.imageShape, mean: normalization.mean, deviation: normalization.deviation,
        metadata: ["classes": description.classNames.joined(separator: "\n"), "model": "\(description.model)"], to: url)
    case "npz": try NumPy.save(description.state(of: network), to: url)
    default: try description.save(network, to: url)
    }
    print("Written to \(to).")
  }
}
