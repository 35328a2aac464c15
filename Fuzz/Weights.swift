import Checkpoints
import FileFormats
import Foundation
import Tensors

/// The readers of weights from elsewhere: any file, wherever in it the weights stand, and under whatever names.
func weights(_ files: [[UInt8]]) throws -> [Target] {
  var g = SplittableGenerator(seed: 0)
  let model = Sequential([Linear(3, 2, using: &g), BatchNorm2d(2)])
  let state = model.stateDictionary
  func named(_ rename: (String) -> String) -> StateDictionary {
    StateDictionary(uniqueKeysWithValues: state.map { (rename($0.key), $0.value) })
  }
  let own = [
    Safetensors.encode(state), Safetensors.encode(named { "module._orig_mod.\($0)" }),
    Safetensors.encode(named { $0.hasPrefix("0") ? "model.\($0)" : $0 }.merging(["criterion.w": Tensor(1)]) { $1 }),
  ]
  let renamings = try ["fc=0", "bn="].map { try Renaming($0) }
  let texts = [
    "version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 9\n", "<!DOCTYPE html><title>Quota</title>",
    "{\"weight_map\": {}}", "\u{8}\u{7}\u{12}\u{7}pytorch:::::::::", "MATLAB 5.0",
  ]
  let archives = [["m/archive_format"], ["config.json", "model.weights.h5"], ["a.txt"]].map { names in
    ZipArchive.stored(names.map { ($0, [1]) })
  }
  return [
    Target(name: "weights", corpus: own + files) { bytes in
      let file = try WeightsFile(bytes, from: "fuzz")
      guard file.listing.count <= 100 else { throw Wrong("a listing of \(file.listing.count) lines") }
      let found = try file.fitted(to: model)
      guard found.fit.isComplete else {
        _ = try? file.fitted(to: model, renaming: renamings)
        return
      }
      let taken = try found.state()
      guard Set(taken.keys) == Set(state.keys) else { throw Wrong("the state has names \(taken.keys.sorted())") }
    },
    Target(name: "foreign", corpus: texts.map { Array($0.utf8) } + archives + files) { bytes in
      if let text = ForeignFile.description(of: bytes), text.contains(where: \.isNewline) || text.utf8.count > 2000 {
        throw Wrong("a description of \(text.utf8.count) bytes: \(text.prefix(200))")
      }
    },
  ]
}
