import Tensors
import TestSupport
import Testing

/// Results larger than a cache are written past it, where the number of channels is a multiple of 16.
@Suite("Norms of large images") struct LargeNormTests {
  @Test(arguments: [48, 41]) func largeResultsAreThoseOfTheirParts(channels: Int) {
    let shape: Shape = [2, 190, 105, channels]
    let inputs = [normal(shape), normal(shape, seed: 2), normal(shape, seed: 3)]
    let (gamma, beta) = (normal([channels], seed: 4), normal([channels], seed: 5))
    let (mean, variance) = (normal([channels], seed: 6), square(normal([channels], seed: 7)) + 0.5)
    func fixed(_ x: Tensor, adding residual: Tensor? = nil, relu: Bool) -> Tensor {
      batchNorm2d(x, gamma: gamma, beta: beta, mean: mean, variance: variance, adding: residual, relu: relu)
    }
    let norms: [(String, ([Tensor]) -> Tensor)] = [
      ("batch norm", { fixed($0[0], relu: false) }), ("with ReLU", { fixed($0[0], relu: true) }),
      ("with residual", { fixed($0[0], adding: $0[1], relu: false) }),
      ("with both", { fixed($0[0], adding: $0[1], relu: true) }),
      ("group norm", { groupNorm($0[0], groups: 1, gamma: gamma, beta: beta) }),
    ]
    for (name, norm) in norms {
      func results(_ inputs: [Tensor]) -> [Tensor] {
        let (y, pullback) = valueWithPullback(at: Array(inputs[..<2]), of: norm)
        return [y] + pullback(inputs[2])[..<1]
      }
      let whole = results(inputs)
      for image in 0..<2 {
        let part = results(inputs.map { $0[image..<image + 1] })
        for (index, (all, one)) in zip(whole, part).enumerated() {
          #expect(all[image..<image + 1].scalars == one.scalars, "\(name), \(index == 0 ? "result" : "gradient")")
        }
      }
    }
  }
}
