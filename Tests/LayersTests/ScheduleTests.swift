import TestSupport
import Testing

@testable import Layers

struct ScheduleTests {
  @Test func schedulesGivePyTorchsRates() throws {
    let rates: [String: [Double]] = try fixture("schedules", in: .module)
    let schedules: [String: Schedule] = [
      "step": .step(0.2, every: 3, factor: 0.5), "milestones": .step(0.2, at: [2, 5]),
      "cosine": .cosine(from: 0.2, to: 0.01, over: 10), "linear": .linear(from: 0.05, to: 0.2, over: 5),
      "oneCycle": .oneCycle(peak: 0.5, over: 20),
    ]
    #expect(Set(rates.keys) == Set(schedules.keys))
    for (name, schedule) in schedules {
      for (step, rate) in try #require(rates[name]).enumerated() {
        #expect(abs(Double(schedule(step)) - rate) < 1e-7, "\(name), step \(step)")
      }
    }
  }

  @Test func ratesFallOnPlateausAsPyTorchs() throws {
    struct Fixture: Decodable {
      struct Case: Decodable {
        let factor, threshold, minimum: Double
        let patience, cooldown: Int
        let rates: [Double]
      }
      let measures: [Double]
      let cases: [Case]
    }
    let fixture: Fixture = try fixture("plateaus", in: .module)
    for item in fixture.cases {
      let optimizer = SGD([], learningRate: 0.2)
      var plateau = ReduceOnPlateau(
        factor: Scalar(item.factor), patience: item.patience, threshold: item.threshold, cooldown: item.cooldown,
        minimum: Scalar(item.minimum))
      for (measure, rate) in zip(fixture.measures, item.rates) {
        plateau.update(optimizer, after: measure)
        #expect(abs(Double(optimizer.learningRate) - rate) < 1e-7, "\(item.factor) after \(measure)")
      }
    }
  }

  @Test func ratesFallOnPlateausOfNegativeMeasures() {
    // PyTorch's never do (its issue 47513).
    let optimizer = SGD([], learningRate: 1)
    var plateau = ReduceOnPlateau(patience: 1)
    let lowered = [-0.8, -0.9, -0.9, -0.9, -0.95].map { plateau.update(optimizer, after: $0) }
    #expect(lowered == [false, false, false, true, false] && plateau.best == -0.95)
  }

  @Test func schedulesCompose() {
    let schedule = Schedule.cosine(from: 1, over: 10).warmedUp(over: 4).then(after: 14, .constant(3)).scaled(by: 2)
    #expect([0, 3, 4, 9, 14, 99].map { schedule($0) } == [0.4, 1.6, 2, schedule(9), 6, 6])
    #expect(abs(schedule(9) - 1) < 1e-6)
    #expect(Schedule.cosine(from: 1, to: 0.25, over: 10)(1000) == 0.25)
    #expect(Schedule.constant(0.5)(7) == 0.5)
  }
}
