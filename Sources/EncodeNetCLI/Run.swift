import ArgumentParser
import Reports

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the whole experiment and compare EncodeNet with its baseline.",
    discussion: """
      Trains a baseline (A0), clusters each class, chooses representatives, trains the converting autoencoder, transfers its \
      encoder (A3, A4), trains controls with the same budget (A1, A2), and writes report.html, report.md and report.json. \
      What is already in the folder is not done again.
      """)

  @OptionGroup var options: ExperimentOptions

  func run() throws { try options.compare() }
}
