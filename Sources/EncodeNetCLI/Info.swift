import ArgumentParser
import Reports

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describes a network, a data set, or a file of weights.",
    discussion: """
        encodenet info --model vgg16 --data digits

      Without options it describes a resnet20 for 32 by 32 images in colour.
      """)

  @OptionGroup var network: NetworkOptions
  @Option(help: "The images: \(DataSource.forms).")
  var data: DataSource?
  @Option(help: "A safetensors or PyTorch file.")
  var weights: String?

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
      print(aligned(["tensor", "shape"], state.keys.sorted().map { [$0, "\(state[$0]!.shape)"] }))
    }
    if network.model != nil || (images == nil && weights == nil) {
      let choice = network.choiceOrDefault
      let shape = images?.imageShape ?? [32, 32, 3]
      var generator = SplittableGenerator(seed: 0)
      let network = try choice.make(classes: images?.classNames.count ?? 10, inputShape: shape, using: &generator)
      print(ModelSummary(of: network, input: shape))
    }
  }
}
