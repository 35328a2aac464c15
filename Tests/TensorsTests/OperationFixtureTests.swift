import Tensors
import TestSupport
import Testing

@Suite("Operations against PyTorch and against differences") struct OperationFixtureTests {
  /// What no difference can tell: these are constant but for jumps.
  private static let steps: Set<String> = [
    "sign", "floor", "ceil", "round", "argmax", "argmin", "topK indices", "sort indices",
  ]

  @Test(arguments: OperationCase.families) func valuesAndGradientsArePyTorchs(family: String) throws {
    for item in try fixture(family, in: .module, as: [OperationCase].self) {
      let (value, pullback) = valueWithPullback(at: item.inputs.map(\.tensor), of: try item.function())
      expectClose(value, item.output.tensor, isDouble ? 1e-8 : 1e-5, "\(item.testDescription)")
      for (index, gradient) in pullback(item.upstream.tensor).enumerated() {
        expectClose(
          gradient, item.gradients[index].tensor, isDouble ? 1e-8 : 5e-5, "gradient \(index) of \(item.testDescription)"
        )
      }
    }
  }

  @Test(arguments: OperationCase.families) func gradientsAreDifferences(family: String) throws {
    for item in try fixture(family, in: .module, as: [OperationCase].self)
    where item.smooth && !Self.steps.contains(item.operation) {
      let function = try item.function()
      #expect(throws: Never.self, "\(item.testDescription)") {
        try checkGradient(of: function, at: item.inputs.map(\.tensor), limit: 40)
      }
    }
  }

  /// Float's differences of gradients say little about kinks and curvature.
  @Test(.enabled(if: isDouble, "needs the trait DoublePrecision"), arguments: OperationCase.families)
  func gradientsOfGradientsAreDifferences(family: String) throws {
    for item in try fixture(family, in: .module, as: [OperationCase].self)
    where item.smooth && !Self.steps.contains(item.operation) {
      let function = try item.function()
      let inputs = item.inputs.map(\.tensor)
      let upstream = item.upstream.tensor
      #expect(throws: Never.self, "\(item.testDescription)") {
        // The upstream gradient is an input too: a pullback is a function of both.
        try checkGradient(
          of: { all in
            let gradients = gradient(at: Array(all.dropLast())) { (function($0) * all.last!).sum() }
            return .concatenated(gradients.map { $0.reshaped(to: [-1]) })
          }, at: inputs + [upstream], limit: 20)
      }
    }
  }
}
