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
    var isWritten = true
    let reports = try folders.map { folder in
      try ExperimentReport.rebuilt(in: fileURL(folder)) { problem in
        warn(problem)
        isWritten = false
      }
    }
    if reports.count == 1 {
      print(reports[0].text)
      if isWritten { print("\nThe report is in \(folders[0])/report.html.") }
    } else {
      print(ExperimentReport.compared(zip(folders, reports).map { ($0, $1) }))
    }
  }
}
