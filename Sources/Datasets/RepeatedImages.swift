extension DatasetSplit {
  /// What images that come more than once mean for figures on this set, a line each.
  func repetitions() throws(DataError) -> [String] {
    let (training, test) = (try training.hashes(), try self.test.hashes())
    let known = Set(training)
    let (seen, contradicting) = (test.count { known.contains($0) }, contradictions(training + test))
    var lines: [String] = []
    if seen > 0 {
      lines.append(
        "\(seen) of \(test.count) test images are training images as well: figures on them say little of new images")
    }
    if contradicting > 0 {
      lines.append("\(contradicting) images are in more than one class, and no classifier gets all of these right")
    }
    return lines
  }

  /// The number of images of which another class has the same one.
  private func contradictions(_ fingerprints: [UInt64]) -> Int {
    let labels = training.labels + test.labels
    var classes: [UInt64: Set<Int>] = [:]
    for (fingerprint, label) in zip(fingerprints, labels) { classes[fingerprint, default: []].insert(label) }
    return fingerprints.count { classes[$0]!.count > 1 }
  }
}
