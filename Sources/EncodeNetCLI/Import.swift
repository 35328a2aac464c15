import ArgumentParser
import EncodeNet
import Foundation

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit the weights of a PyTorch, NumPy, safetensors or Keras file to a network, and say what fits.",
    discussion: """
      Tells which names matched, which were renamed, and which are missing or left over. Where all fit and --out is given, \
      writes them as safetensors that 'evaluate' and 'predict' take without further options. Keras' layers go to the \
      network's in order, and are read where the command was built with --traits HDF5.
      """)

  @Argument(help: "A file of weights: .pt, .pth, .th, .npz, .safetensors or .h5.")
  var file: String
  @OptionGroup var wanted: NetworkOptions
  @Option(help: "The images that it is for: \(DataSource.forms); their classes and sizes are kept with the weights.")
  var data: DataSource?
  @Option(help: "Where the images are not at hand: their number of classes.")
  var classes = 10
  @Option(help: "What is taken from each channel of images in 0...1 (default: that of the training images).")
  var mean: Channels?
  @Option(help: "What each channel is divided by then.")
  var std: Channels?
  @Option(help: "What the batch norms of a Keras file add to variances, which the file does not say.")
  var kerasEpsilon: Float = 1e-3
  @Option(help: "The safetensors file to write.")
  var out: String?

  func validate() throws {
    guard (mean == nil) == (std == nil) else { throw ValidationError("--mean and --std go together: give both") }
    guard out == nil || data != nil else { throw ValidationError("--out needs --data, for the classes' names") }
    guard kerasEpsilon >= 0 else {
      throw ValidationError("--keras-epsilon is \(kerasEpsilon), it must not be negative")
    }
    guard classes > 0 else { throw ValidationError("--classes is \(classes), it must be at least 1") }
  }

  func run() throws {
    let choice = wanted.choiceOrDefault
    let images = try data?.load()
    var generator = SplittableGenerator(seed: 0)
    let network = try choice.make(
      classes: images?.classNames.count ?? classes, inputShape: images?.imageShape ?? [32, 32, 3], using: &generator)
    let url = fileURL(file)
    let state =
      try KerasFile.recognizes(url)
      ? KerasFile.state(from: url, for: network, epsilon: Scalar(kerasEpsilon)) : loadNamedState(from: url)
    let fit = StateFit(of: state, to: network)

    print("\(fit.matched.count) of \(network.stateDictionary.count) tensors of \(choice) matched.")
    if let first = fit.renamed.first {
      print("\(fit.renamed.count) renamed, such as \(first.from) to \(first.to).")
    }
    for (what, names) in [
      ("Missing", fit.missing), ("Left over", fit.leftOver),
      ("Of another shape", fit.misshapen.map { "\($0.name) \($0.found), wanted \($0.wanted)" }),
    ] where !names.isEmpty {
      print(
        "\(what): \(names.prefix(20).joined(separator: ", "))\(names.count > 20 ? ", \(names.count - 20) more" : "")")
    }
    guard fit.isExact else { throw EncodeNetError("\(file): the weights do not fit \(choice)") }
    guard let out, let images else { return }
    try network.load(state.withPlainNames)
    let normalization =
      mean.map { Normalization(mean: $0.values, deviation: std!.values) } ?? .computed(from: images.training)
    try SavedClassifier(
      model: choice, imageShape: images.imageShape, classNames: images.classNames, normalization: normalization
    ).save(network, to: fileURL(out))
    print("Written to \(out).")
  }
}
