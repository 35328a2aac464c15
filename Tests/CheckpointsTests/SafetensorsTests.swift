import FileFormats
import Foundation
import TestSupport
import Testing

@testable import Checkpoints

struct SafetensorsTests {
  private let tensors: StateDictionary = [
    "a": Tensor([1, -2.5, 3, 0.25], shape: [2, 2]), "b.weight": Tensor(7), "empty": Tensor([], shape: [0, 3]),
  ]

  @Test func aWrittenFileReadsBackBitForBit() throws {
    try withFolder { folder in
      let url = folder.appendingPathComponent("state.safetensors")
      try Safetensors.save(tensors, metadata: ["epoch": "3"], to: url)
      try Safetensors.save(tensors, metadata: ["epoch": "4"], to: url)
      let (read, metadata) = try Safetensors.read(url)
      #expect(metadata == ["epoch": "4"])
      #expect(read.mapValues(\.scalars) == tensors.mapValues(\.scalars))
      #expect(read.mapValues(\.shape) == tensors.mapValues(\.shape))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["state.safetensors"])
    }
  }

  @Test(
    arguments: [
      ("F64", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5), ("F32", [0, 0, 0xc0, 0xbf], -1.5), ("F16", [0, 0x3e], 1.5),
      ("F16", [1, 0], 0x1p-24), ("F16", [0, 0xfc], -Scalar.infinity), ("BF16", [0xc0, 0x3f], 1.5),
      ("I64", [0xfe, 255, 255, 255, 255, 255, 255, 255], -2), ("I32", [0xfe, 255, 255, 255], -2), ("I16", [0, 1], 256),
      ("I8", [0xff], -1), ("U8", [0xff], 255), ("BOOL", [1], 1),
    ] as [(String, [UInt8], Scalar)])
  func everyElementTypeIsConverted(type: String, bytes: [UInt8], value: Scalar) throws {
    let content = file(#"{"x":{"dtype":"\#(type)","shape":[1],"data_offsets":[0,\#(bytes.count)]}}"#, bytes)
    #expect(try Safetensors.decode(content).tensors["x"]?.item == value)
  }

  @Test(arguments: [
    (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "'x'"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 4, "'x'"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "'x'"),
    (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "'x'"),
    (#"{"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "'x'"),
    (#"{"x":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "'x'"),
    (#"{"x":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}"#, 1, "'F8'"),
    (
      #"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"y":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#, 4,
      "'x' and 'y' overlap"
    ),
    (#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, 2, "before 'x'"),
    (#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 2, "2 bytes of data"),
    (#"{"x":[]}"#, 0, "header"), ("nonsense", 0, "header"),
  ])
  func aDamagedHeaderIsRefusedByName(header: String, dataCount: Int, problem: String) {
    let error = #expect(throws: CheckpointError.self) {
      _ = try Safetensors.decode(file(header, [UInt8](repeating: 0, count: dataCount)), from: "bad.safetensors")
    }
    #expect(error?.description.contains(problem) == true)
    #expect(error?.file == "bad.safetensors")
  }

  @Test func aCutFileSaysAtWhichByte() {
    let whole = Safetensors.encode(tensors)
    let header = 8 + Int(whole[0]) + 256 * Int(whole[1])
    for count in 9..<whole.count {
      let error = #expect(throws: CheckpointError.self) { try Safetensors.decode(Array(whole.prefix(count))) }
      #expect(
        error?.problem.hasPrefix("is cut off: it ends") == true && error?.problem.contains("at byte \(count)") == true,
        "\(count) of \(header), \(whole.count): \(error?.problem ?? "")")
    }
  }

  @Test func aHeaderLongerThanTheFileIsRefused() {
    for length: UInt64 in [3, 1 << 40, .max] {
      #expect(throws: CheckpointError.self) {
        try Safetensors.decode(withUnsafeBytes(of: length.littleEndian) { Array($0) } + [0x7b, 0x7d])
      }
    }
    #expect(throws: CheckpointError.self) { try Safetensors.decode([1, 2, 3]) }
  }

  @Test func whatIsNoFileOrCannotBeWrittenIsNamed() {
    for path in ["/dev/zero", "/", "/nowhere/at/all"] {
      let error = #expect(throws: CheckpointError.self) { try Safetensors.load(URL(fileURLWithPath: path)) }
      #expect(error?.file == path)
    }
    #expect(throws: CheckpointError.self) { try writeAtomically([1], to: URL(fileURLWithPath: "/nowhere/file")) }
  }

  private func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
  }
}
