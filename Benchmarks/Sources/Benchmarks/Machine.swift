import CMachine
import Dispatch

/// What this machine can do at most, measured when the benchmarks start.
struct Machine {
  /// Single-precision operations a second on all threads, in 10⁹.
  let gigaflops: Double
  /// Bytes read from memory a second on all threads, in 10⁹.
  let gigabytes: Double
  /// What it takes to hand a line of a cache to another thread and back, in 10⁻⁹ seconds; nil on one thread.
  let nanoseconds: Double?

  init(threads: Int) {
    let rounds = 20_000_000
    let arithmetic = Timing(seconds: 1) {
      DispatchQueue.concurrentPerform(iterations: threads) { _ in
        var sink: Float = 0
        _ = machine_multiply_adds(rounds, &sink)
      }
    }
    var sink: Float = 0
    gigaflops = machine_multiply_adds(rounds, &sink) * Double(threads) / arithmetic.milliseconds[0] / 1e6
    let count = 64 << 20
    let numbers = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer { numbers.deallocate() }
    numbers.initialize(repeating: 1)
    nonisolated(unsafe) let x = numbers.baseAddress!
    let reading = Timing(seconds: 1) {
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        _ = machine_read(x + count / threads * thread, count / threads)
      }
    }
    gigabytes = Double(count * 4) / reading.milliseconds[0] / 1e6
    nanoseconds = threads > 1 ? machine_pass_a_line(100_000) : nil
  }
}
