import Tensors
import Testing

@Suite("A printed tape") struct RecordedTapeTests {
  @Test func tellsOperationsShapesAndBytes() {
    let (x, w) = (normal([2, 3]), normal([3, 4]))
    let tape = recordedTape(at: [x, w]) { xs in
      let y = relu(matmul(xs[0], xs[1]))
      return (y * y).sum()
    }
    let size = MemoryLayout<Scalar>.size
    #expect(tape.operations.map(\.name) == ["matmul", "relu", "*", "sum"])
    #expect(tape.operations.map(\.shape) == [[2, 4], [2, 4], [2, 4], []])
    // The product saves its inputs, which are not counted; relu its output, which the square saves as well.
    #expect(tape.operations.map(\.bytesHeld) == [0, 8 * size, 0, 0])
    #expect(
      tape.description == """
        operation     shape   bytes held
        matmul        [2, 4]           0
        relu          [2, 4]          \(8 * size)
        *             [2, 4]           0
        sum           []               0
        4 operations                  \(8 * size)
        """)
  }

  @Test func recordsNothingOfWhatIsNotFollowed() {
    let constant = normal([8])
    let tape = recordedTape(at: [normal([8])]) { xs in exp(constant * 2) + xs[0] }
    #expect(tape.operations.map(\.name) == ["+"])
    #expect(tape.bytesHeld == 0)
  }

  @Test func maxPoolingCountsItsIndices() {
    let tape = recordedTape(at: [normal([1, 4, 4, 1])]) { maxPool2d($0[0], size: 2) }
    #expect(tape.bytesHeld == 4 * MemoryLayout<Scalar>.size)
  }
}
