extension ExperimentRun {
  /// The images that nothing trains on or chooses by, nil where there are none.
  var auditSet: Batches? { audit.isEmpty ? nil : inOrder(training.subset(audit)) }

  /// A network of another architecture and of other random weights, trained on the same images as the baseline, which sees
  /// converted images and takes part in no loss; nil where there is none.
  ///
  /// What only the baseline can read, a loss that the baseline is part of may have written for it.
  func judge() throws -> (name: String, model: any SplitClassifier)? {
    guard let choice = try judgeChoice() else { return nil }
    var generator = generator("judge")
    let model = try choice.make(
      classes: training.classCount, inputShape: training.imageShape, using: &generator)
    // VGG16 does not learn at the rate of a ResNet.
    let rate = min(configuration.learningRate, choice.name.hasPrefix("resnet") ? 0.1 : 0.05)
    let name = choice.widthMultiplier == 1 ? choice.name : "\(choice.name) of width \(choice.widthMultiplier)"
    if let known = found.judge { return (name, known) }
    _ = try train(
      "judge", model, TrainingRecipe(), epochs: configuration.epochs, rate: rate, isFirst: true, order: "judge's order",
      key: stageKey(dataKey, "judge", choice))
    found.judge = model
    return (name, model)
  }

  /// Which network judges: that of the configuration, by default a VGG16 for a ResNet, and a ResNet for all others.
  func judgeChoice() throws -> ModelChoice? {
    let choice: ModelChoice
    switch configuration.judge {
    case "none": return nil
    case "automatic":
      // Of about the baseline's size, so that judging costs no more than what is judged.
      choice =
        makeModel != nil
        ? ModelChoice("resnet8")
        : configuration.model.hasPrefix("resnet")
          ? ModelChoice("vgg16", widthMultiplier: 0.25)
          : ModelChoice(["vgg16", "alexnet"].contains(configuration.model) ? "resnet20" : "resnet8")
      // Images too small for any network of the library go unjudged.
      guard min(training.imageShape[0], training.imageShape[1]) >= 8 else { return nil }
    case let name: choice = ModelChoice(name)
    }
    try choice.check(inputShape: training.imageShape)
    return choice
  }
}
