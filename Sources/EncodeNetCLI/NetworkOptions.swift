import ArgumentParser
import Reports

/// One of the library's networks, as every command but those of an experiment asks for it.
struct NetworkOptions: ParsableArguments {
  @Option(help: "The network: \(ModelChoice.forms) (default: what the weights say, else resnet20).")
  var model: String?
  @Option(help: "A ResNet's shortcuts: identity (option A) or projection (option B).")
  var shortcut = ResNet.Shortcut.identity
  @Option(help: "Multiplies the network's channels, by 0.05 to 4.")
  var width = 1.0

  /// The network of the options, nil where they have none.
  var choice: ModelChoice? { model.map { ModelChoice($0, shortcut: shortcut, widthMultiplier: width) } }
  /// The network of the options, by default a ResNet20.
  var choiceOrDefault: ModelChoice { choice ?? ModelChoice("resnet20", shortcut: shortcut, widthMultiplier: width) }

  func validate() throws { try validating { try choiceOrDefault.check() } }
}
