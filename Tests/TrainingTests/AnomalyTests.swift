import Foundation
import Testing

@testable import Training

/// That what stops being finite is stopped, and named. Serialized: looking at every operation is a switch of the process.
@Suite(.serialized) struct AnomalyTests {
  /// `log(x + shift)`, which is not finite for numbers below it.
  private final class Logarithm: Layer {
    var shift: Scalar = 10
    func callAsFunction(_ x: Tensor) -> Tensor { reported(log(x + shift)) }
  }

  private func error(
    _ model: Sequential, onStep: @escaping (Int) -> Void
  ) -> TrainingError? {
    var fit = Fit(
      model, to: ToyBatches(), loss: crossEntropy, optimizer: SGD(model, learningRate: 0.01), epochs: 3,
      onStep: { onStep($0.position.step) })
    return #expect(throws: TrainingError.self) { () throws(TrainingError) in try fit.run() }
  }

  private func network() -> (Sequential, Logarithm) {
    let model = toyModel()
    let logarithm = Logarithm()
    return (Sequential([model, logarithm]), logarithm)
  }

  @Test func theFirstLayerThatIsNotFiniteIsNamed() {
    let (model, logarithm) = network()
    let error = error(model) { if $0 == 6 { logarithm.shift = -100 } }
    #expect(error?.description.contains("'1' (Logarithm)") == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("step 6 of epoch 1") == true)
  }

  @Test func aParameterThatIsNotFiniteIsNamedBeforeItsEpochEnds() {
    let (model, _) = network()
    let (name, last) = model.namedParameters.last!
    let inTheMiddle = error(model) { if $0 == 6 { last.wrappedValue = last.wrappedValue * .infinity } }
    #expect(inTheMiddle?.description.contains("the parameter '\(name)' was non-finite") == true)
    let (other, _) = network()
    let another = other.namedParameters.last!.parameter
    let atTheEnd = error(other) { if $0 == 5 { another.wrappedValue = another.wrappedValue * .infinity } }
    #expect(atTheEnd == .nonFiniteParameter(epoch: 0, step: 5, name: name), "\(String(describing: atTheEnd))")
  }

  @Test func theOperationIsNamedWhereEveryOneIsLookedAt() {
    Computation.detectsAnomalies = true
    defer { Computation.detectsAnomalies = false }
    let (model, logarithm) = network()
    let error = error(model) { if $0 == 6 { logarithm.shift = -100 } }
    #expect(error?.description.contains("operation 'log'") == true, "\(error?.description ?? "")")
    // The root's value at 0 is finite, its derivative is not.
    let x = Parameter(wrappedValue: Tensor([0, 1], shape: [2]))
    let root = Root(x)
    let gradients = valueWithGradient(of: root) { _ in sqrt(x.wrappedValue).sum() }.gradients
    #expect(gradients.anomaly?.contains("the derivative of operation 'sqrt'") == true, "\(gradients.anomaly ?? "none")")
  }

  private final class Root: Layer {
    let x: Parameter
    init(_ x: Parameter) { self.x = x }
    func callAsFunction(_ x: Tensor) -> Tensor { x }
  }
}
