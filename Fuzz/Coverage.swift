import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What libFuzzer calls with each input. It knows no context, so the target is a global.
private nonisolated(unsafe) var explored: Target?

/// Has libFuzzer make inputs for `target` that reach code which none did before; `Scripts/fuzz-coverage` links it.
///
/// - Parameters:
///   - folder: Has the inputs that were worth keeping; the target's corpus is put there.
///   - options: libFuzzer's own.
/// - Returns: Only where libFuzzer is missing, or found nothing to do.
func explore(_ target: Target, in folder: String, _ options: [String]) throws -> Int32 {
  typealias Input = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  typealias Driver =
    @convention(c) (
      UnsafeMutablePointer<Int32>, UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>, Input
    ) -> Int32
  // Found at run time, so that the program builds and runs without it.
  guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "LLVMFuzzerRunDriver") else {
    print("this program is linked without libFuzzer, use Scripts/fuzz-coverage")
    return 1
  }
  let driver = unsafeBitCast(symbol, to: Driver.self)
  for (index, bytes) in target.corpus.enumerated() {
    try Data(bytes).write(to: URL(fileURLWithPath: folder).appendingPathComponent("corpus-\(index)"))
  }
  explored = target
  var words = (["fuzz", folder] + options).map { strdup($0) }
  var count = Int32(words.count)
  words.append(nil)
  return words.withUnsafeMutableBufferPointer { words in
    var words = words.baseAddress!
    return driver(&count, &words) { bytes, count in
      let input = Array(UnsafeBufferPointer(start: bytes, count: count))
      let start = secondsOfProcessor()
      do { try explored!.read(input) } catch let error as Wrong { fatalError("\(error)") } catch {}
      let seconds = secondsOfProcessor() - start
      if seconds > 5 { fatalError("took \(seconds) s") }
      return 0
    }
  }
}

/// libFuzzer's own limit also counts what the machine does otherwise.
private func secondsOfProcessor() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
