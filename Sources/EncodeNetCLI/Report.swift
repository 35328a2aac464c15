import ArgumentParser
import Reports

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Regenerates the report of a run, or compares the reports of several.",
    discussion: """
        encodenet report out/digits

      Needs no images: everything is in the folder of the run.
      """)

  @Argument(help: "Folders of runs: what --out was.")
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
