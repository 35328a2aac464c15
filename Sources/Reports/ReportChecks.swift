extension ExperimentReport {
  /// Checks that everything the pages point to is there: a report may have been edited, or be from elsewhere.
  ///
  /// - Throws: What is wrong, and where.
  func check() throws(ExperimentError) {
    func check(_ isRight: Bool, _ place: String, _ problem: @autoclosure () -> String) throws(ExperimentError) {
      guard isRight else { throw ExperimentError("\(place) \(problem())") }
    }
    let (classes, largest) = (classNames.count, largestPlausibleCount)
    let counts = [run.training, run.validation, run.audit, run.test, run.leaked]
    try check(counts.allSatisfy { (0...largest).contains($0) }, "run", "has \(counts) images")
    try check(!arms.isEmpty, "arms", "are none")
    for (index, arm) in arms.enumerated() {
      let place = "arms[\(index)]"
      try check(!arm.id.isEmpty && !arm.name.isEmpty, place, "has no name")
      try check(
        arm.accuracies.count == seeds.count, place, "has \(arm.accuracies.count) accuracies for \(seeds.count) seeds")
      try check(arm.quartiles.count == 4, place, "has \(arm.quartiles.count) quartiles")
      try check(
        arm.confusion.isSquare(classes, upTo: largest / max(classes, 1)), place,
        "has a confusion that is not of \(classes) classes")
      try check(arm.budget.total >= 0, place, "has a budget of \(arm.budget.total)")
      try check(arm.inference.isPossible, place, "has an impossible inference")
    }
    for (index, comparison) in comparisons.enumerated() {
      let (place, d) = ("comparisons[\(index)]", comparison.differences)
      try check(
        arm(comparison.first) != nil && arm(comparison.second) != nil, place,
        "is of '\(comparison.first)' and '\(comparison.second)'")
      try check(
        (d.tInterval?.count ?? 2) == 2 && (d.bootstrapInterval?.count ?? 2) == 2, place, "has an interval without ends")
      try check(
        comparison.classDifferences.count == classes, place,
        "has \(comparison.classDifferences.count) differences for \(classes) classes")
      try check(
        comparison.mcNemar.allSatisfy { [$0.onlyFirst, $0.onlySecond, $0.count].allSatisfy((0...largest).contains) },
        place,
        "counts impossible images")
    }
    let features = seeds.compactMap { $0.diagnostics?.features.count }
    try check(Set(features).count <= 1, "seeds", "have \(features) networks whose features were tried")
    let converted = seeds.compactMap { $0.diagnostics?.conversions.map(\.arms) }
    try check(Set(converted).count <= 1, "seeds", "have conversions of different arms: \(converted)")
    for (index, seed) in seeds.enumerated() {
      try check(
        seed.diagnostics?.fits(classes: classes) ?? true, "seeds[\(index)].diagnostics", "points to what is not there")
    }
  }
}
