import Tensors
import Testing

@Suite("Numbers in a row, truths and orders") struct CreationTests {
  @Test func arangeEndsBeforeItsEnd() {
    #expect(Tensor.arange(4).scalars == [0, 1, 2, 3])
    #expect(Tensor.arange(2.5).scalars == [0, 1, 2])
    #expect(Tensor.arange(2, 5).scalars == [2, 3, 4])
    #expect(Tensor.arange(1, 0, step: -0.25).scalars == [1, 0.75, 0.5, 0.25])
    #expect(Tensor.arange(3, 1).shape == [0])
    #expect(Tensor.eye(2).scalars == [1, 0, 0, 1])
    #expect(Tensor.eye(2, columns: 3).scalars == [1, 0, 0, 0, 1, 0])
  }

  @Test func truthsAreOfElementsOrOfAll() {
    let x = Tensor([0, .nan, 2, 0, 0, 0], shape: [2, 3])
    #expect(x.isNaN.scalars == [0, 1, 0, 0, 0, 0])
    #expect(x.isNaN.any() && !x.isNaN.all())
    #expect(x.any(alongAxes: [1]).scalars == [1, 0])
    #expect((x .== 0).all(alongAxes: [0], keepingDimensions: true).scalars == [1, 0, 0])
    #expect((x .== 0).all(alongAxes: [0], keepingDimensions: true).shape == [1, 3])
    // Of nothing, as PyTorch.
    #expect(Tensor.zeros([0, 3]).all() && !Tensor.zeros([0, 3]).any())
  }

  @Test func sortingPutsNaNLastAndKeepsTheOrderOfEquals() {
    let x = Tensor([.nan, 1, -.infinity, .infinity, 1], shape: [5])
    #expect(x.sort().indices == [[2, 1, 4, 3, 0]])
    #expect(x.sort(descending: true).indices == [[0, 3, 1, 4, 2]])
    let empty = Tensor.zeros([2, 0]).sort()
    #expect(empty.values.shape == [2, 0])
  }
}
