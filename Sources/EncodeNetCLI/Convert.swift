import ArgumentParser
import Reports

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train the Generalized Converting Autoencoder (stage S6).",
    discussion:
      "Does the stages before it first where the folder has them not, and trains the judge of converted images (\"judge\": \"none\" in --config goes without)."
  )

  @OptionGroup var options: ExperimentOptions

  func run() throws {
    try options.withStages { run in
      print(try converted([("", run.conversion())], by: run))
    }
  }
}

/// A table of what became of the images kept for validation, and of those trained on where none are kept.
func converted(
  _ stages: [(arm: String, stage: ConversionStage)], by run: ExperimentRun
) throws -> String {
  var rows: [[String]] = []
  for (arm, stage) in stages {
    guard let conversion = try run.conversionOutcome(stage), let outcome = conversion.unseen
    else {
      continue
    }
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
