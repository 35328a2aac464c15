import TestSupport
import Testing

@testable import Layers

struct DistillationTests {
  struct Case: Decodable {
    let name: String
    let student: Numbers
    let teacher: Numbers
    let labels: [Int]
    let value: Double
    let gradient: Numbers
  }

  @Test func everyLessonGivesPyTorchsValueAndGradient() throws {
    let cases: [Case] = try fixture("distillation", in: .module)
    #expect(cases.count == 8)
    for fixture in cases {
      let (teacher, labels) = (fixture.teacher.tensor, fixture.labels)
      let (value, gradient) = try valueWithGradient(at: fixture.student.tensor) { student in
        switch fixture.name {
        case "distillation": distillation(student, from: teacher)
        case "distillation at 1": distillation(student, from: teacher, temperature: 1)
        case "decoupled", "decoupled of large logits": decoupledDistillation(student, from: teacher, labels: labels)
        case "standardized":
          distillation(standardizedLogits(student), from: standardizedLogits(teacher), temperature: 2)
        case "attention": attentionTransfer(student, from: teacher)
        case "mutual": mutualLearning(student, from: teacher)
        case "teacher-free": klDivergence(student, targets: teacherFreeTargets(labels, classes: 5))
        default: try #require(nil as Tensor?, "no loss for the fixture '\(fixture.name)'")
        }
      }
      expectClose(value, Tensor(Scalar(fixture.value)), 2e-5, fixture.name)
      expectClose(gradient, fixture.gradient.tensor, 2e-5, "\(fixture.name): gradient")
    }
  }

  @Test func nothingIsLeftToLearnFromAnEqual() {
    var g = generator(2)
    let logits = Tensor.normal([4, 6], using: &g)
    expectClose(distillation(logits, from: logits), Tensor(0), 1e-5)
    expectClose(decoupledDistillation(logits, from: logits, labels: [0, 5, 2, 2]), Tensor(0), 1e-5)
    // A teacher with another range teaches the same once both are standardised.
    expectClose(distillation(standardizedLogits(logits), from: standardizedLogits(logits * 5 + 3)), Tensor(0), 1e-4)
  }

  @Test func sharpnessAwareGradientsAreThoseAwayFromTheWeights() throws {
    // Of (w - 3)² / 2 the gradient at w + ρ g / |g| is w - 3 - ρ for w < 3.
    let w = Parameter(wrappedValue: Tensor([1, 3], shape: [2]))
    let model = WithInput(w, Identity())
    func loss(_: WithInput) -> Tensor { (square(w.wrappedValue - Tensor([3, 3], shape: [2])) * 0.5).sum() }
    let (value, gradients) = valueWithSharpnessAwareGradient(of: model, rho: 0.5, loss)
    expectClose(value, Tensor(2), 1e-6)
    expectClose(gradients[w], Tensor([-2.5, 0], shape: [2]), 1e-6)
    expectClose(w.wrappedValue, Tensor([1, 3], shape: [2]), 0)
  }

  @Test func sharpnessAwareGradientsLeaveOneBatchInTheRunningStatistics() {
    var g = generator(5)
    let (x, y) = (Tensor.normal([8, 3], using: &g), [0, 1, 0, 1, 1, 0, 1, 0])
    func network() -> Sequential {
      var g = generator(6)
      return Sequential([Linear(3, 4, using: &g), BatchNorm2d(4), Linear(4, 2, using: &g)])
    }
    let (plain, aware) = (network(), network())
    _ = valueWithGradient(of: plain) { softmaxCrossEntropy($0(x), labels: y) }
    _ = valueWithSharpnessAwareGradient(of: aware, rho: 0.05) { softmaxCrossEntropy($0(x), labels: y) }
    for (name, value) in plain.everything { expectClose(aware.everything[name], value, 0, name) }
  }

  @Test(arguments: ["resnet", "vgg"]) func foldedBranchesDoWhatTheBranchesDid(kind: String) throws {
    func network(_ variation: BlockVariation) -> any StagedClassifier {
      var g = generator(7)
      return kind == "vgg"
        ? VGG16(classes: 3, inputShape: [8, 8, 3], widthMultiplier: 0.1, variation: variation, using: &g)
        : ResNet(depth: 8, classes: 3, inputShape: [8, 8, 3], shortcut: .projection, variation: variation, using: &g)
    }
    var g = generator(8)
    let x = Tensor.normal([3, 8, 8, 3], using: &g)
    let (branched, plain) = (network(.asymmetricBranches), network(.plain))
    // Running statistics that are not those of the beginning.
    for _ in 0..<3 { _ = branched(x * 2 + 1) }
    foldBranches(of: branched, into: plain)
    branched.evaluate()
    plain.evaluate()
    expectClose(plain(x), branched(x), 2e-4)
    let summary = ModelSummary(of: plain, input: [8, 8, 3])
    let untrained = ModelSummary(of: network(.plain), input: [8, 8, 3])
    #expect(summary.multiplyAdds == untrained.multiplyAdds && summary.parameters == untrained.parameters)
    #expect(ModelSummary(of: branched, input: [8, 8, 3]).multiplyAdds > summary.multiplyAdds)
  }

  @Test func attentionAddsWhatItsPapersSay() {
    func parameters(_ variation: BlockVariation) -> Int {
      var g = generator(9)
      return ResNet(classes: 10, variation: variation, using: &g).parameterCount
    }
    let plain = parameters(.plain)
    // Three blocks of each width c, of two linear layers between c and c / 16 with their biases.
    func inner(_ c: Int) -> Int { 2 * c * (c / 16) + c / 16 + c }
    #expect(parameters(.squeezeExcitation) - plain == 3 * (inner(16) + inner(32) + inner(64)))
    // Kernels of 3 neighbours: (log₂ c + 1) / 2 is 2.5, 3 and 3.5.
    #expect(parameters(.efficientChannelAttention) - plain == 9 * 3)
    #expect(
      parameters(.convolutionalBlockAttention) - plain == 3 * (inner(16) + inner(32) + inner(64)) + 9 * (98 + 2))
  }
}
