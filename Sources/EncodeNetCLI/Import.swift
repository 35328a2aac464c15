import ArgumentParser
import Foundation
import Reports

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fits the weights of a PyTorch, NumPy, safetensors or Keras file to a network.",
    discussion: """
        encodenet import resnet20.pth --model resnet20

      Prints the maps of tensors in the file and which of them was taken, which names match, which are renamed, and which are \
      missing or left over. Where all fit and --out is given, writes the weights as safetensors, which 'evaluate' and 'predict' take without further options. Keras' layers go to the \
      network's in order; reading them needs a build with --traits HDF5.
      """)

  @Argument(help: "A file of weights: .pt, .pth, .th, .npz, .safetensors or .h5.")
  var file: String
  @OptionGroup var weightsOptions: WeightsOptions
  @OptionGroup var networkOptions: NetworkOptions
  @Option(
    help: "The images that it is for: \(DataSource.forms); their classes and sizes are saved with the weights.",
    transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var normalization: NormalizationOptions
  @Option(help: "The epsilon of the batch norms of a Keras file, at least 0: the file does not say it.")
  var kerasEpsilon: Float = 1e-3
  @Option(help: "The safetensors file to write.")
  var out: String?

  func validate() throws {
    guard out == nil || data != nil || dataOptions.list != nil else {
      throw ValidationError("--out needs --data, for the classes' names")
    }
    // Under another ending, other programs would take it for something else; and it may be the file itself.
    guard out?.hasSuffix(".safetensors") ?? true else {
      throw ValidationError("--out \(out ?? ""): the file must end in .safetensors")
    }
    guard kerasEpsilon >= 0 else {
      throw ValidationError("--keras-epsilon is \(kerasEpsilon), it must not be negative")
    }
  }

  func run() throws {
    let choice = networkOptions.choiceOrDefault
    let images = try dataOptions.source(data).map { try dataOptions.load($0, for: choice) }
    if let images { warn(of: images) }
    let shape = images?.imageShape ?? [32, 32, 3]
    let url = fileURL(file)
    if KerasFile.recognizes(url) {
      guard weightsOptions.map == nil, weightsOptions.rename.isEmpty else {
        throw ExperimentError(
          "\(file): Keras' layers are taken in their order: --map and --rename change nothing there")
      }
      let model = try network(choice, images, shape)
      let state = try KerasFile.state(from: url, for: model, epsilon: Scalar(kerasEpsilon))
      try finish(StateFit(of: state, to: model), state, model, choice, images, shape, origin: nil)
      return
    }
    let weights = try WeightsFile(contentsOf: url)
    if weights.maps.count > 1 || weights.maps[0].path != "" {
      print("Maps of tensors in it: \(weights.listing.joined(separator: "; ")).")
    }
    let renamings = try weightsOptions.renamings
    // Networks that were trained in colour take grey images repeated.
    let shapes = shape[2] == 1 ? [shape, [shape[0], shape[1], 3]] : [shape]
    let attempts = try shapes.map { shape in
      let model = try network(choice, images, shape)
      return (shape, model, try weights.fitted(to: model, at: weightsOptions.map, renaming: renamings))
    }
    let (taken, model, found) = attempts.first { $0.2.fit.isComplete } ?? attempts[0]
    for note in found.notes { print(note.prefix(1).uppercased() + note.dropFirst() + ".") }
    if taken != shape { print("Grey images are repeated to three channels.") }
    let tensors = try found.map.tensors()
    let state = found.fit.state(from: tensors)
    try finish(found.fit, state, model, choice, images, taken, origin: OriginalNames(of: found, tensors))
  }

  private func network(_ choice: ModelChoice, _ images: DatasetSplit?, _ shape: Shape) throws -> ChosenModel {
    var generator = SplittableGenerator(seed: 0)
    return try choice.make(
      classes: images?.classNames.count ?? dataOptions.classes ?? 10, inputShape: shape, using: &generator)
  }

  /// Prints the fit; writes `state` where it is exact and a file is wanted.
  private func finish(
    _ fit: StateFit, _ state: StateDictionary, _ network: ChosenModel, _ choice: ModelChoice, _ images: DatasetSplit?,
    _ shape: Shape, origin: OriginalNames?
  ) throws {
    let count = fit.matched.count + fit.missing.count + fit.misshapen.count
    print("\(fit.matched.count) of \(count) tensors of \(choice) matched.")
    if let first = fit.renamed.first {
      print("\(fit.renamed.count) renamed, such as \(first.from.escaped()) to \(first.to).")
    }
    for problem in fit.isComplete ? [] : fit.problems { print(problem.prefix(1).uppercased() + problem.dropFirst()) }
    guard fit.isComplete else {
      throw ExperimentError(
        "\(file): the weights do not fit \(choice): try another --model, --width, --shortcut or --classes, or --rename "
          + "OLD=NEW where only names differ")
    }
    try state.requireUnquantized(in: file)
    try state.requireFinite(in: file)
    guard let out, let images else { return }
    try network.load(state)
    let names = weightsOptions.names ?? images.classNames
    guard names.count == images.classNames.count else {
      throw ExperimentError(
        "--class-names has \(names.count) names, \(images.name) has \(images.classNames.count) classes")
    }
    print("Its outputs are taken for the classes \(listed(names, 10)), in this order.")
    let normalization = try self.normalization.value() ?? .computed(from: images.training.withChannels(shape[2]))
    try SavedClassifier(
      model: choice, imageShape: shape, classNames: names, normalization: normalization, origin: origin,
      preparation: images.preparation
    ).save(network, to: fileURL(out))
    print("Written to \(out).")
  }
}
