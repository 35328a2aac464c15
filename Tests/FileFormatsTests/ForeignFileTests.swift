import Testing

@testable import FileFormats

struct ForeignFileTests {
  @Test(
    arguments: [
      ("", "is empty"),
      (
        "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 1118213\n",
        "a Git LFS pointer to a file of 1118213 bytes"
      ),
      (
        "\u{feff}<!DOCTYPE html><html><head><title>Virus scan\nwarning</title>", "an HTML page ('Virus scan\\nwarning')"
      ),
      ("<html>", "an HTML page, not weights"), ("<?xml version='1.0'?><Error/>", "XML or HTML text"),
      ("{\"a\": 1}", "JSON text"), ("{\"weight_map\": {}}", "the index of weights in several safetensors files"),
      ("404: Not Found", "text, not weights: it begins with '404: Not Found'"), ("\u{1f}\u{8b}", ""),
      ("BZh91AY", "packed by bzip2"), ("MATLAB 5.0 MAT-file", "a MATLAB file"), ("GGUF", "GGUF"), ("\u{1}\u{2}", ""),
    ])
  func textAndMagicNumbersAreTold(content: String, says: String) {
    let description = ForeignFile.description(of: Array(content.utf8))
    #expect(says.isEmpty ? description == nil : description?.contains(says) == true, "\(description ?? "nothing")")
  }

  @Test(
    arguments: [
      ([0x1f, 0x8b, 8], "is gzipped"), ([0x28, 0xb5, 0x2f, 0xfd], "packed by zstd"),
      ([0x80, 4, 0x95], "a plain pickle"),
      ([8, 7, 0x12, 7] + [UInt8](repeating: 0x70, count: 6), "an ONNX network"),
      ([0xff, 0xd8, 0xff, 0xe0], "a JPEG image"),
      ([24, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8), "a safetensors file"),
      ([UInt8](repeating: 0, count: 257) + Array("ustar".utf8), "a tar archive"),
      ([0x93] + Array("NUMPY".utf8), "one array of NumPy"),
    ] as [([UInt8], String)])
  func bytesAreTold(content: [UInt8], says: String) {
    let description = ForeignFile.description(of: content)
    #expect(description?.contains(says) == true, "\(description ?? "nothing")")
  }

  @Test(
    arguments: [
      (["m/data.pkl"], "a PyTorch file"), (["m/archive_format", "m/models/model.json"], "torch.export (.pt2)"),
      (["config.json", "model.weights.h5"], "Keras 3 (.keras): unpack 'model.weights.h5'"), (["a.npy"], ".npz"),
      (["a.txt", "b\n.txt"], "a zip archive of 2 members, such as 'a.txt', 'b\\n.txt'"),
      ([], "a zip archive of 0 members"),
    ])
  func zipArchivesAreToldByTheirMembers(names: [String], says: String) {
    let description = ForeignFile.description(of: ZipArchive.stored(names.map { ($0, [1]) }))
    #expect(description?.contains(says) == true, "\(description ?? "nothing")")
  }

  @Test func textForMessagesIsOneLineWithoutControlCharacters() {
    #expect("a\nb\tc\u{1b}[31m\u{202e}ä".escaped() == "a\\nb\\tc\\u{1b}[31m\\u{202e}ä")
    #expect("abcdef".escaped(3) == "abc…")
  }
}
