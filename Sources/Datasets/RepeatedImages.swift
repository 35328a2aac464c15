extension DatasetSplit {
  /// What images that come more than once mean for figures on this set, a line each.
  func repetitions() throws(DataError) -> [String] {
    let (training, test) = (try training.hashes(), try self.test.hashes())
    let validation = try self.validation?.hashes() ?? []
    let known = Set(training)
    let (seen, contradicting) = (test.count { known.contains($0) }, contradictions(training + validation + test))
    let validated = Set(validation)
    var lines: [String] = []
    if seen > 0 {
      lines.append(
        "\(seen) of \(test.count) test images are training images as well: figures on them say little of new images")
    }
    let chosenBy = validation.count { known.contains($0) }
    if chosenBy > 0 {
      lines.append(
        "\(chosenBy) of \(validation.count) validation images are training images as well: what is chosen by them may not hold for new images"
      )
    }
    let testedAfter = test.count { validated.contains($0) }
    if testedAfter > 0 {
      lines.append(
        "\(testedAfter) of \(test.count) test images are validation images as well, by which settings are chosen")
    }
    if contradicting > 0 {
      lines.append("\(contradicting) images are in more than one class, and no classifier gets all of these right")
    }
    return lines
  }

  /// The number of images of which another class has the same one.
  private func contradictions(_ fingerprints: [UInt64]) -> Int {
    let labels = training.labels + (validation?.labels ?? []) + test.labels
    var (first, contradicting): ([UInt64: Int], Set<UInt64>) = ([:], [])
    for (fingerprint, label) in zip(fingerprints, labels) {
      if let known = first[fingerprint] {
        if known != label { contradicting.insert(fingerprint) }
      } else {
        first[fingerprint] = label
      }
    }
    return fingerprints.count { contradicting.contains($0) }
  }
}
