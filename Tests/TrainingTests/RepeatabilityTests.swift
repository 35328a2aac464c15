import Foundation
import Kernels
import Testing
import Training

/// Random images of two classes, a batch of them for each step.
private struct Images: BatchSource {
  var batchCount: Int
  func epoch(_ number: Int) -> [ToyBatch] {
    var g = SplittableGenerator(seed: UInt64(number))
    return (0..<batchCount).map { _ in
      ToyBatch(
        images: .normal([8, 16, 16, 3], using: &g), labels: (0..<8).map { _ in Int.random(in: 0...1, using: &g) })
    }
  }
}

struct RepeatabilityTests {
  /// The weights of a small residual network after some steps on so many threads.
  private func trained(threads: Int, steps: Int = 10) throws -> [Scalar] {
    try Parallel.withThreads(threads) {
      var g = SplittableGenerator(seed: 1)
      let model = ResNet(depth: 8, classes: 2, shortcut: .identity, using: &g)
      var fit = Fit(
        model, to: Images(batchCount: steps), loss: crossEntropy,
        optimizer: SGD(model, learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4), epochs: 1)
      _ = try fit.run()
      return model.stateDictionary.sorted { $0.key < $1.key }.flatMap(\.value.scalars)
    }
  }

  @Test func theSameSeedAndThreadsGiveTheSameBytes() throws {
    for threads in 1...3 {
      let (first, second) = (try trained(threads: threads), try trained(threads: threads))
      #expect(first.elementsEqual(second) { $0.bitPattern == $1.bitPattern }, "\(threads) threads")
    }
  }

  /// Sums are taken in another order, which changes their last digits. From the second step on an activation next to zero may
  /// fall on ReLU's other side, and the runs part.
  @Test func anotherNumberOfThreadsChangesTheLastDigitsAtFirst() throws {
    for (steps, most) in [(1, 1e-6), (10, 0.1)] {
      let (one, two) = (try trained(threads: 1, steps: steps), try trained(threads: 2, steps: steps))
      let largest = zip(one, two).map { abs(Double($0 - $1)) }.max()!
      let differing = zip(one, two).filter { $0 != $1 }.count
      let found = "\(differing) of \(one.count) numbers differ after \(steps) steps, by \(largest) at most"
      print("1 and 2 threads: \(found)")
      #expect(largest < most, "\(found)")
    }
  }

  /// Blocks that are given back serve the next step; what a tape keeps goes with it. In a process of its own, as other tests
  /// take memory too.
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/statm"), "no /proc tells the memory here"),
    .disabled(if: isUnderSanitizer, "a sanitizer keeps what was freed"))
  func aThousandStepsDoNotGrowMemory() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      func residentBytes() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Int(fields[1])! * Int(sysconf(Int32(_SC_PAGESIZE)))
      }
      var g = SplittableGenerator(seed: 1)
      let model = ResNet(depth: 8, classes: 2, shortcut: .identity, using: &g)
      var memory: [Int] = []
      var fit = Fit(
        model, to: Images(batchCount: 100), loss: crossEntropy, optimizer: Adam(model, learningRate: 0.01), epochs: 12)
      while fit.next() != nil { memory.append(try residentBytes()) }
      precondition(memory.count == 12, "a loss that is not finite ended the run")
      let grown = memory[11] - memory[1]
      precondition(grown < 4 << 20, "\(grown) bytes in 1,000 steps; after each hundred: \(memory)")
      FileHandle.standardError.write(Data("after each hundred steps: \(memory.map { $0 >> 10 }) KiB\n".utf8))
    }
    let words = result.map { String(decoding: $0.standardErrorContent.suffix(400), as: UTF8.self) } ?? ""
    print(words)
  }
}

private let isUnderSanitizer: Bool = {
  let process = dlopen(nil, RTLD_NOW)
  return dlsym(process, "__asan_init") != nil || dlsym(process, "__tsan_init") != nil
}()
