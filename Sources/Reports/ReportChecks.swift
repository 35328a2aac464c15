extension ExperimentReport {
  /// Checks that everything the pages point to is there: a report may have been edited, or be from elsewhere.
  ///
  /// - Throws: What is wrong, and where.
  func check() throws(ExperimentError) {
    func check(_ isRight: Bool, _ place: String, _ problem: @autoclosure () -> String) throws(ExperimentError) {
      guard isRight else { throw ExperimentError("\(place) \(problem())") }
    }
    let (classes, most) = (classNames.count, largestPlausibleCount)
    let counts = [run.training, run.validation, run.audit, run.test, run.leaked]
    try check(counts.allSatisfy { (0...most).contains($0) }, "run", "has \(counts) images")
    try check(!arms.isEmpty, "arms", "are none")
    for (index, arm) in arms.enumerated() {
      let place = "arms[\(index)]"
      try check(!arm.id.isEmpty && !arm.name.isEmpty, place, "has no name")
      try check(
        arm.accuracies.count == seeds.count, place, "has \(arm.accuracies.count) accuracies for \(seeds.count) seeds")
      try check(arm.quarters.count == 4, place, "has \(arm.quarters.count) quarters")
      try check(
        arm.confusion.isSquare(classes, upTo: most), place, "has a confusion that is not of \(classes) classes")
      try check(arm.budget.total >= 0, place, "has a budget of \(arm.budget.total)")
      try check(arm.inference.isPossible, place, "has an impossible inference")
    }
    for (index, one) in comparisons.enumerated() {
      let (place, d) = ("comparisons[\(index)]", one.differences)
      try check(arm(one.first) != nil && arm(one.second) != nil, place, "is of '\(one.first)' and '\(one.second)'")
      try check(
        (d.tInterval?.count ?? 2) == 2 && (d.bootstrapInterval?.count ?? 2) == 2, place, "has an interval without ends")
      try check(
        one.classDifferences.count == classes, place,
        "has \(one.classDifferences.count) differences for \(classes) classes")
      try check(
        one.mcNemar.allSatisfy { [$0.onlyFirst, $0.onlySecond, $0.count].allSatisfy((0...most).contains) }, place,
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
