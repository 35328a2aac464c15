extension ExperimentReport {
  /// One of the three questions that an experiment is run for, and its answer.
  public struct Answer: Sendable, Equatable {
    /// Whether the answer is the desired one.
    public enum Outcome: String, Sendable { case yes, partly, no, open }
    public var question: String
    public var outcome: Outcome
    /// The figure that says most.
    public var figure: String
    /// An explanation of the figure, and its reference.
    public var words: String
  }

  /// Whether conversion converts, whether it clarifies, and whether it gains; without a conversion the last alone.
  public var answers: [Answer] {
    [convertsAnswer, clarifiesAnswer, gainsAnswer].compactMap { $0 }
  }

  /// The conversion shown first, of every seed: what was looked at, means over seeds.
  private var shown: [(conversion: SeedDiagnostics.Conversion, outcome: SeedDiagnostics.Outcome)] {
    seeds.compactMap { seed in
      guard let first = seed.diagnostics?.conversions.first, let outcome = first.unseen else { return nil }
      return (first, outcome)
    }
  }

  /// The judge where there is one, else the baseline, over all seeds.
  private func seen(_ value: (SeedDiagnostics.Halves) -> Double) -> Double {
    shown.mean { value($0.outcome.byJudge ?? $0.outcome.byBaseline) }
  }
  private var observer: String {
    guard let judge = seeds.compactMap({ $0.diagnostics?.judge }).first, shown.allSatisfy({ $0.outcome.byJudge != nil })
    else { return "the baseline itself" }
    return "an independent judge (\(judge.network))"
  }
  private var place: String {
    switch shown.first?.outcome.images {
    case .audit:
      "\(grouped(shown[0].outcome.byBaseline.all.count)) images that nothing was trained or chosen by"
        + (configuration.baseline.map { $0.isTrainedOnAll ? " here (the given baseline has seen them)" : " here" } ?? "")
    case .validation:
      "the \(grouped(shown[0].outcome.byBaseline.all.count)) validation images"
        + (configuration.baseline?.isTrainedOnAll == true ? " (the given baseline has seen them)" : "")
    case .training, nil: "the images trained on, as no others are left,"
    }
  }

  private var convertsAnswer: Answer? {
    guard let first = shown.first else { return nil }
    let nearest = shown.mean(of: \.outcome.nearestIsOfClass)
    let baseline = shown.mean(of: \.outcome.byBaseline.all.accuracyBefore)
    let (before, after) = (seen(\.all.accuracyBefore), seen(\.all.accuracyAfter))
    // A share of a point for the first, five points for what another network makes of images it never saw the like of.
    let outcome: Answer.Outcome =
      nearest >= baseline - 0.01 && after >= before - 0.05 ? .yes : after >= before / 2 ? .partly : .no
    return Answer(
      question: "Does it convert?", outcome: outcome, figure: percent(nearest, 1),
      words:
        "of \(place) come out nearest to a representative of their class (\(first.conversion.arms[0])); the baseline "
        + "classifies \(percent(baseline, 1)) of them rightly. To \(observer) \(percent(after, 1)) of the converted images "
        + "show their class, of the images as they are \(percent(before, 1))."
        + (before < baseline / 2 ? " A judge of so low an accuracy says little." : ""))
  }

  private var clarifiesAnswer: Answer? {
    guard !shown.isEmpty else { return nil }
    let (before, after) = (seen(\.all.entropyBefore), seen(\.all.entropyAfter))
    let (right, wrong) = (seen(\.hard.loweredAndRight), seen(\.hard.loweredAndWrong))
    let known = shown.mean(of: \.outcome.byBaseline.hard.accuracyBefore)
    // Against what the baseline is right and wrong about on the same images.
    let isAsRight = right * (1 - known) >= 0.9 * known * wrong
    let outcome: Answer.Outcome = after < before ? (isAsRight ? .yes : .partly) : .no
    return Answer(
      question: "Does it clarify?", outcome: outcome, figure: "\(fixed(before, 3)) → \(fixed(after, 3)) nats",
      words:
        "is the mean entropy to \(observer), before and after conversion. Of the harder half of the images it falls "
        + "for \(percent(right, 1)) that are then taken for their class, and for \(percent(wrong, 1)) that are taken for "
        + "another; as they are the baseline is right about \(percent(known, 1)) of that half.")
  }

  /// The best arm beside a network that was given: whether that one stays the best.
  private var againstGiven: String {
    guard run.givenBaseline != nil, let given = baseline else { return "" }
    let others = arms.filter { $0.id != given.id }
    guard let best = others.max(by: { $0.mean < $1.mean }) else { return "" }
    let difference = "\(signed(100 * (best.mean - given.mean))) points to the given network's \(percent(given.mean, 1))"
    return best.mean > given.mean
      ? " The best arm, \(best.id), is \(difference)."
      : " None is better than the given network (the best, \(best.id), is \(difference)): keep it."
  }

  /// Whether two arms' budgets are equal, in a word or two.
  private func budgets(_ first: Arm, _ second: Arm) -> String {
    let (a, b) = (first.budget.total, second.budget.total)
    if abs(a - b) > 0.1 * max(a, b) { return "unequal" }
    return first.isUnequal || second.isUnequal ? "nearly equal" : "equal"
  }

  private var gainsAnswer: Answer {
    guard let primary, let first = arm(primary.first), let second = arm(primary.second) else {
      return Answer(
        question: "Does it gain?", outcome: .open, figure: "–", words: "Nothing was compared: there is one arm.")
    }
    let outcome: Answer.Outcome =
      switch primary.verdict {
      case .improves: .yes
      case .worse: .no
      case .inconclusive: .open
      }
    return Answer(
      question: "Does it gain?", outcome: outcome, figure: "\(signed(100 * primary.differences.mean)) points",
      words:
        "of accuracy on the test images: \(first.name) (\(first.id)) against \(second.name) (\(second.id)) at "
        + "\(budgets(first, second)) budget. Verdict: \(primary.verdict.rawValue)"
        + (primary.differences.values.count == 1 ? ", as always with one seed." : ".") + againstGiven)
  }
}
