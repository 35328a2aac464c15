import Testing

@testable import Training

struct ProgressTests {
  private func step(_ batch: Int) -> StepReport {
    var position = TrainingPosition()
    (position.epoch, position.batch, position.images) = (2, batch, batch * 10)
    return StepReport(
      position: position, loss: 1.2345, learningRate: 0.1, batchesPerEpoch: 100, epochs: 60, seconds: 5,
      imagesPerSecond: 8)
  }

  @Test func aLineTellsEpochShareLossRateAndTimeLeft() {
    #expect(ProgressBar.line(step(50), withBar: false) == "epoch 3/60  50%  loss 1.234  8 images/s  1:03 left")
    #expect(
      ProgressBar.line(step(50), withBar: true).contains("[============            ]"))
  }

  @Test func awayFromATerminalThereAreFewPlainLines() {
    var written: [String] = []
    let bar = ProgressBar(isTerminal: false) { written.append($0) }
    for batch in 1...100 { bar.show(step(batch)) }
    #expect(written.count == 2)
    #expect(written.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\r") && !$0.contains("\u{1b}") })
  }

  @Test func theCurvesHaveALineAnEpochAndReplaceWhatIsTrainedAgain() throws {
    func report(_ epoch: Int, _ loss: Double) -> EpochReport {
      EpochReport(
        epoch: epoch, step: epoch, loss: loss, learningRate: 0.5, seconds: 2, imagesPerSecond: 3, isBest: epoch == 0)
    }
    var curves = LearningCurves()
    for (epoch, loss) in [(0, 3.0), (1, 2), (2, 1), (1, 1.5)] { curves.append(report(epoch, loss)) }
    let lines = curves.csv.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[2] == "1,1,1.5,,,,,,0.5,2.0,3.0")
    #expect(curves.loss == [3, 1.5] && curves.best?.epoch == 0)
  }
}
