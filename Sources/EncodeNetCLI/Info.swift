import ArgumentParser
import Foundation
import Reports

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describes a network, a data set, or a file of weights.",
    discussion: """
        encodenet info --model vgg16 --data digits
        encodenet info --data folder:photographs --sheet sheet.png

      Of images it prints the classes with their numbers, and of files their formats and sizes and how many cannot be read. \
      Without options it describes a resnet20 for 32 by 32 images in colour.
      """)

  @OptionGroup var network: NetworkOptions
  @Option(help: "The images: \(DataSource.forms).", transform: dataSource)
  var data: DataSource?
  @OptionGroup var dataOptions: DataOptions
  @Option(help: "A PNG file to write, with a row of training images for each class, as a network sees them.")
  var sheet: String?
  @Option(help: "A safetensors or PyTorch file.")
  var weights: String?

  func validate() throws {
    guard sheet == nil || data != nil || dataOptions.list != nil else {
      throw ValidationError("--sheet needs images: give --data")
    }
  }

  func run() throws {
    var reading = dataOptions
    // What cannot be read is part of the description.
    reading.skipUnreadable = true
    let images = try dataOptions.source(data).map { try reading.load($0, for: network.choiceOrDefault) }
    if let images {
      warn(of: images)
      describe(images)
      if let sheet { try write(images, to: sheet) }
    }
    if let weights {
      let url = fileURL(weights)
      let file = try WeightsFile(contentsOf: url)
      if let saved = try SavedClassifier.read(from: url) {
        print(
          "\(saved.model) for images \(saved.imageShape), classes: \(saved.classNames.map { $0.escaped() }.joined(separator: ", "))"
        )
        if let preparation = saved.preparation { print("trained on images of \(preparation)") }
      }
      try describe(file)
    }
    if network.model != nil || (images == nil && weights == nil) {
      let choice = network.choiceOrDefault
      let shape = images?.imageShape ?? [32, 32, 3]
      var generator = SplittableGenerator(seed: 0)
      let network = try choice.make(classes: images?.classNames.count ?? 10, inputShape: shape, using: &generator)
      print(ModelSummary(of: network, input: shape))
    }
  }

  /// Prints the classes, and what the files are.
  private func describe(_ images: DatasetSplit) {
    print(
      "\(images.name): \(images.training.count) training images, \(images.validation.map { "\($0.count) validation images, " } ?? "")\(images.test.count) test images of \(images.imageShape)"
    )
    print("classes: \(images.classNames.map { $0.escaped() }.joined(separator: ", "))")
    print("fingerprint: \(images.fingerprint)")
    if let preparation = images.preparation { print("prepared: \(preparation)") }
    if let survey = images.survey {
      let formats = survey.formats.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
      print("formats: \(formats.map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", "))")
      print("sizes: \(Self.sizes(survey.sizes))")
      print("cannot be read: \(survey.unreadableCount)")
    }
    let parts = [("training", images.training), ("validation", images.validation), ("test", images.test)]
      .compactMap { name, part in part.map { (name, $0) } }
    let counts = parts.map { _, part in
      part.labels.reduce(into: [Int](repeating: 0, count: images.classNames.count)) { $0[$1] += 1 }
    }
    print(
      aligned(
        ["class"] + parts.map(\.0),
        images.classNames.enumerated().map { label, name in [name.escaped(60)] + counts.map { "\($0[label])" } }))
  }

  /// "40 by 30 (3), 640 by 480 (1)": width by height of the few sizes there are, or of the smallest, the median and the largest.
  private static func sizes(_ sizes: [[Int]: Int]) -> String {
    func text(_ size: [Int]) -> String { "\(size[1]) by \(size[0])" }
    let byArea = sizes.sorted { ($0.key[0] * $0.key[1], $0.key[0]) < ($1.key[0] * $1.key[1], $1.key[0]) }
    guard byArea.count > 4 else { return byArea.map { "\(text($0.key)) (\($0.value))" }.joined(separator: ", ") }
    var (middle, count) = (0, byArea.reduce(0) { $0 + $1.value } / 2)
    while count >= byArea[middle].value { (count, middle) = (count - byArea[middle].value, middle + 1) }
    return
      "\(sizes.count) sizes from \(text(byArea[0].key)) to \(text(byArea.last!.key)), the median \(text(byArea[middle].key))"
  }

  /// Writes the contact sheet, and prints what its rows are.
  private func write(_ images: DatasetSplit, to path: String) throws {
    let (picture, classes) = images.training.contactSheet()
    try writeAtomically(picture.png(), to: fileURL(path))
    let names = classes.enumerated().map { "\($0 + 1) \(images.classNames[$1].escaped(40))" }
    print("\(path): a row for each class: \(names.joined(separator: ", "))")
  }

  /// Prints the maps of tensors in `file`, and the tensors of the largest.
  private func describe(_ file: WeightsFile) throws {
    if file.maps.count > 1 || file.maps[0].path != "" {
      print("maps of tensors: \(file.listing.joined(separator: "; "))")
    }
    for note in file.notes { print("note: \(note)") }
    let map = try file.largest()
    for unread in map.unread { print("left unread: \(unread.escaped())") }
    print(aligned(["tensor", "shape"], map.shapes.keys.sorted().map { [$0, "\(map.shapes[$0]!)"] }))
    try map.tensors().requireFinite(in: file.file)
  }
}
