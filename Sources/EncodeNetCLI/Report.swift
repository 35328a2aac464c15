import ArgumentParser
import Reports

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the report of a run anew, or compare the reports of several.",
    discussion: "Needs no images: everything is in the folder of the run.")

  @Argument(help: "Folders of runs, as --out gave them.")
  var folders: [String]

  func run() throws {
    let reports = try folders.map { try ExperimentReport.rebuilt(in: fileURL($0)) }
    if reports.count == 1 {
      print(reports[0].text)
      print("\nThe report is in \(folders[0])/report.html.")
    } else {
      print(ExperimentReport.compared(zip(folders, reports).map { ($0, $1) }))
    }
  }
}
