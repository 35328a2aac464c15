extension ExperimentReport {
  /// Explains the columns of the comparisons.
  static let howToRead = """
    A difference is of the same seeds, paired. It counts as improves or worse only if the paired t test over seeds (Holm's p \
    within its table), the bootstrap interval (BCa) over seeds and the test over images all say so; else it is inconclusive. The \
    sign-flip p cannot be below 2 / 2ⁿ for n seeds. McNemar's p is given for each seed.
    """
  static let howBudgetsAreCounted = """
    The budget is in full-backprop-equivalent epochs of the baseline: 1 for an epoch of training, 1/3 for a pass forward, 1 + \
    decoder/encoder for an epoch of the autoencoder; unequal is what differs by more than 2 %. TFLOP count convolutions and \
    matrix products. Time is that of all epochs an arm needs, those that it shares with others among them.
    """

  static let howConversionIsJudged = """
    An image is converted and then looked at by the baseline, and by a judge: a network of another architecture, trained on \
    the same images, that no loss has seen. Audit images are neither trained on nor chosen by. The hard half are the images at \
    or above the median of the baseline's entropy. Lowered is what has less entropy converted than before; nearest is \
    by squared distance of pixels, where it says so of smaller pictures and of some of the images. An arm whose encoder is not trained shows what the decoder can do alone.
    """

  /// This document as Markdown.
  public var markdown: String {
    var parts = [
      "# EncodeNet on \(markdownEscaped(run.data))",
      answers.map { "- **\($0.question) \($0.figure)** \(markdownEscaped($0.words))" }.joined(separator: "\n"),
      markdownEscaped(subject), "## Arms",
      armTable.markdown, Self.howBudgetsAreCounted,
    ]
    if !comparisons.isEmpty {
      parts += ["## Comparisons", comparisonTable(.primary, .alternatives).markdown, Self.howToRead]
    }
    if comparisons.contains(where: { $0.family == .attribution }) {
      parts += ["## What each part is worth", comparisonTable(.attribution).markdown]
    }
    parts += ["## Diagnosis", diagnosis.map { "- \(markdownEscaped($0))" }.joined(separator: "\n")]
    if hasManyClasses {
      parts += ["## Classes", classWords, classQuantiles.markdown]
      parts += extremeClasses.flatMap { ["### \($0.title)", $0.table.markdown] }
      parts += ["### Most confused", confusedPairs.markdown]
    }
    parts += [
      "## Quality",
      "Accuracy on corrupted test images, and on the quartiles of the test images by the first arm's entropy, are shares of right answers.",
      qualityTable.markdown, "## Inference", inferenceTable.markdown,
    ]
    if let first = seeds.first(where: { $0.diagnostics != nil }), let diagnostics = first.diagnostics {
      parts += [
        "## Conversion", Self.howConversionIsJudged, conversionTable.markdown, outcomeTable.markdown,
        "## Clusters of seed \(first.seed)",
      ]
      parts +=
        hasManyClasses
        ? clusterSummary(diagnostics).flatMap { ["### \($0.title)", $0.table.markdown] }
        : [clusterTable(diagnostics).markdown]
    }
    return parts.joined(separator: "\n\n") + "\n"
  }
}

/// `text`, which may have names of classes and files, on one line, without tags and without bars that would divide a table.
func markdownEscaped(_ text: String) -> String {
  var result = ""
  let characters = Array(text.escaped(.max))
  for (index, character) in characters.enumerated() {
    // A tag begins with a letter, a slash or a mark; "<0.001" is none.
    let beginsTag =
      index + 1 < characters.count && (characters[index + 1].isLetter || "/!?".contains(characters[index + 1]))
    switch character {
    case "|": result += "\\|"
    case "<" where beginsTag: result += "&lt;"
    case "&": result += "&amp;"
    default: result.append(character)
    }
  }
  return result
}
