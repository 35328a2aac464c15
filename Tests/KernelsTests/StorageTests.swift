import Testing

@testable import Kernels

@Suite("Pooled memory") struct StorageTests {
  @Test func blocksNeverOverlap() {
    var generator = TestGenerator(state: 9)
    func below(_ bound: Int) -> Int { Int(abs(Double(generator.numbers(1)[0])) * Double(bound)) }
    var living: [(storage: Storage, mark: Scalar)] = []
    for step in 0..<4000 {
      if living.count > 40 || (!living.isEmpty && below(3) == 0) {
        let (storage, mark) = living.remove(at: below(living.count))
        #expect(storage.pointer[0] == mark && storage.pointer[storage.count - 1] == mark, "after \(step) steps")
      } else {
        let storage = Storage(count: 1 + below(below(2) == 0 ? 300 : 200_000))
        #expect(UInt(bitPattern: storage.pointer) % 64 == 0)
        (storage.pointer[0], storage.pointer[storage.count - 1]) = (Scalar(step), Scalar(step))
        living.append((storage, Scalar(step)))
      }
    }
    for (storage, mark) in living { #expect(storage.pointer[0] == mark) }
  }

  @Test func neighboursAreJoinedAndTheSmallestFitIsTaken() {
    var free = FreeList()
    free.give(1000, 600)
    free.give(5000, 200)
    #expect(free.take(200) == 5000)
    #expect(free.take(100) == 1000 && free.take(200) == 1100 && free.take(300) == 1300)
    #expect(free.take(64) == nil)
    // The middle last: it joins both neighbours.
    free.give(1000, 100)
    free.give(1300, 300)
    #expect(free.take(301) == nil)
    free.give(1100, 200)
    #expect(free.take(600) == 1000 && free.take(1) == nil)
  }

  @Test func manyThreadsMayTakeAndGive() {
    Parallel.forEach(2000) { range in
      for index in range {
        let storage = Storage(repeating: Scalar(index), count: 5000 + index % 97 * 100)
        let copy = Storage(copying: storage)
        #expect(copy.pointer[copy.count - 1] == Scalar(index))
      }
    }
  }

  @Test func aThreadGetsBackWhatItReleasedLast() {
    func place(_ count: Int) -> UInt { UInt(bitPattern: Storage(count: count).pointer) }
    let first = place(30_000)
    #expect(place(20_000) != first && place(30_000) == first)
  }
}
