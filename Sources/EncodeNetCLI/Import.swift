import ArgumentParser
import Foundation
import Reports

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fits the weights of a PyTorch, NumPy, safetensors or Keras file to a network.",
    discussion: """
        encodenet import resnet20.pth --model resnet20

      Prints which names match, which are renamed, and which are missing or left over. Where all fit and --out is given, writes \
      the weights as safetensors, which 'evaluate' and 'predict' take without further options. Keras' layers go to the \
      network's in order; reading them needs a build with --traits HDF5.
      """)

  @Argument(help: "A file of weights: .pt, .pth, .th, .npz, .safetensors or .h5.")
  var file: String
  @OptionGroup var networkOptions: NetworkOptions
  @Option(help: "The images that it is for: \(DataSource.forms); their classes and sizes are saved with the weights.")
  var data: DataSource?
  @Option(help: "The number of classes where --data is not given, at least 1.")
  var classes = 10
  @OptionGroup var normalization: NormalizationOptions
  @Option(help: "The epsilon of the batch norms of a Keras file, at least 0: the file does not say it.")
  var kerasEpsilon: Float = 1e-3
  @Option(help: "The safetensors file to write.")
  var out: String?

  func validate() throws {
    guard out == nil || data != nil else { throw ValidationError("--out needs --data, for the classes' names") }
    guard kerasEpsilon >= 0 else {
      throw ValidationError("--keras-epsilon is \(kerasEpsilon), it must not be negative")
    }
    guard classes > 0 else { throw ValidationError("--classes is \(classes), it must be at least 1") }
  }

  func run() throws {
    let choice = networkOptions.choiceOrDefault
    let images = try data?.load()
    var generator = SplittableGenerator(seed: 0)
    let network = try choice.make(
      classes: images?.classNames.count ?? classes, inputShape: images?.imageShape ?? [32, 32, 3], using: &generator)
    let url = fileURL(file)
    let isKeras = KerasFile.recognizes(url)
    let state =
      try isKeras
      ? KerasFile.state(from: url, for: network, epsilon: Scalar(kerasEpsilon)) : loadNamedState(from: url)
    let fit = StateFit(of: state, to: network)

    print("\(fit.matched.count) of \(network.stateDictionary.count) tensors of \(choice) matched.")
    if let first = fit.renamed.first {
      print("\(fit.renamed.count) renamed, such as \(first.from) to \(first.to).")
    }
    for problem in fit.problems { print(problem.prefix(1).uppercased() + problem.dropFirst()) }
    guard fit.isExact else { throw ExperimentError("\(file): the weights do not fit \(choice)") }
    guard let out, let images else { return }
    try network.load(state.withPlainNames)
    let normalization = try self.normalization.value() ?? .computed(from: images.training)
    try SavedClassifier(
      model: choice, imageShape: images.imageShape, classNames: images.classNames, normalization: normalization,
      origin: isKeras ? nil : OriginalNames(of: state)
    ).save(network, to: fileURL(out))
    print("Written to \(out).")
  }
}
