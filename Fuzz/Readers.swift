import Checkpoints
import Datasets
import FileFormats
import Foundation
import Reports

/// A reader, and inputs that it takes.
struct Target {
  let name: String
  let corpus: [[UInt8]]
  /// How many times fewer inputs it gets.
  var cost = 1
  let read: ([UInt8]) throws -> Void
}

/// What no reader may do.
struct Wrong: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The readers of files from outside.
func readers(_ scratch: URL) throws -> [Target] {
  var g = SplittableGenerator(seed: 0)
  let tensors: StateDictionary = ["a": .normal([3, 2], using: &g), "b.weight": .normal([2, 1, 3, 3], using: &g)]
  let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  let fixtures = here.deletingLastPathComponent().appendingPathComponent("Tests/CheckpointsTests/Fixtures")
  func files(_ folder: URL, _ ending: String? = nil) throws -> [[UInt8]] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { ending == nil || $0.pathExtension == ending }.sorted { $0.path < $1.path }
      .map { [UInt8](try Data(contentsOf: $0)) }
  }
  func corpus(_ name: String) throws -> [[UInt8]] { try files(here.appendingPathComponent("Corpus/\(name)")) }
  func onDisk(_ read: @escaping (URL) throws -> Void) -> ([UInt8]) throws -> Void {
    let file = scratch.appendingPathComponent("input")
    return { bytes in
      try Data(bytes).write(to: file)
      try read(file)
    }
  }
  let configuration = [UInt8](try JSONEncoder().encode(try ExperimentConfiguration.preset("ablation")))
  let arms = #"{"seeds":[1],"arms":["A2",{"arm":"A3","id":"x","conversion":{"target":"medoid"}}],"subset":9}"#
  let given = #"{"baseline":{"weights":"w","normalization":{"mean":[0.5],"deviation":[0.2]}},"learningRate":0.1}"#
  let idx: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 2] + [UInt8](repeating: 7, count: 12)
  let archive = onDisk { _ = try CIFAR.hundred.load($0, images: (2, 1)) }
  var all = [
    Target(
      name: "safetensors",
      corpus: [
        Safetensors.encode(tensors), Safetensors.encode(tensors, metadata: ["key": "value"]), Safetensors.encode([:]),
      ]
    ) { _ = try Safetensors.decode($0) },
    Target(name: "pytorch", corpus: try files(fixtures, "pt")) { _ = try PyTorchFile.decode($0, from: "fuzz") },
    Target(
      name: "npy", corpus: [NumPy.encode(tensors["a"]!), NumPy.encode(Tensor(1)), NumPy.encode(tensors["b.weight"]!)]
    ) { _ = try NumPy.decode($0, from: "fuzz") },
    Target(name: "npz", corpus: try files(fixtures, "npz")) { _ = try NumPy.decodeArchive($0, from: "fuzz") },
    Target(name: "pickle", corpus: try corpus("pickle")) { _ = try Unpickler.unpickle($0, .arrays, from: "fuzz") },
    Target(name: "cifar", corpus: try corpus("cifar"), cost: 5) { try archive(withRightSums($0)) },
    Target(name: "idx", corpus: [idx], cost: 5, read: onDisk { _ = try IDX.read($0, axes: 3) }),
    Target(name: "configuration", corpus: [configuration, Array(arms.utf8), Array(given.utf8)], cost: 20) {
      _ = try ExperimentConfiguration.decoded(from: Data($0))
    },
  ]
  all += try images(scratch, corpus("image"), onDisk)
  all += try weights(files(fixtures, "pt") + files(fixtures, "npz"))
  if KerasFile.isReadable {
    let model = Sequential([
      Conv2d(2, 3, kernelSize: 3, bias: false, using: &g), BatchNorm2d(3), Conv2d(3, 4, kernelSize: 3, using: &g),
      BatchNorm2d(4), Linear(4, 3, using: &g),
    ])
    all.append(
      Target(
        name: "keras", corpus: try files(fixtures, "h5"), cost: 5,
        read: onDisk { _ = try KerasFile.state(from: $0, for: model) }))
  }
  return all
}

/// The readers of images, and of lists of them.
private func images(
  _ scratch: URL, _ corpus: [[UInt8]], _ onDisk: (@escaping (URL) throws -> Void) -> ([UInt8]) throws -> Void
) throws -> [Target] {
  let picture = DecodedImage(pixels: (0..<192).map { UInt8($0) }, shape: [8, 8, 3])
  let grey = DecodedImage(pixels: (0..<30).map { UInt8($0 * 8) }, shape: [5, 6, 1])
  let (list, coco) = try labels()
  let images = try imageFiles("images") { (fixtures: Files) in fixtures.files }
  let reduced = try imageFiles("reduced") { (files: [Files.File]) in files }([""])
  return [
    Target(name: "image", corpus: [picture.png(), grey.png()] + corpus + images(["png", "jpg"])) {
      _ = try DecodedImage(encoded: $0)
    },
    Target(name: "prepared", corpus: corpus + images(["jpg"]) + reduced, read: prepare),
    Target(name: "augmentation", corpus: augmentations(), read: augment),
    Target(name: "webp", corpus: images(["webp"])) { _ = try DecodedImage(encoded: $0) },
    Target(name: "bitmap", corpus: images(["bmp", "ppm", "pgm", "pbm"])) { _ = try DecodedImage(encoded: $0) },
    Target(name: "list", corpus: list, cost: 5, read: onDisk { _ = try ImageList.load($0) }),
    Target(
      name: "coco", corpus: coco, cost: 5, read: onDisk { _ = try COCO.load(annotations: $0, images: scratch) }),
  ]
}

/// What the fixtures of images have.
private struct Files: Decodable {
  struct File: Decodable {
    let name: String
    let file: Data
  }
  let files: [File]
}

/// The files in fixtures of images, by the endings of their names.
private func imageFiles<Fixtures: Decodable>(
  _ name: String, _ files: (Fixtures) -> [Files.File]
) throws -> ([String]) -> [[UInt8]] {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let file = root.appendingPathComponent("Tests/DatasetsTests/Fixtures/\(name).json")
  let all = files(try JSONDecoder().decode(Fixtures.self, from: Data(contentsOf: file)))
  return { endings in
    all.filter { file in endings.contains { $0.isEmpty || file.name.hasSuffix(".\($0)") } }.map { [UInt8]($0.file) }
  }
}

/// Decodes an image in sizes for which JPEGs are decoded at every scale.
private func prepare(_ bytes: [UInt8]) throws {
  for (side, fit) in [(1, ImagePreparation.Fit.stretch), (6, .resize), (15, .pad)] {
    let image = try DecodedImage(
      encoded: bytes, preparedBy: ImagePreparation(size: ImageSize(height: side, width: side + 1), fit: fit))
    guard image.shape.dimensions.dropLast() == [side, side + 1] else { throw Wrong("the image is \(image.shape)") }
  }
}

/// Lists of changes of images, with every form that each has.
private func augmentations() -> [[UInt8]] {
  [
    #"["flip",{"crop":4},{"shift":1},{"cutout":8},"resizedCrop","colourJitter","randomErasing","trivialAugment","randAugment"]"#,
    #"[{"resizedCrop":{"area":[0.25,1],"aspect":[0.75,1.34]}},{"colourJitter":{"brightness":0.4,"hue":0.1}}]"#,
    #"[{"randomErasing":{"probability":0.25,"area":[0.02,0.2]}},{"randAugment":{"operations":2,"magnitude":9}}]"#,
    #"{"steps":[{"mirror":{}},{"cutout":{"_0":8}},{"translate":{"by":4,"repeatsEdge":false}}]}"#,
  ].map { Array($0.utf8) }
}

/// Changes an image as a list of changes says, which is then written and read again.
private func augment(_ json: [UInt8]) throws {
  let augmentation = try JSONDecoder().decode(Augmentation.self, from: Data(json))
  let again = try JSONDecoder().decode(Augmentation.self, from: JSONEncoder().encode(augmentation))
  guard again == augmentation else { throw Wrong("\(augmentation) is read as \(again)") }
  let images = try LabeledImages(
    name: "fuzz", pixels: (0..<2 * 105).map { UInt8($0) }, labels: [0, 0], imageShape: [5, 7, 3], classNames: ["a"])
  for batch in Batches(of: images, size: 2, shuffledBy: SplittableGenerator(seed: 1), augmentation: augmentation) {
    guard batch.images.scalars.allSatisfy({ (0...1).contains($0) }) else { throw Wrong("a value outside of 0...1") }
  }
}

/// Lists of images, and COCO's annotations.
private func labels() throws -> (lists: [[UInt8]], coco: [[UInt8]]) {
  let lists = [
    "path,label,split\na.png,x,train\n\"b, c.png\",\"y \"\"z\"\"\",test\n", "a.png\t1\nb.png\t2\n",
    #"[{"path":"a.png","label":"x"},{"file":"b.png","class":2,"box":[1,{"y":"]"}]}]"#, #"{"a.png":"x","b.png":"y"}"#,
  ]
  let box = { (image: Int, category: Int) in
    #"{"segmentation":[[1.5,2]],"iscrowd":0,"image_id":\#(image),"bbox":[1.5,2,30,40],"category_id":\#(category)}"#
  }
  let coco =
    #"{"info":{"a":[{}]},"images":[{"id":1,"file_name":"a.png"},{"id":2,"file_name":"b.png"}],"annotations":["#
    + [box(1, 1), box(1, 2), box(2, 1)].joined(separator: ",")
    + #"],"categories":[{"id":1,"name":"x"},{"id":2,"name":"y"}]}"#
  return (lists.map { Array($0.utf8) }, [Array(coco.utf8)])
}

/// A tar archive whose headers' checksums are right again: else no other damage to a header would be seen.
private func withRightSums(_ archive: [UInt8]) -> [UInt8] {
  var bytes = archive
  for start in stride(from: 0, through: bytes.count - 512, by: 512)
  where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
    let field = start + 148..<start + 156
    bytes.replaceSubrange(field, with: repeatElement(UInt8(ascii: " "), count: 8))
    let digits = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
    bytes.replaceSubrange(field.prefix(6), with: (String(repeating: "0", count: 6 - digits.count) + digits).utf8)
    bytes[start + 154] = 0
  }
  return bytes
}
