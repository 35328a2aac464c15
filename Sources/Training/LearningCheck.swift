import Layers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Tells whether a classifier learns: from the reports of its epochs, and from its ReLUs.
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
  private let count: Int

  /// A check for a classifier that is trained on images with these labels.
  public init(labels: [Int]) {
    let counts = labels.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }.values.sorted()
    count = labels.count
    let shares = counts.map { Double($0) / Double(max(labels.count, 1)) }
    entropy = -shares.reduce(0) { $0 + $1 * log($1) }
    largest = shares.last ?? 1
  }

  /// Steps that any network needs before its loss tells anything.
  private static let fewestSteps = 100

  /// What the second epoch shows, or the first later one after 100 steps: a loss no better than the entropy of the classes'
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

  /// What a finished run shows; nil where the classifier has learnt.
  ///
  /// - Parameters:
  ///   - reports: Those of all its epochs.
  ///   - images: Some of the images trained on, as the model takes them: where it has not learnt, they tell whether its ReLUs
  ///     are dead.
  public func problem(
    afterAll reports: [EpochReport], of model: any Layer, on images: Tensor? = nil
  ) -> String? {
    guard let last = reports.last, largest < 1 else { return nil }
    // A guess is by chance a little better than the largest class.
    let margin = min(2 * (largest * (1 - largest) / Double(max(count, 1))).squareRoot(), 0.01)
    var found: [String] = []
    if last.loss >= entropy {
      found.append(
        "its loss is \(rounded(last.loss)), and that of a network that knows only how frequent each class is \(rounded(entropy))"
      )
    }
    if let accuracy = last.accuracy, accuracy <= largest + margin {
      found.append(
        "it is right on \(percent(accuracy)) of the training images, and the largest class has \(percent(largest)) of them"
      )
    } else if let validation = last.validation, let top1 = validation.top1, top1 <= largest {
      found.append(
        "it is right on \(percent(top1)) of \(validation.count) validation images, and the largest class has \(percent(largest))"
      )
    }
    if !found.isEmpty, let images, let dead = LayerTrace.deadShare(of: model, on: images), dead > 0.5 {
      found.append("\(percent(dead)) of the channels of its ReLUs are 0 for all of \(images.shape[0]) images")
    }
    return found.isEmpty ? nil : found.joined(separator: "; ")
  }

  private func rounded(_ value: Double) -> String { "\((value * 1e4).rounded() / 1e4)" }
  private func percent(_ share: Double) -> String { "\((share * 1e4).rounded() / 100) %" }
}
