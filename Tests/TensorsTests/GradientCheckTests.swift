import Tensors
import Testing

@Suite("The gradient check") struct GradientCheckTests {
  /// The square with a derivative that is wrong where `x` is above 1.
  private static func wrongSquare(_ x: Tensor) -> Tensor {
    customGradient([x]) {
      square($0[0])
    } pullback: { [x = x.detached] dy in
      [dy * (2 * x + (x .> 1) * 0.5)]
    }
  }

  @Test func passesWhatIsRightAndTellsHowRight() throws {
    let error = try checkGradient(of: { sin($0[0]) * $0[1] }, at: [normal([3, 4]), normal([4], seed: 2)])
    #expect(error > 0 && error < (isDouble ? 1e-8 : 1e-3))
  }

  @Test func namesInputElementAndBothNumbers() throws {
    let x = Tensor([0.5, -2, 1.5, 0.25, 0, -1], shape: [2, 3])
    let mismatch = try #require(throws: GradientMismatch.self) {
      try checkGradient(of: { ($0[0] + Self.wrongSquare($0[1])).sum() }, at: [normal([2, 3]), x])
    }
    #expect(mismatch.input == "input 1")
    #expect(mismatch.place == [0, 2])
    #expect(mismatch.mismatches == 1 && mismatch.compared == 12)
    #expect(mismatch.gradient == 3.5 && Swift.abs(mismatch.difference - 3) < 1e-2)
    #expect(mismatch.description.hasPrefix("gradient of input 1 at [0, 2] is 3.5, the central difference "))
  }

  @Test(arguments: [0, 2, 0.5] as [Scalar]) func findsSmallGradientsWrong(factor: Scalar) {
    // A derivative of 0.002 beside those of 1.
    let x = normal([3, 4])
    for scale: Scalar in [0.002, 1e-4] {
      let wrong: @Sendable (Tensor) -> Tensor = { x in
        customGradient([x], { $0[0] * scale }, pullback: { [$0 * (scale * factor)] })
      }
      #expect(throws: GradientMismatch.self) { try checkGradient(of: { wrong($0[0]).sum() }, at: [x]) }
      #expect(throws: GradientMismatch.self) { try checkGradient(of: { wrong($0[0]) }, at: [x]) }
      #expect(throws: Never.self) { try checkGradient(of: { ($0[0] * scale).sum() }, at: [x]) }
    }
  }

  @Test func refusesNaN() {
    #expect(throws: GradientMismatch.self) {
      try checkGradient(
        of: {
          customGradient([$0[0]]) {
            $0[0]
          } pullback: {
            [log($0 * 0 - 1)]
          }
        }, at: [Tensor([1, 2], shape: [2])])
    }
  }

  @Test func comparesARandomChoiceOfALargeInput() throws {
    // One wrong element in nine: a hundred of nine hundred meet some.
    let x = Tensor((0..<900).map { $0 % 9 == 0 ? 2 : 0.5 }, shape: [900])
    let mismatch = try #require(throws: GradientMismatch.self) {
      try checkGradient(of: { Self.wrongSquare($0[0]) }, at: [x])
    }
    #expect(mismatch.compared == 100)
    #expect((1..<40).contains(mismatch.mismatches))
  }

  @Test func checksConvolutionsOnTheirFastPath() throws {
    // Channels enough for Winograd's filtering, at an image that no tile divides.
    try checkGradient(
      of: { conv2d($0[0], $0[1], padding: 1) }, at: [normal([1, 5, 7, 16]), normal([3, 3, 16, 16], seed: 2)], limit: 20)
  }
}
