import Layers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Tells whether a classifier learns: from the reports of its epochs while it is trained, and from an evaluation afterwards.
///
/// ```swift
/// let check = LearningCheck(labels: images.labels)
/// for epoch in fit {
///   if let problem = check.problem(after: epoch) { print(problem) }
/// }
/// ```
/// A classifier that has learnt nothing says for every image how frequent each class is: its cross-entropy is the entropy of
/// those frequencies, and it is right as often as the largest class is found. Losses are compared with that entropy, so
/// they must be plain cross-entropies: of mixed images or smoothed labels they are larger.
public struct LearningCheck: Sendable {
  /// The entropy of the classes' frequencies, in nats.
  public let entropy: Double
  /// The share of the largest class.
  public let largest: Double

  /// A check for a classifier that is trained on images with these labels.
  public init(labels: [Int]) {
    let counts = labels.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }.values.sorted()
    let shares = counts.map { Double($0) / Double(max(labels.count, 1)) }
    entropy = -shares.reduce(0) { $0 + $1 * log($1) }
    largest = shares.last ?? 1
  }

  /// Steps that any network needs before its loss tells anything.
  private static let fewestSteps = 100

  /// Says where the loss of the second epoch, or the first later one after 100 steps, is no better than the entropy of the classes'
  /// frequencies; nil where it is better, and after all other epochs.
  public func problem(after report: EpochReport) -> String? {
    let stepsBefore = report.step * report.epoch / (report.epoch + 1)
    guard report.epoch >= 1, report.step >= Self.fewestSteps,
      report.epoch == 1 || stepsBefore < Self.fewestSteps, report.stopped == nil, report.loss >= entropy
    else { return nil }
    return
      "after \(report.epoch + 1) epochs the loss is \(rounded(report.loss)), no better than \(rounded(entropy)), that of "
      + "a network that knows only how frequent each class is"
  }

  /// Says where a finished run has learnt nothing; nil where the classifier has learnt.
  ///
  /// - Parameters:
  ///   - evaluation: Of the classifier as it is now, on images that it was trained on.
  ///   - images: Some of those images, as the model takes them: where it has not learnt, they tell whether its ReLUs are dead.
  public func problem(
    with evaluation: Evaluation.Summary, of model: any Layer, on images: Tensor? = nil
  ) -> String? {
    guard largest < 1, let accuracy = evaluation.top1 else { return nil }
    // A guess is by chance a little better than the largest class. Where that has nearly all images, a network may have learnt
    // much and be right no more often: then its loss is lower.
    let margin = min(2 * (largest * (1 - largest) / Double(max(evaluation.count, 1))).squareRoot(), (1 - largest) / 10)
    guard accuracy <= largest + margin, !(evaluation.loss < 0.9 * entropy) else { return nil }
    var found =
      "it is right on \(percent(accuracy)) of the training images, and the largest class has \(percent(largest)) of them; its "
      + "loss is \(rounded(evaluation.loss)), and that of a network that knows only how frequent each class is \(rounded(entropy))"
    if let images, let dead = LayerTrace.deadShare(of: model, on: images), dead > 0.5 {
      found += "; \(percent(dead)) of the channels of its ReLUs are 0 for all of \(images.shape[0]) images"
    }
    return found
  }

  private func rounded(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }
  private func percent(_ share: Double) -> String { "\((share * 1e4).rounded() / 100) %" }
}
