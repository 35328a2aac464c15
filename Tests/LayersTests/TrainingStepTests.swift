import Testing

@testable import Layers

struct TrainingStepTests {
  /// Exclusive or, which no linear map can do.
  private let inputs = Tensor([0, 0, 0, 1, 1, 0, 1, 1], shape: [4, 2])
  private let labels = [0, 1, 1, 0]

  @Test(arguments: ["SGD", "Adam", "AdamW", "RMSprop"])
  func everyOptimizerTeachesANetworkExclusiveOr(name: String) {
    var g = generator(2)
    let model = Sequential {
      Linear(2, 8, initializer: .glorotUniform(), using: &g)
      Tanh()
      Linear(8, 2, using: &g)
    }
    let optimizer: any Optimizer =
      switch name {
      case "SGD": SGD(model, learningRate: 0.3, momentum: 0.9, nesterov: true)
      case "Adam": Adam(model, learningRate: 0.05)
      case "AdamW": AdamW(model, learningRate: 0.05)
      default: RMSprop(model, learningRate: 0.02)
      }
    let schedule = Schedule.cosine(from: optimizer.learningRate, over: 140).warmedUp(over: 10)
    var last: Scalar = .infinity
    for step in 0..<150 {
      optimizer.learningRate = schedule(step)
      let (loss, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy($0(inputs), labels: labels) }
      optimizer.update(with: gradients.clipped(toNorm: 5))
      last = loss.item
    }
    #expect(last < 0.1)
  }

  @Test func theGradientOfFrozenPartsIsNotTakenAndTheyStay() {
    var g = generator(2)
    let model = ResNet(depth: 8, classes: 3, inputShape: [8, 8, 1], widthMultiplier: 0.25, using: &g)
    let (encoder, head) = model.split(at: "pool")
    encoder.freeze()
    let before = encoder.everything.mapValues(\.scalars)
    let x = Initializer.normal(std: 1)([2, 8, 8, 1], using: &g)
    let optimizer = SGD(model, learningRate: 0.1, momentum: 0.9, weightDecay: 0.1)
    for _ in 0..<2 {
      let (_, gradients) = valueWithGradient(of: model) { softmaxCrossEntropy($0(x), labels: [0, 1]) }
      #expect(encoder.parameters.allSatisfy { gradients[$0] == nil })
      #expect(head.parameters.allSatisfy { gradients[$0] != nil })
      optimizer.update(with: gradients)
    }
    #expect(encoder.everything.mapValues(\.scalars) == before)
  }
}
