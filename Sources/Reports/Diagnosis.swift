extension ExperimentReport {
  func diagnosed() -> [String] {
    let diagnostics = seeds.compactMap(\.diagnostics)
    return dataWords + arms.compactMap(chanceWords)
      + (diagnostics.isEmpty ? [] : clusterWords(diagnostics) + conversionWords(diagnostics)) + gainWords + seedWords
  }

  /// The images, and a baseline that was given.
  private var dataWords: [String] {
    var words: [String] = []
    if run.leaked > 0 {
      words.append(
        "\(run.leaked) of the images trained on are also test images, byte for byte: every accuracy here is too high")
    }
    guard let given = configuration.baseline else { return words }
    words.append(
      "the baseline was given (\(given.displayName)): what its training cost is not known, and the budget counts what "
        + "came after it")
    words.append(
      given.isTrainedOnAll
        ? "the baseline was trained on all images: no figure on validation or audit images is held out, and nothing is chosen "
          + "by them"
        : "whether the baseline was trained on the validation and audit images of this run is not known: where it was, "
          + "figures on them are not held out")
    return words
  }

  /// An arm that is right no more often than the largest class.
  private func chanceWords(_ arm: Arm) -> String? {
    let totals = arm.confusion.indices.map { arm.confusion.total(of: $0) }
    let share = Double(totals.max() ?? 0) / Double(max(totals.reduce(0, +), 1))
    guard arm.mean <= share, arm.confusion.count > 1 else { return nil }
    return
      "\(arm.id) has not learnt: it is right on \(percent(arm.mean, 1)) of the test images, the largest class has "
      + "\(percent(share, 1))"
  }

  private func clusterWords(_ diagnostics: [SeedDiagnostics]) -> [String] {
    var words: [String] = []
    let all = diagnostics.flatMap(\.clusters)
    let silhouette = all.mean(of: \.silhouette)
    let single = all.count { $0.sizes.count == 1 }
    if single == all.count {
      words.append("no structure was found inside any class: every class has one cluster, and clustering does nothing")
    } else if silhouette < 0.1 {
      words.append(
        "silhouette \(fixed(silhouette, 2)): hardly any structure inside the classes, one cluster a class may be as good"
      )
    }
    let stability = all.mean(of: \.stability)
    if single < all.count, stability < 0.5 {
      words.append(
        "the clusters are not stable: another initialisation agrees with them by \(fixed(stability, 2)) of 1")
    }
    let saturation = diagnostics.mean(of: \.baseline.saturation)
    if saturation > 0.5, configuration.selection.selector == .minimumEntropy {
      words.append(
        "the baseline has saturated on \(percent(saturation, 0)) of the training images: rounding "
          + "decides which entropy is least, try --selector lowEntropyMedoid or a temperature above 1")
    }
    let wrong = diagnostics.flatMap(\.representatives).count { !$0.isCorrect }
    if let first = diagnostics.first {
      let sizes = first.clusters.map(\.sizes)
      let notice = configuration.clustering.notice(
        ofImages: sizes.map { $0.reduce(0, +) }, clusters: sizes.map(\.count))
      if let notice { words.append(notice) }
    }
    if wrong > 0 { words.append("the baseline itself gets \(wrong) of the representatives wrong") }
    return words
  }

  private func conversionWords(_ diagnostics: [SeedDiagnostics]) -> [String] {
    var words: [String] = []
    let shown = diagnostics.compactMap { $0.conversions.first }
    func average(of images: SeedDiagnostics.Images, _ value: (SeedDiagnostics.Converted) -> Double) -> Double? {
      let outcomes = shown.compactMap { $0.outcome(on: images) }
      guard !outcomes.isEmpty, outcomes.count == shown.count else { return nil }
      return outcomes.mean { value($0.byBaseline.all) }
    }
    if let before = average(of: .training, \.entropyBefore), let after = average(of: .training, \.entropyAfter),
      after > before
    {
      words.append(
        "converted images are less clear to the baseline than the images were (\(fixed(after, 3)) against "
          + "\(fixed(before, 3)) nats)")
    }
    if let known = average(of: .training, \.accuracyBefore), let recognised = average(of: .training, \.accuracyAfter) {
      if recognised < known / 2 {
        words.append(
          "conversion blurs the classes: the baseline recognises \(percent(recognised, 1)) of the converted images, of the "
            + "images themselves \(percent(known, 1))")
      }
      let unseen = average(of: .audit, \.accuracyAfter) ?? average(of: .validation, \.accuracyAfter)
      let plain = average(of: .audit, \.accuracyBefore) ?? average(of: .validation, \.accuracyBefore)
      // What the baseline itself loses on images it has not seen is not the conversion's.
      if let unseen, let plain, (recognised - unseen) - (known - plain) > 0.05 {
        words.append(
          "conversion is overfitted: converted images are recognised \(fixed(100 * (recognised - unseen), 1)) points less often "
            + "where they were not trained on, the images themselves \(fixed(100 * (known - plain), 1))")
      }
    }
    if let gap = judgeGap(diagnostics), gap > 0.1 {
      words.append(
        "the baseline recognises more in converted images than the judge does, by \(fixed(100 * gap, 1)) points beside the images "
          + "themselves: part of it is noise that only the baseline reads")
    }
    let r2 = shown.mean(of: \.r2)
    if r2 < 0.1 { words.append("the autoencoder is hardly better than one image for all (R² \(fixed(r2, 2)))") }
    return words
  }

  /// The gain of accuracy by conversion to the baseline, less that to the judge; nil without a judge.
  private func judgeGap(_ diagnostics: [SeedDiagnostics]) -> Double? {
    let outcomes = diagnostics.compactMap { $0.conversions.first?.unseen }
    func gain(_ halves: SeedDiagnostics.Halves) -> Double { halves.all.accuracyAfter - halves.all.accuracyBefore }
    let gaps = outcomes.compactMap { outcome in outcome.byJudge.map { gain(outcome.byBaseline) - gain($0) } }
    return gaps.isEmpty || gaps.count < outcomes.count ? nil : gaps.mean { $0 }
  }

  private var gainWords: [String] {
    var words: [String] = []
    func difference(_ first: ArmSettings, _ second: ArmSettings) -> Comparison? {
      guard let first = id(of: first), let second = id(of: second) else { return nil }
      return comparisons.first { $0.first == first && $0.second == second && $0.family != .attribution }
    }
    if let plain = difference(.encodeNet, .baseline), let continued = difference(.encodeNet, .continued),
      plain.differences.mean > 0
    {
      words.append(
        continued.differences.mean <= 0
          ? "the gain over the baseline is explained by extra training: continued training gained as much"
          : "of the gain of \(signed(100 * plain.differences.mean)) points over the baseline, "
            + "\(signed(100 * continued.differences.mean)) are left beside continued training")
    }
    if let best = arms.max(by: { $0.mean < $1.mean }), arms.count > 1 {
      words.append("the highest mean is that of \(best.id), \(best.name): \(percent(best.mean, 2))")
    }
    return words
  }

  private var seedWords: [String] {
    var words = arms.filter { $0.isUnequal && $0.id != baseline?.id }.map {
      "\($0.id) cost \(fixed($0.budget.total, 2)) epochs and not \(fixed(run.budget, 2)): its budget is unequal"
    }
    if seeds.count == 1 {
      words.append("one seed shows nothing of how a difference varies over seeds: every verdict is inconclusive")
    } else if seeds.count < 5 {
      words.append(
        "with \(seeds.count) seeds only differences that are large beside their spread can be significant")
    }
    return words
  }
}
