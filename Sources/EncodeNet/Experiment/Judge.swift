extension ExperimentRun {
  /// A network of another architecture and of other random weights, trained on the same images as the baseline, which sees
  /// converted images and takes part in no loss; nil where there is none.
  ///
  /// A loss that contains the baseline may write patterns that only the baseline reads.
  func judge() throws -> (name: String, model: any SplitClassifier)? {
    guard let choice = try judgeChoice() else { return nil }
    var generator = run.generator("judge")
    let rate = choice.learningRate(batchSize: configuration.batchSize)
    var training = Train("judge", from: .random, epochs: .count(configuration.epochs), learningRate: rate)
    training.order = "judge's order"
    var state = ExperimentState(
      network: try run.network(choice, using: &generator),
      key: try fingerprint(of: run.key, "judge", choice, training))
    try training.run(&state, in: run)
    let name = choice.widthMultiplier == 1 ? choice.name : "\(choice.name) of width \(choice.widthMultiplier)"
    return (name, state.network)
  }

  /// The network that judges: that of the configuration, by default a VGG16 for a ResNet, of grey images a LeNet5, and a ResNet
  /// for all others; nil for none, and for images of a size that no network of the library takes.
  func judgeChoice() throws -> ModelChoice? {
    guard configuration.judge != "none" else { return nil }
    let (model, shape) = (configuration.modelChoice, run.images.imageShape)
    guard configuration.judge == "automatic" else {
      let choice = ModelChoice(configuration.judge)
      guard run.makeNetwork != nil || choice.family != model.family else {
        throw ExperimentError(
          "the judge '\(configuration.judge)' is of the kind of the baseline, \(model.name): name another network, automatic or none"
        )
      }
      try choice.check(inputShape: shape)
      return choice
    }
    guard [shape[0], shape[1]].allSatisfy((8...224).contains) else { return nil }
    // Of about the baseline's size, so that judging costs no more than what is judged.
    if run.makeNetwork != nil { return ModelChoice("resnet8") }
    return switch model.family {
    // Of a few hundred grey images a VGG16 learns little, and then judges nothing.
    case "resnet" where shape[2] == 1: ModelChoice("lenet5")
    case "resnet": ModelChoice("vgg16", widthMultiplier: 0.25)
    case "vgg16", "alexnet": ModelChoice("resnet20")
    default: ModelChoice("resnet8")
    }
  }
}
