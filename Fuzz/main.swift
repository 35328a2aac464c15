// Inputs that are nearly right for every reader of files from outside; see README.md.

import Foundation
import Reports

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.compactMap { Int($0) }
let names = arguments.filter { Int($0) == nil }
let (inputs, seed, only) = (
  numbers.first ?? 10_000, numbers.count > 1 ? numbers[1] : 0, numbers.count > 2 ? numbers[2] : nil
)
let last = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz.last")
try Data().write(to: last)
let note = try FileHandle(forWritingTo: last)
let clock = ContinuousClock()
let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: scratch) }
let targets = try readers(scratch) + runFiles(scratch)
if arguments.first == "readers" {
  print(targets.map(\.name).joined(separator: "\n"))
  exit(0)
}
if arguments.first == "explore", arguments.count > 2 {
  let rest = Array(arguments)
  guard let target = targets.first(where: { $0.name == rest[1] }) else { fatalError("there is no reader '\(rest[1])'") }
  exit(try explore(target, in: rest[2], Array(rest.dropFirst(3))))
}
var (failures, all) = (0, 0)
for target in targets where names.isEmpty || names.contains(target.name) {
  let start = clock.now
  var (refused, slowest) = (0, Duration.zero)
  let inputs = max(1, inputs / target.cost)
  for number in only.map({ $0..<$0 + 1 }) ?? 0..<inputs {
    // Each input stands for itself, so that one can be had again.
    var stirred = SplittableGenerator(seed: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(number))
    var g = SplittableGenerator(seed: stirred.next())
    let bytes = mutated(target.corpus, &g)
    note.seek(toFileOffset: 0)
    note.write(Data("\(target.name) \(seed) \(number)            \n".utf8))
    do {
      let time = try clock.measure {
        do { try target.read(bytes) } catch let error as Wrong { throw error } catch { refused += 1 }
      }
      slowest = max(slowest, time)
      if time > .seconds(1) { throw Wrong("took \(time)") }
    } catch {
      print("\(target.name): input \(number) of seed \(seed): \(error)")
      failures += 1
    }
  }
  all += inputs
  let seconds = (clock.now - start) / .seconds(1)
  print(
    "\(target.name): \(inputs) inputs, \(refused) refused, slowest \(slowest), \(Int(Double(inputs) / max(seconds, 1e-9))) a second"
  )
}
// Address sanitizer keeps what was freed for a while.
let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
let peak = line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? 0
if peak > 2048 { failures += 1 }
print("\(all) inputs, peak memory \(peak) MB, \(failures) wrong")
exit(failures == 0 ? 0 : 1)
