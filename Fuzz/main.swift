// Inputs that are nearly right for every reader of files from outside; see README.md.

import Checkpoints
import Datasets
import EncodeNet
import Foundation

/// A reader, and inputs that it takes.
struct Target {
  let name: String
  let corpus: [[UInt8]]
  let read: ([UInt8]) throws -> Void
}

/// A well-formed input with some of its bytes changed, moved or lost.
func mutated(_ corpus: [[UInt8]], _ g: inout SplittableGenerator) -> [UInt8] {
  var bytes = corpus.randomElement(using: &g)!
  let interesting: [UInt64] = [
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 62, 1 << 63, .max,
  ]
  for _ in 0..<Int.random(in: 1...6, using: &g) {
    guard !bytes.isEmpty else { break }
    // Headers matter most.
    let end = Bool.random(using: &g) ? bytes.count : min(bytes.count, 96)
    let place = Int.random(in: 0..<end, using: &g)
    switch Int.random(in: 0..<9, using: &g) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &g)
    case 1: bytes[place] = UInt8.random(in: 0...255, using: &g)
    case 2: bytes.insert(UInt8.random(in: 0...255, using: &g), at: place)
    case 3: bytes.remove(at: place)
    case 4: bytes.removeSubrange(place...)
    case 5:
      let value = interesting.randomElement(using: &g)!
      for (offset, index) in (place..<min(place + 8, bytes.count)).enumerated() {
        bytes[index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))
      }
    case 6:
      let from = Int.random(in: 0..<bytes.count, using: &g)
      let piece = Array(bytes[from..<min(from + Int.random(in: 1...64, using: &g), bytes.count)])
      bytes.insert(contentsOf: piece, at: place)
    case 7:
      let other = corpus.randomElement(using: &g)!
      bytes = bytes.prefix(place) + other.suffix(max(0, other.count - place))
    default:
      // Digits decide shapes and lengths in text.
      guard let digit = bytes[place...].firstIndex(where: { (48...57).contains($0) }) else { continue }
      bytes.replaceSubrange(digit...digit, with: Array("\(interesting.randomElement(using: &g)!)".utf8))
    }
  }
  return bytes
}

func targets() throws -> [Target] {
  var g = SplittableGenerator(seed: 0)
  let tensors: StateDictionary = ["a": .normal([3, 2], using: &g), "b.weight": .normal([2, 1, 3, 3], using: &g)]
  let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Tests/CheckpointsTests/Fixtures")
  func files(_ ending: String) throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(at: fixtures, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
  }
  let picture = DecodedImage(pixels: (0..<192).map { UInt8($0) }, shape: [8, 8, 3])
  let grey = DecodedImage(pixels: (0..<30).map { UInt8($0 * 8) }, shape: [5, 6, 1])
  let configuration = [UInt8](try JSONEncoder().encode(try ExperimentConfiguration.preset("ablation")))
  let arms = #"{"seeds":[1],"arms":["A2",{"arm":"A3","id":"x","conversion":{"target":"medoid"}}],"subset":9}"#
  let idx: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2] + [UInt8](repeating: 7, count: 12)
  let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)")
  return [
    Target(
      name: "safetensors",
      corpus: [
        Safetensors.encode(tensors), Safetensors.encode(tensors, metadata: ["key": "value"]), Safetensors.encode([:]),
      ]
    ) { _ = try Safetensors.decode($0) },
    Target(name: "pytorch", corpus: try files("pt")) { _ = try PyTorchFile.decode($0, from: "fuzz") },
    Target(
      name: "npy", corpus: [NumPy.encode(tensors["a"]!), NumPy.encode(Tensor(1)), NumPy.encode(tensors["b.weight"]!)]
    ) { _ = try NumPy.decode($0, from: "fuzz") },
    Target(name: "npz", corpus: try files("npz")) { _ = try NumPy.decodeArchive($0, from: "fuzz") },
    Target(name: "image", corpus: [picture.png(), grey.png()] + jpegs()) { _ = try DecodedImage(encoded: $0) },
    Target(name: "configuration", corpus: [configuration, Array(arms.utf8)]) {
      _ = try ExperimentConfiguration.decoded(from: Data($0))
    },
    Target(name: "idx", corpus: [idx]) { bytes in
      try Data(bytes).write(to: scratch)
      defer { try? FileManager.default.removeItem(at: scratch) }
      _ = try IDX.read(scratch, axes: 3)
    },
  ]
}

/// Two colours as JPEG: baseline and progressive.
func jpegs() -> [[UInt8]] {
  [
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
    Cgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREA
    AhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAWAQEBAQAAAAAAAAAAAAAAAAAKCAn/xAAUEQEAAAAAAAAA
    AAAAAAAAAAAA/9oADAMBAAIRAxEAPwAXpTb+CGVQNe//2Q==
    """,
    """
    /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkK
    Cgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wgARCAAIABADASIA
    AhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAf/xAAUAQEAAAAAAAAAAAAAAAAAAAAH/9oADAMBAAIQAxAAAAGLyEVGr//EABQQAQAAAAAAAAAAAAAA
    AAAAABD/2gAIAQEAAQUCP//EABgRAAIDAAAAAAAAAAAAAAAAAAAIRYPD/9oACAEDAQE/AWGjLsj/xAAYEQACAwAAAAAAAAAAAAAAAAAACEWDw//aAAgB
    AgEBPwFZZWjY/8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQAGPwI//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABPyE//9oADAMBAAIAAwAA
    ABAD/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPxAf/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxAn/8QAFBABAAAAAAAAAAAAAAAA
    AAAAEP/aAAgBAQABPxA//9k=
    """,
  ].map { [UInt8](Data(base64Encoded: $0, options: .ignoreUnknownCharacters)!) }
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let (inputs, seed, only) = (
  arguments.first ?? 10_000, arguments.count > 1 ? arguments[1] : 0, arguments.count > 2 ? arguments[2] : nil
)
let last = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz.last")
try Data().write(to: last)
let note = try FileHandle(forWritingTo: last)
let clock = ContinuousClock()
var failures = 0
for target in try targets() {
  let start = clock.now
  var (refused, slowest) = (0, Duration.zero)
  for number in only.map({ $0..<$0 + 1 }) ?? 0..<inputs {
    // Each input stands for itself, so that one can be had again.
    var stirred = SplittableGenerator(seed: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(number))
    var g = SplittableGenerator(seed: stirred.next())
    let bytes = mutated(target.corpus, &g)
    note.seek(toFileOffset: 0)
    note.write(Data("\(target.name) \(seed) \(number)            \n".utf8))
    let time = clock.measure { do { try target.read(bytes) } catch { refused += 1 } }
    slowest = max(slowest, time)
    if time > .seconds(1) {
      print("\(target.name): input \(number) of seed \(seed) took \(time)")
      failures += 1
    }
  }
  let seconds = (clock.now - start) / .seconds(1)
  print(
    "\(target.name): \(inputs) inputs, \(refused) refused, slowest \(slowest), \(Int(Double(inputs) / max(seconds, 1e-9))) a second"
  )
}
// Address sanitizer keeps what was freed for a while.
let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }
let peak = line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 / 1024 } ?? 0
print("peak memory \(peak) MB")
if peak > 2048 { failures += 1 }
exit(failures == 0 ? 0 : 1)
