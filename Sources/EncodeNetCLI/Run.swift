import ArgumentParser
import Reports

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the whole experiment, and compares EncodeNet with its baseline.",
    discussion: """
        encodenet run --data digits --out out/digits

      Trains a baseline (A0), clusters each class, chooses representatives, trains the converting autoencoder, transfers its \
      encoder (A3, A4), trains controls with the same budget (A1, A2), and writes report.html, report.md and report.json. \
      A step that the folder already has is not done again; a run that was stopped resumes.
      """)

  @OptionGroup var options: ExperimentOptions

  func run() throws { try options.compare() }
}
