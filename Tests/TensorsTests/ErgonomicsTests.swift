import Tensors
import Testing

@Suite("What a user writes") struct ErgonomicsTests {
  @Test func assignmentOperatorsTakeLiteralsNumbersAndTensors() {
    var x = Tensor([1, 2])
    x *= 2
    x += 1
    x -= 0.5
    x /= 0.5
    let half: Scalar = 0.5
    x *= half
    x += x
    #expect(x.scalars == [5, 9])
  }

  @Test func nestedLiteralsAreTensors() {
    #expect(Tensor([1, 2, 3]).shape == [3])
    #expect(Tensor([[1, 2], [3, 4], [5, 6]]).shape == [3, 2])
    #expect(Tensor([[[1, 2, 3]], [[4, 5, 6]]]).shape == [2, 1, 3])
    #expect(Tensor([[[[1], [2]]]]).shape == [1, 1, 2, 1])
    #expect(Tensor([[1, 2], [3, 4]]).scalars == [1, 2, 3, 4])
    let row: [Scalar] = [0.5, 1.5]
    #expect(Tensor(row).scalars == row && Tensor([row, row]).shape == [2, 2])
  }

  @Test func wholeAndDoubleNumbersMixWithTensors() {
    let (count, rate) = (4, 0.25)
    let x = Tensor([1, 2])
    let y = x * count + rate * x - 1
    #expect(y.scalars == [3.25, 7.5])
    #expect(((count - x) / count + 2 / x).scalars == [2.75, 1.5])
    #expect((x .> count).scalars == [0, 0])
    var z = x
    z *= count
    z -= rate
    #expect(z.scalars == [3.75, 7.75])
  }
}
