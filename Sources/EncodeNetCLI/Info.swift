import ArgumentParser
import EncodeNet

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a network, a data set, or a file of weights.",
    discussion: "Without options: the network resnet20 for 32 by 32 images in colour.")

  @Option(help: "The network: \(ModelChoice.forms).")
  var model: String?
  @Option(help: "A ResNet's shortcuts: identity (option A) or projection (option B).")
  var shortcut = ResNet.Shortcut.identity
  @Option(help: "Multiplies the network's channels.")
  var width = 1.0
  @Option(help: "The images: \(DataSource.forms).")
  var data: DataSource?
  @Option(help: "A safetensors or PyTorch file.")
  var weights: String?

  func validate() throws {
    if let model { try validating { try ModelChoice(model, shortcut: shortcut, widthMultiplier: width).check() } }
  }

  func run() throws {
    let images = try data?.load()
    if let images {
      print(
        "\(images.name): \(images.training.count) training images, \(images.test.count) test images of \(images.imageShape)"
      )
      print("classes: \(images.classNames.joined(separator: ", "))")
      print("fingerprint: \(images.fingerprint)")
    }
    if let weights {
      let url = fileURL(weights)
      let state = try loadState(from: url)
      if let saved = try SavedClassifier.read(from: url) {
        print("\(saved.model) for images \(saved.imageShape), classes: \(saved.classNames.joined(separator: ", "))")
      }
      print(aligned([["tensor", "shape"]] + state.keys.sorted().map { [$0, "\(state[$0]!.shape)"] }))
    }
    if model != nil || (images == nil && weights == nil) {
      let choice = ModelChoice(model ?? "resnet20", shortcut: shortcut, widthMultiplier: width)
      let shape = images?.imageShape ?? [32, 32, 3]
      var generator = SplittableGenerator(seed: 0)
      let network = try choice.make(classes: images?.classNames.count ?? 10, inputShape: shape, using: &generator)
      print(ModelSummary(of: network, input: shape))
    }
  }
}
