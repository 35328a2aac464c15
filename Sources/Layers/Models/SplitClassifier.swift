/// A classifier in the two parts that EncodeNet works with: feature-extraction layers, then classification layers.
///
/// ```swift
/// final class MyModel: SplitClassifier {
///   let features: any Layer
///   let classifier: any Layer
///   …
/// }
/// ```
/// The features may be a map `[batch, height, width, channels]` or a vector `[batch, channels]`. A model that can be split at
/// more than one layer lists them in ``splits``; see ``StagedClassifier``.
public protocol SplitClassifier: Layer {
  /// The feature-extraction layers, which share their parameters with the model.
  var features: any Layer { get }
  /// The layers that map features to logits.
  var classifier: any Layer { get }
  /// The layers at which the model can be split, from the image to the logits: each is the last feature layer of a split.
  var splits: [String] { get }
  /// The model in two parts, split after the layer `split` of ``splits``.
  func split(at split: String) -> (features: any Layer, classifier: any Layer)
}

extension SplitClassifier {
  public func callAsFunction(_ x: Tensor) -> Tensor { classifier(features(x)) }
  public var splits: [String] { ["features"] }
  public func split(at split: String) -> (features: any Layer, classifier: any Layer) {
    require(splits.contains(split), "split(at:): '\(split)' is not one of \(splits.joined(separator: ", "))")
    return (features, classifier)
  }
}

/// A classifier that is a chain of named layers and can be split after each of them.
///
/// Its parts have the names of the model in their state (`layer1.0.conv1.weight`), so they can load the state of each other.
public protocol StagedClassifier: SplitClassifier {
  /// All layers from image to logits, with their names in the model's state.
  var stages: [(name: String, layer: any Layer)] { get }
  /// The last layer of ``SplitClassifier/features``: by convention the last map before pooling.
  var defaultSplit: String { get }
}

extension StagedClassifier {
  public var parts: [(name: String, part: Any)] { stages.map { ($0.name, $0.layer) } }
  public func callAsFunction(_ x: Tensor) -> Tensor { applied(stages.map(\.layer), to: x) }
  public var features: any Layer { split(at: defaultSplit).features }
  public var classifier: any Layer { split(at: defaultSplit).classifier }
  public var splits: [String] { stages.dropLast().map(\.name) }
  public func split(at split: String) -> (features: any Layer, classifier: any Layer) {
    guard let index = stages.dropLast().firstIndex(where: { $0.name == split }) else {
      require(false, "split(at:): '\(split)' is not one of \(splits.joined(separator: ", "))")
      fatalError()
    }
    return (Sequential(named: Array(stages[...index])), Sequential(named: Array(stages[(index + 1)...])))
  }
}

/// `channels` times `multiplier`, rounded to a multiple of 4 and at least 4.
func scaledChannels(_ channels: Int, by multiplier: Double) -> Int {
  Swift.max(4, Int((Double(channels) * multiplier / 4).rounded()) * 4)
}

func requireImageShape(_ model: String, _ shape: Shape) {
  require(
    shape.rank == 3 && shape[2] > 0 && shape[0] >= 8 && shape[1] >= 8,
    "\(model): input \(shape) is not [height, width, channels] of at least 8 by 8")
}
