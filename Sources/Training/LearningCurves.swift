/// The figures of a run, epoch by epoch, to plot or to save.
public struct LearningCurves: Sendable, Codable, Equatable {
  /// The reports of the epochs, in order.
  public private(set) var reports: [EpochReport]

  /// The curves of `reports`.
  public init(_ reports: [EpochReport] = []) { self.reports = reports }

  /// Adds an epoch; one that is already there, as after a resumption, is replaced with all that follow it.
  public mutating func append(_ report: EpochReport) {
    reports.removeAll { $0.epoch >= report.epoch }
    reports.append(report)
  }

  /// The mean training loss of each epoch.
  public var loss: [Double] { reports.map(\.loss) }
  /// The training accuracy of each epoch, nil where nothing was classified.
  public var accuracy: [Double?] { reports.map(\.accuracy) }
  /// The validation loss of each epoch, nil where there was none.
  public var validationLoss: [Double?] { reports.map { $0.validation?.loss } }
  /// The validation accuracy of each epoch, nil where there was none.
  public var validationAccuracy: [Double?] { reports.map { $0.validation?.top1 } }
  /// A metric of one's own in each epoch, nil where it was not measured.
  public func metric(_ name: String) -> [Double?] { reports.map { $0.metrics?[name] } }
  /// A metric of one's own on the validation batches of each epoch, nil where it was not measured.
  public func validationMetric(_ name: String) -> [Double?] { reports.map { $0.validation?.metrics?[name] } }
  /// The learning rate at the end of each epoch.
  public var learningRate: [Double] { reports.map(\.learningRate) }
  /// The last epoch that was the best so far.
  public var best: EpochReport? { reports.last(where: \.isBest) }

  /// A table with a line of names and one line an epoch; figures that were not measured are empty, metrics of one's own are last.
  public var csv: String {
    let metrics = Set(reports.flatMap { Array(($0.metrics ?? [:]).keys) }).sorted()
    let rows = reports.map { report in
      let validation = report.validation
      let values: [Double?] =
        [
          report.loss, report.accuracy, validation?.loss, validation?.top1, validation?.topK,
          validation?.calibrationError, report.learningRate, report.seconds, report.imagesPerSecond,
        ]
        + metrics.flatMap { [report.metrics?[$0], validation?.metrics?[$0]] }
      return "\(report.epoch),\(report.step)," + values.map { $0.map { "\($0)" } ?? "" }.joined(separator: ",")
    }
    let names =
      "epoch,step,loss,accuracy,validation_loss,validation_top1,validation_topk,validation_calibration_error,"
      + "learning_rate,seconds,images_per_second"
    let header = ([names] + metrics.flatMap { [$0, "validation_\($0)"].map(csvField) }).joined(separator: ",")
    return ([header] + rows).joined(separator: "\n") + "\n"
  }
}

/// A name as a field of a table: in quotation marks where it has commas, quotation marks or line breaks.
private func csvField(_ name: String) -> String {
  guard name.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return name }
  return "\"\(name.replacing("\"", with: "\"\""))\""
}
