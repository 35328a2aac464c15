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
  @Option(help: "The images: \(DataSource.forms).", transform: dataSource)
  var data: DataSource?
  @Option(help: "A safetensors or PyTorch file.")
  var weights: String?

  func run() throws {
    let images = try data?.load()
    if let images {
      warn(of: images)
      print(
        "\(images.name): \(images.training.count) training images, \(images.test.count) test images of \(images.imageShape)"
      )
      print("classes: \(images.classNames.map { $0.escaped() }.joined(separator: ", "))")
      print("fingerprint: \(images.fingerprint)")
    }
    if let weights {
      let url = fileURL(weights)
      let file = try WeightsFile(contentsOf: url)
      if let saved = try SavedClassifier.read(from: url) {
        print(
          "\(saved.model) for images \(saved.imageShape), classes: \(saved.classNames.map { $0.escaped() }.joined(separator: ", "))"
        )
      }
      try describe(file)
    }
    if network.model != nil || (images == nil && weights == nil) {
      let choice = network.choiceOrDefault
      let shape = images?.imageShape ?? [32, 32, 3]
      var generator = SplittableGenerator(seed: 0)
      let network = try choice.make(classes: images?.classNames.count ?? 10, inputShape: shape, using: &generator)
      print(ModelSummary(of: network, input: shape))
    }
  }

  /// Prints the maps of tensors in `file`, and the tensors of the largest.
  private func describe(_ file: WeightsFile) throws {
    if file.maps.count > 1 || file.maps[0].path != "" {
      print("maps of tensors: \(file.listing.joined(separator: "; "))")
    }
    for note in file.notes { print("note: \(note)") }
    let map = try file.largest()
    for unread in map.unread { print("left unread: \(unread.escaped())") }
    print(aligned(["tensor", "shape"], map.shapes.keys.sorted().map { [$0, "\(map.shapes[$0]!)"] }))
    try map.tensors().requireFinite(in: file.file)
  }
}
