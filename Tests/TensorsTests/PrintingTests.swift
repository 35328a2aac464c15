import Tensors
import Testing

@Suite("Printed and compared tensors") struct PrintingTests {
  @Test func bracketsNestAndNumbersAlign() {
    #expect("\(Tensor(2.5))" == "2.5")
    #expect("\(Tensor([1, -2, 0.5], shape: [3]))" == "[ 1.0, -2.0,  0.5]")
    #expect(
      "\(Tensor([1, 20, 3, 4], shape: [2, 2]))" == """
        [[ 1.0, 20.0],
         [ 3.0,  4.0]]
        """)
    #expect(
      "\(Tensor([1, 2, 3, 4], shape: [2, 1, 2]))" == """
        [[[1.0, 2.0]],

         [[3.0, 4.0]]]
        """)
    #expect("\(Tensor([], shape: [0, 3]))" == "[] of shape [0, 3]")
  }

  @Test func numbersHaveFourDecimalsUnlessSomeAreTiny() {
    #expect("\(Tensor([1 / 3, 2], shape: [2]))" == "[0.3333,    2.0]")
    #expect("\(Tensor([1e-6, 2], shape: [2]))" == "[1e-06,   2.0]")
    #expect("\(Tensor([.nan, -.infinity], shape: [2]))" == "[ nan, -inf]")
  }

  @Test func largeTensorsAreSummarized() {
    let x = Tensor((0..<2000).map { Scalar($0) }, shape: [1000, 2])
    #expect(
      "\(x)" == """
        [[   0.0,    1.0],
         [   2.0,    3.0],
         [   4.0,    5.0],
         …,
         [1994.0, 1995.0],
         [1996.0, 1997.0],
         [1998.0, 1999.0]] of shape [1000, 2]
        """)
    #expect("\(normal([10, 10, 10]))".contains("…") == false)
    #expect("\(normal([200, 200, 200]))".count < 6000)
  }

  @Test func equalityAllowsForRounding() {
    let x = Tensor([1, 1000, 0], shape: [3])
    #expect(x.isApproximatelyEqual(to: x * (1 + 10 * Scalar.ulpOfOne)))
    #expect(!x.isApproximatelyEqual(to: x * 1.01))
    #expect(!x.isApproximatelyEqual(to: x * (1 + 10 * Scalar.ulpOfOne), relativeTolerance: 0))
    #expect(x.isApproximatelyEqual(to: x * 1.01, relativeTolerance: 0.02))
    #expect(x.isApproximatelyEqual(to: x + 0.001, relativeTolerance: 0, absoluteTolerance: 0.002))
    #expect(!x.isApproximatelyEqual(to: Tensor([1, 1000, 1e-9], shape: [3])))
    #expect(!x.isApproximatelyEqual(to: x.reshaped(to: [3, 1])))
    let odd = Tensor([.nan, .infinity], shape: [2])
    #expect(!odd[0].isApproximatelyEqual(to: odd[0]))
    #expect(odd[1].isApproximatelyEqual(to: odd[1]))
    #expect(!odd[1].isApproximatelyEqual(to: -odd[1], relativeTolerance: 10, absoluteTolerance: .infinity))
  }
}
