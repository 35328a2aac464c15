import ArgumentParser
import Foundation
import Reports

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes a classifier's weights for other programs, or the network itself as ONNX.",
    discussion: """
        encodenet export --weights out/digits/seed-0/A3.safetensors --to a3.onnx
        encodenet export --weights out/photos/seed-0/A3.safetensors --raw-pixels --probabilities --to a3.onnx

      The ending of the file decides: .onnx is the whole network, which takes images in 0...1 as [batch, channels, height, \
      width] and gives logits; .npz and .safetensors are the weights in PyTorch's layout, under the names of the file that \
      a given baseline came from, else under PyTorch's. With --raw-pixels the network takes photographs as programs hold them, \
      bytes of any size as [batch, height, width, 3], also where it was trained on grey images, and prepares them itself as \
      'encodenet predict' does, all but their orientation, and with all pixels of a JPEG (--full-decoding).
      """)

  @OptionGroup var options: ClassifierOptions
  @Option(help: "The file to write: FILE.onnx, FILE.npz or FILE.safetensors.")
  var to: String
  @Option(help: "The images that it is for, where the weights do not say: \(DataSource.forms).", transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions

  @Flag(help: "Take colour images of any size, in bytes, and prepare them inside the network (.onnx).")
  var rawPixels = false
  @Flag(help: "Give the probabilities of the classes instead of logits (.onnx).")
  var probabilities = false
  @Flag(help: "Leave out the prefix of the names in a given baseline's file, such as 'module.'.")
  var plainNames = false

  func validate() throws {
    guard ["onnx", "npz", "safetensors"].contains(URL(fileURLWithPath: to).pathExtension) else {
      throw ValidationError("--to \(to): the file must end in .onnx, .npz or .safetensors")
    }
    guard !(rawPixels || probabilities) || to.hasSuffix(".onnx") else {
      throw ValidationError("--raw-pixels and --probabilities go with a file that ends in .onnx")
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
      if rawPixels { try description.requireImages(in: options.weights) }
      try description.saveONNX(network, takesPixels: rawPixels, givesProbabilities: probabilities, to: url)
    case "npz": try NumPy.save(description.state(of: network), to: url)
    default: try description.save(network, to: url)
    }
    print("Written to \(to).")
  }
}
