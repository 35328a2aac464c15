extension ExperimentRun {
  /// The images that nothing trains on or chooses by, nil where there are none.
  var auditSet: Batches? { audit.isEmpty ? nil : inOrder(training.subset(audit)) }

  /// A network of another architecture and of other random weights, trained on the same images as the baseline, which sees
  /// converted images and takes part in no loss; nil where there is none.
  ///
  /// A loss that contains the baseline may write patterns that only the baseline reads.
  func judge() throws -> (name: String, model: any SplitClassifier)? {
    guard let choice = try judgeChoice() else { return nil }
    var generator = generator("judge")
    let model = try choice.make(
      classes: training.classCount, inputShape: training.imageShape, using: &generator)
    let rate = choice.learningRate(batchSize: configuration.batchSize)
    let name = choice.widthMultiplier == 1 ? choice.name : "\(choice.name) of width \(choice.widthMultiplier)"
    if let known = found.judge { return (name, known) }
    _ = try train(
      "judge", model, TrainingRecipe(), epochs: configuration.epochs, rate: rate, isFirst: true, order: "judge's order",
      key: stageKey(dataKey, "judge", choice))
    found.judge = model
    return (name, model)
  }

  /// Which network judges: that of the configuration, by default a VGG16 for a ResNet, of grey images a LeNet5,
  /// and a ResNet for all others; nil
  /// for none, and for images of a size that no network of the library takes.
  func judgeChoice() throws -> ModelChoice? {
    guard configuration.judge != "none" else { return nil }
    let model = configuration.modelChoice.name
    guard configuration.judge == "automatic" else {
      let choice = ModelChoice(configuration.judge)
      guard makeModel != nil || choice.family != configuration.modelChoice.family else {
        throw EncodeNetError(
          "the judge '\(configuration.judge)' is of the kind of the baseline, \(model): name another network, automatic or none"
        )
      }
      try choice.check(inputShape: training.imageShape)
      return choice
    }
    let sides = [training.imageShape[0], training.imageShape[1]]
    guard sides.allSatisfy((8...224).contains) else { return nil }
    // Of about the baseline's size, so that judging costs no more than what is judged.
    if makeModel != nil { return ModelChoice("resnet8") }
    return switch configuration.modelChoice.family {
    // Of a few hundred grey images a VGG16 learns little, and then judges nothing.
    case "resnet" where training.imageShape[2] == 1: ModelChoice("lenet5")
    case "resnet": ModelChoice("vgg16", widthMultiplier: 0.25)
    case "vgg16", "alexnet": ModelChoice("resnet20")
    default: ModelChoice("resnet8")
    }
  }
}
