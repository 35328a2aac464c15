import ArgumentParser
import Reports

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares EncodeNet with other ways of spending the same budget, over several seeds.",
    discussion: """
        encodenet compare --preset quick --out out/quick

      Takes an experiment from a JSON file or a preset. The same command resumes a run that was stopped or killed, at the step \
      that was saved last; progress.html in the folder of the results shows its progress. The presets are

      \(ExperimentConfiguration.presets.map { "\($0.name): \($0.what)." }.joined(separator: "\n"))
      """)

  @Argument(help: "A JSON file of settings, such as the configuration.json of a run; any may be left out.")
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
