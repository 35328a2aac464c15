import TestSupport
import Testing

@testable import Layers

struct LayerTests {
  @Test func aFrozenBatchNormUsesAndKeepsItsRunningStatistics() {
    var g = generator()
    let norm = BatchNorm2d(2)
    let x = Initializer.normal(std: 3)([4, 2, 2, 2], using: &g)
    norm.freeze()
    #expect(norm.isTraining && norm.isFrozen)
    expectClose(norm(x), x, 1e-5)
    #expect(norm.runningMean.scalars == [0, 0] && norm.runningVar.scalars == [1, 1])
    norm.unfreeze()
    _ = norm(x)
    #expect(norm.runningMean.scalars != [0, 0])
  }

  @Test func aBatchOfOneValueAChannelCannotTrainABatchNorm() async {
    await #expect(processExitsWith: .failure) { _ = BatchNorm2d(2)(.ones([1, 1, 1, 2])) }
  }

  @Test func wrongShapesTrap() async {
    await #expect(processExitsWith: .failure) {
      var g = SplittableGenerator(seed: 1)
      _ = Linear(3, 2, using: &g)(.ones([1, 4]))
    }
    await #expect(processExitsWith: .failure) { _ = BatchNorm2d(3)(.ones([2, 4])) }
  }

  @Test func dropoutKeepsTheMeanInTrainingAndIsNothingInEvaluation() {
    let layer = Dropout(0.25, seed: 3)
    let x = Tensor.ones([100, 100])
    let start = layer.generator
    let y = layer(x).scalars
    let zeros = y.count { $0 == 0 }
    #expect((2300...2700).contains(zeros))
    #expect(y.allSatisfy { $0 == 0 || abs($0 - 4 / 3) < 1e-6 })
    #expect(layer(x).scalars != y)
    layer.generator = start
    #expect(layer(x).scalars == y)
    layer.evaluate()
    #expect(layer(x).scalars == x.scalars)
    let model = Sequential { layer }
    #expect(model.namedStochasticModules.map(\.name) == ["0"])
  }

  @Test func sequentialNamesItsLayersByNumberOrAsTold() {
    var g = generator()
    let model = Sequential {
      for _ in 0..<2 { Linear(2, 2, bias: false, using: &g) }
      if g.next() > 0 { ReLU() }
      Residual(Sequential { Linear(2, 2, bias: false, using: &g) })
    }
    #expect(model.namedParameters.map(\.name) == ["0.weight", "1.weight", "3.body.0.weight"])
    let named = Sequential(named: [("features.7", Linear(2, 2, bias: false, using: &g))])
    #expect(named.namedParameters.map(\.name) == ["features.7.weight"])
    let x = Tensor([1, -2], shape: [1, 2])
    #expect(Residual(ReLU())(x).scalars == [2, -2])
  }

  @Test func unflattenUndoesFlatten() {
    var g = generator()
    let x = Initializer.normal(std: 1)([2, 3, 4, 5], using: &g)
    #expect(Unflatten([3, 4, 5])(Flatten()(x)).scalars == x.scalars)
  }

  @Test func averagesOfWeightsFollowTheirRules() throws {
    var g = generator()
    let model = BatchNorm2d(1)
    let (ema, swa) = (WeightAverage(of: model, .exponential(decay: 0.75)), WeightAverage(of: model, .equal))
    for value in [4, 8, 0] as [Scalar] {
      model.weight = Tensor([value], shape: [1])
      model.runningMean = Tensor([value], shape: [1])
      ema.update()
      swa.update()
    }
    #expect(ema.applied { [model.weight.item, model.runningMean.item] } == [3.75, 3.75])
    #expect(swa.applied { model.weight.item } == 4)
    #expect(model.weight.item == 0)
    let copy = WeightAverage(of: model, .equal)
    try copy.load(swa.state)
    #expect(copy.count == 3)
    copy.apply()
    #expect(model.weight.item == 4 && model.runningMean.item == 4)
    #expect(throws: OptimizerStateError.self) {
      try copy.load(WeightAverage(of: Linear(1, 1, using: &g), .equal).state)
    }
  }

  @Test func runningStatisticsFoundAnewAreTheMeanOverTheBatches() {
    let model = Sequential { BatchNorm2d(1) }
    let batches = [[1, 3], [5, 9]].map { Tensor($0, shape: [2, 1]) }
    model.evaluate()
    model.recomputeRunningStatistics(over: batches)
    let norm = model[0] as? BatchNorm2d
    #expect(norm?.runningMean.scalars == [4.5] && norm?.runningVar.scalars == [5])
    #expect(norm?.isTraining == false && norm?.momentum == 0.1)
  }
}
