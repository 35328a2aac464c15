import Foundation
import TestSupport
import Testing

@testable import EncodeNet
@testable import Experiments
@testable import Reports

/// That a report stays legible and small, however many classes there are and whatever they are called.
@Suite struct ManyClassesTests {
  /// Names as people have them: long, of East Asian writing, with what HTML and Markdown read as their own.
  static func names(_ count: Int) -> [String] {
    (0..<count).map { index in
      switch index % 5 {
      case 0: "class \(index)"
      case 1: String(repeating: "a very long name of a class ", count: 3) + "\(index)"
      case 2: String(repeating: "日本語の名前", count: 8) + "\(index)"
      case 3: "<b>|bold|</b> & \"\(index)\""
      default: "n\(10_000_000 + index)"
      }
    }
  }

  private func data(_ classes: Int, each: Int, test: Int) throws -> DatasetSplit {
    let data = try DatasetSplit.synthetic(
      classes: classes, patterns: 2, training: classes * each, test: classes * test, imageShape: [8, 8, 3])
    func renamed(_ images: LabeledImages) throws -> LabeledImages {
      try LabeledImages(
        name: "many", pixels: images.pixels, labels: images.labels, imageShape: images.imageShape,
        classNames: Self.names(classes))
    }
    return try DatasetSplit(training: renamed(data.training), test: renamed(data.test))
  }

  private func run(_ classes: Int, each: Int, test: Int, in folder: URL) throws -> ExperimentReport {
    var configuration = try smallConfiguration(["A0", "A2", "A3"])
    configuration.model = "lenet5"
    (configuration.epochs, configuration.validationShare, configuration.batchSize) = (1, 0, 64)
    (configuration.conversion.epochs, configuration.transfer.fineTuneEpochs) = (1, 1)
    configuration.transfer.headEpochs = 1
    configuration.judge = "none"
    configuration.clustering.clustersPerClass = .fixed(2)
    configuration.clustering.smallestCluster = 1
    var experiment = Experiment(configuration)
    experiment.force = true
    return try experiment.run(on: data(classes, each: each, test: test), in: folder)
  }

  @Test func ofManyClassesThereAreThoseAtTheEnds() throws {
    try withFolder { folder in
      let report = try run(40, each: 4, test: 3, in: folder)
      let html = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
      let markdown = try String(contentsOf: folder.appendingPathComponent("report.md"), encoding: .utf8)
      for page in [html, markdown] {
        for part in ["Of 40 classes", "Most confused", "over classes", "Classes of the lowest silhouette"] {
          #expect(page.contains(part), "\(part)")
        }
        for wrong in ["<b>", "true \\ given"] { #expect(!page.contains(wrong), "\(wrong)") }
      }
      #expect(markdown.split(separator: "\n").allSatisfy { !$0.hasPrefix("|") || $0.hasSuffix("|") })
      // Ten classes at each end at most, of the pictures ten, and no name at its full length in a table.
      for (title, table) in report.extremeClasses { #expect((1...10).contains(table.rows.count), "\(title)") }
      #expect(report.confusedPairs.rows.count <= 20)
      #expect(!markdown.contains(Self.names(2)[1]) && !report.text.contains(Self.names(2)[1]))
      #expect(html.contains("10 of the 40 classes") && report.text.contains("Of 40 classes"))
      #expect(report.figures.contains { $0.name == "class-accuracy" })
      // The full figures are in the document.
      let read = try ExperimentReport.rebuilt(in: folder)
      #expect(read.classNames == Self.names(40) && read.arms[0].confusion.count == 40)
      #expect(read.comparisons[0].classDifferences.count == 40 && read.seeds[0].diagnostics?.clusters.count == 40)
    }
  }

  @Test func ofTwoClassesAllAreShown() throws {
    try withFolder { folder in
      let report = try run(2, each: 20, test: 10, in: folder)
      let html = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
      #expect(html.contains("true \\ given") && !html.contains("Of 2 classes") && !html.contains("Most confused"))
      #expect(report.clusterTable(report.seeds[0].diagnostics!).rows.count == 2)
      #expect(!report.text.contains("Of 2 classes"))
    }
  }

  @Test func theGainsOfClassesAreTheirOwn() throws {
    try withFolder { folder in
      var report = try run(21, each: 2, test: 2, in: folder)
      let (first, second) = (
        report.arms.firstIndex { $0.id == "A3" }!, report.arms.firstIndex { $0.id == "A2" }!
      )
      for arm in [first, second] {
        report.arms[arm].confusion = ConfusionMatrix((0..<21).map { row in (0..<21).map { $0 == row ? 10 : 0 } })
      }
      func set(_ arm: Int, _ label: Int, right: Int, takenFor other: Int) {
        var row = [Int](repeating: 0, count: 21)
        (row[label], row[other]) = (right, 10 - right)
        report.arms[arm].confusion[label] = row
      }
      set(second, 4, right: 3, takenFor: 0)
      set(first, 0, right: 6, takenFor: 10)
      set(second, 10, right: 8, takenFor: 5)
      let all = Self.names(21).map { $0.shortened(to: 40) }
      let tables = Dictionary(uniqueKeysWithValues: report.extremeClasses.map { ($0.title, $0.table.rows) })
      #expect(
        tables["Classes that gained most"] == [
          [all[4], "10", "30.0 %", "100.0 %", "+70.00"], [all[10], "10", "80.0 %", "100.0 %", "+20.00"],
        ])
      #expect(tables["Classes that lost most"] == [[all[0], "10", "100.0 %", "60.0 %", "−40.00"]])
      #expect(
        report.confusedPairs.rows == [
          [all[4], all[0], "10", "7", "0"], [all[0], all[10], "10", "0", "4"], [all[10], all[5], "10", "2", "0"],
        ])
      #expect(report.classWords.contains("Of 21 classes 2 gained, 1 lost and 18 stayed"))
      // The median of a class over 21 is that of those that stayed.
      #expect(
        report.classQuantiles.rows.last == [
          "A3 − A2, points", "−40.00", "+0.00", "+0.00", "+0.00", "+0.00", "+0.00", "+70.00",
        ])
    }
  }

  /// 1,000 classes of 50 test images, six arms, three of four images right, with the noise of photographs in all pictures.
  @Test func aReportOfAThousandClassesIsSmall() throws {
    try withFolder { folder in
      var generator = SplittableGenerator(seed: 1)
      let report = try enlarged(run(2, each: 20, test: 10, in: folder), to: 1000, using: &generator)
      try report.check()
      try report.write(to: ArtifactStore(folder), gallery: gallery(1000, using: &generator))
      func size(_ name: String) throws -> Int { try Data(contentsOf: folder.appendingPathComponent(name)).count }
      let sizes = try ["report.json", "report.html", "report.md"].map { try size($0) }
      #expect(sizes.allSatisfy { $0 < 3_000_000 } && sizes[2] < 100_000, "\(sizes)")
      #expect(try ExperimentReport.rebuilt(in: folder) == report)
    }
  }

  /// Returns `report` with that many classes.
  private func enlarged(
    _ report: ExperimentReport, to classes: Int, using generator: inout SplittableGenerator
  ) -> ExperimentReport {
    var report = report
    report.classNames = Self.names(classes)
    report.run.test = classes * 50
    let arms = report.arms
    report.arms = (0..<6).map { index in
      var arm = arms[min(index, 2)]
      if index > 2 { arm.id = "B\(index)" }
      arm.confusion = ConfusionMatrix(
        (0..<classes).map { label in
          var row = [Int](repeating: 0, count: classes)
          for _ in 0..<50 {
            let isRight = Int.random(in: 0..<4, using: &generator) > 0
            row[isRight ? label : Int.random(in: 0..<classes, using: &generator)] += 1
          }
          return row
        })
      return arm
    }
    for index in report.comparisons.indices {
      report.comparisons[index].classDifferences = (0..<classes).map { _ in
        Double(Int.random(in: -50...50, using: &generator)) / 50
      }
    }
    report.seeds[0].diagnostics?.clusters = (0..<classes).map { label in
      .init(
        label: label, sizes: [300, 280, 260, 240, 220], silhouette: .random(in: 0...0.3, using: &generator),
        inertia: .random(in: 1e4...2e4, using: &generator), stability: .random(in: 0...1, using: &generator))
    }
    report.seeds[0].diagnostics?.representatives = (0..<5 * classes).map { index in
      .init(
        label: index / 5, cluster: index % 5, index: 256 * index, entropy: .random(in: 0...1, using: &generator),
        isCorrect: true)
    }
    return report
  }

  private func gallery(_ classes: Int, using generator: inout SplittableGenerator) -> Gallery {
    func picture() -> Gallery.Picture {
      .init(pixels: Data((0..<64 * 64 * 3).map { _ in .random(in: 0...255, using: &generator) }), caption: "0.1234")
    }
    let shown = Array(0..<classes).spaced(10)
    return Gallery(
      imageShape: [64, 64, 3], images: .audit,
      conversions: shown.flatMap { label in
        (0..<2).map { _ in
          .init(label: label, given: 1, judged: 2, input: picture(), output: picture(), target: picture())
        }
      },
      clusters: shown.flatMap { label in
        (0..<5).map { _ in .init(label: label, pictures: (0..<6).map { _ in picture() }) }
      }, maps: [])
  }

  // MARK: Names

  @Test func namesKeepBothTheirEnds() {
    #expect("short".shortened(to: 10) == "short")
    #expect("abcdefghijklmnop".shortened(to: 10) == "abcdef…nop")
    let name = String(repeating: "日本語", count: 20).shortened(to: 21)
    #expect(name.columns <= 21 && name.contains("…") && name.hasPrefix("日本語日本語"))
    #expect("é日🙂".columns == 5)
    for columns in 2..<12 { #expect("日本語の名前です".shortened(to: columns).columns <= columns) }
  }

  @Test func columnsLineUpWhateverTheWriting() {
    let table = ReportTable(names: ["class", "n"], rows: [["日本", "1"], ["a", "20"]]).text
    #expect(Set(table.split(separator: "\n").map { String($0).columns }).count == 1, "\(table)")
  }

  // MARK: The confusion matrix

  private func sparse(_ classes: Int) -> ConfusionMatrix {
    ConfusionMatrix(
      (0..<classes).map { row in (0..<classes).map { $0 == row ? 5 : $0 == (row + 7) % classes ? row % 3 : 0 } })
  }

  @Test(arguments: [2, 100, 101, 300]) func aMatrixIsReadAsItWasWritten(classes: Int) throws {
    let matrix = sparse(classes)
    let json = try JSONEncoder().encode(matrix)
    #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: json) == matrix)
    #expect((json.first == UInt8(ascii: "{")) == (classes > 100))
    // Up to 100 classes JSON is what it was before there was another form.
    if classes <= 100 { #expect(try JSONDecoder().decode([[Int]].self, from: json) == Array(matrix)) }
    // Every cell of a document of an earlier version.
    let dense = try JSONEncoder().encode(Array(matrix))
    #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: dense) == matrix)
  }

  @Test func aMatrixCounts() {
    let matrix = sparse(9)
    #expect(matrix[5] == [0, 0, 0, 2, 0, 5, 0, 0, 0] && matrix.total(of: 5) == 7 && matrix.accuracy(of: 5) == 5.0 / 7)
    #expect(matrix.count(5, takenFor: 3) == 2 && matrix.count(5, takenFor: 4) == 0)
    let sum = matrix + [[1, 0], [0, 1]].padded(to: 9)
    #expect(sum[0][0] == 6 && sum[1][1] == 6 && sum[5] == matrix[5])
    #expect(matrix.isSquare(9, upTo: 5) && !matrix.isSquare(9, upTo: 4) && !matrix.isSquare(8, upTo: 9))
  }

  @Test(arguments: [
    (#"{"classes": 2, "rows": ["0:1"]}"#, "there are 1 rows of 2 classes"),
    (#"{"classes": 100000000000, "rows": ["0:1"]}"#, "1 rows of 100000000000"),
    (#"{"classes": 2, "rows": ["0:1", "2:1"]}"#, "'2:1' is no cell"),
    (#"{"classes": 2, "rows": ["0:1", "1:1 0:1"]}"#, "'0:1' is no cell"),
    (#"{"classes": 2, "rows": ["0:1 0:1", ""]}"#, "'0:1' is no cell"),
    (#"{"classes": 2, "rows": ["0:x", ""]}"#, "'0:x' is no cell"),
    (#"{"classes": 2, "rows": ["0", ""]}"#, "'0' is no cell"),
  ])
  func aMatrixThatIsNoneIsRefused(json: String, says: String) {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(ConfusionMatrix.self, from: Data(json.utf8))
    }
    #expect("\(String(describing: error))".contains(says), "\(String(describing: error))")
  }
}

extension [[Int]] {
  fileprivate func padded(to count: Int) -> ConfusionMatrix {
    ConfusionMatrix(
      (0..<count).map { row in (0..<count).map { row < self.count && $0 < self.count ? self[row][$0] : 0 } })
  }
}
