import ArgumentParser
import Reports

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains the Generalized Converting Autoencoder (stage S6).",
    discussion: """
        encodenet convert --data digits --out out/digits

      Runs the earlier stages first where the folder lacks them, and trains the judge of converted images ("judge": "none" in \
      the file of --config leaves it out).
      """)

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      print(try converted([("", run.conversion())], by: run))
    }
  }
}

/// A table of the conversion of the validation images, or of the images trained on where there are none.
func converted(
  _ stages: [(arm: String, stage: ConversionStage)], by run: ExperimentRun
) throws -> String {
  var rows: [[String]] = []
  for (arm, conversion) in zip(stages.map(\.arm), try run.conversionOutcomes(stages.map(\.stage))) {
    guard let conversion, let outcome = conversion.unseen else { continue }
    for (name, halves) in [("baseline", outcome.byBaseline)] + (outcome.byJudge.map { [("judge", $0)] } ?? []) {
      rows.append([
        arm, fixed(conversion.r2, 3), outcome.images.rawValue, percent(outcome.nearestIsOfClass), name,
        "\(percent(halves.all.accuracyBefore)) → \(percent(halves.all.accuracyAfter))",
        "\(fixed(halves.all.entropyBefore, 3)) → \(fixed(halves.all.entropyAfter, 3))",
        "\(percent(halves.hard.accuracyBefore)) of them right; \(percent(halves.hard.loweredAndRight)) : \(percent(halves.hard.loweredAndWrong))",
      ])
    }
  }
  return aligned(
    [
      "arm", "R²", "images", "nearest is of class", "seen by", "recognised", "entropy",
      "hard half: lowered and right : wrong",
    ], rows)
}
