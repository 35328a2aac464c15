import ArgumentParser
import Reports

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare EncodeNet with other ways of spending the same budget, over several seeds.",
    discussion: """
      Takes an experiment from a JSON file or a preset. A run that was stopped or killed goes on at the step it had saved, with \
      the same command; progress.html in the folder of the results shows where it is.

      \(ExperimentConfiguration.presets.map { "\($0.name): \($0.what)." }.joined(separator: "\n"))
      """)

  @Argument(help: "A JSON file of settings, as a run writes it in configuration.json; any may be left out.")
  var experiment: String?
  @OptionGroup var options: ExperimentOptions

  func validate() throws {
    guard experiment == nil || options.config == nil else {
      throw ValidationError("the experiment is given twice: as a file and by --config")
    }
  }

  func run() throws {
    var options = options
    options.config = experiment ?? options.config
    try options.compare()
  }
}
