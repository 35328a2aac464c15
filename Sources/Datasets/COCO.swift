import FileFormats
import Foundation

/// Objects in photographs, as COCO annotates them: each box becomes a crop of its category.
///
/// Lin et al.: "Microsoft COCO: common objects in context", arXiv 1405.0312; the format: https://cocodataset.org/#format-data.
public enum COCO {
  /// The smallest side of a box in pixels: what is smaller shows too little.
  public static let smallestSide = 16

  /// Reads the crops of `instances_*.json` out of the images in a folder.
  ///
  /// Crowds and boxes with a side below 16 pixels are left out, and counted in ``DatasetSplit/notices``, as are categories without
  /// crops. Classes are in the order of their names' code points.
  ///
  /// - Parameters:
  ///   - test: The annotations and images for testing; with nil a fifth of the images, whole ones, drawn by `seed`.
  /// - Throws: Where the annotations are none, or an image is missing or cannot be read.
  public static func load(
    annotations: URL, images: URL, test: (annotations: URL, images: URL)? = nil,
    _ options: ImageOptions = ImageOptions(), seed: UInt64 = 0
  ) throws(DataError) -> DatasetSplit {
    let training = try Annotations(annotations)
    var others: Annotations?
    if let test { others = try Annotations(test.annotations) }
    var leftOut = LeftOut(root: images)
    let used = Set(training.boxes.filter(\.isUsed).map(\.category))
    let names = Set(used.compactMap { training.categories[$0] }).sorted(by: inOrderOfCodePoints)
    guard names.count > 1 else {
      throw DataError("boxes of \(names.count) categories; there must be at least two classes", in: annotations.path)
    }
    var listing = ImageListing(
      name: annotations.deletingPathExtension().lastPathComponent, root: images,
      training: try training.part(names, images, &leftOut), leftOut: leftOut)
    if let test, let others { listing.test = try others.part(names, test.images, &listing.leftOut) }
    listing.isOfBoxes = true
    let unused = Set(training.categories.values).subtracting(names).sorted(by: inOrderOfCodePoints)
    if !unused.isEmpty {
      listing.notices.append(
        "\(unused.count) categories have no boxes that are used: \(unused.prefix(5).map { $0.escaped(40) }.joined(separator: ", "))"
      )
    }
    return try ImageReader.read(listing, options, seed: seed)
  }

  /// What a file of annotations says.
  private struct Annotations {
    struct Box {
      var image = 0
      var category = 0
      var isCrowd = false
      var box: PixelBox?
      var isUsed: Bool { !isCrowd && box.map { min($0.height, $0.width) >= COCO.smallestSide } ?? false }
    }
    let file: String
    var images: [Int: String] = [:]
    var categories: [Int: String] = [:]
    var boxes: [Box] = []

    init(_ url: URL) throws(DataError) {
      file = url.path
      var (images, categories, boxes): ([Int: String], [Int: String], [Box]) = ([:], [:], [])
      try JSONCursor.withContents(of: url) { (cursor) throws(DataError) in
        try cursor.object { (cursor, key) throws(DataError) in
          switch key {
          case "images": try Self.names(&cursor, "file_name", &images)
          case "categories": try Self.names(&cursor, "name", &categories)
          case "annotations":
            try cursor.array { (cursor) throws(DataError) in boxes.append(try Self.box(&cursor)) }
          default: try cursor.skip()
          }
        }
        guard cursor.peek() == nil else { throw cursor.problem("the end") }
      }
      guard !images.isEmpty, !categories.isEmpty, !boxes.isEmpty else {
        throw DataError(
          "\(images.count) images, \(categories.count) categories and \(boxes.count) annotations",
          wanted: "COCO's 'images', 'categories' and 'annotations'", in: url.path)
      }
      (self.images, self.categories, self.boxes) = (images, categories, boxes)
    }

    /// Reads a list of objects with a number and a name.
    private static func names(
      _ cursor: inout JSONCursor, _ wanted: String, _ names: inout [Int: String]
    ) throws(DataError) {
      try cursor.array { (cursor) throws(DataError) in
        var (id, name): (Int?, String?)
        let before = cursor
        try cursor.object { (cursor, key) throws(DataError) in
          switch key {
          case "id": id = try cursor.integer()
          case wanted: name = try cursor.string()
          default: try cursor.skip()
          }
        }
        guard let id, let name else { throw before.problem("an object with 'id' and '\(wanted)'") }
        guard names.updateValue(name, forKey: id) == nil else { throw before.problem("each 'id' once") }
      }
    }

    private static func box(_ cursor: inout JSONCursor) throws(DataError) -> Box {
      var (box, sides): (Box, [Double]) = (Box(), [])
      var keys = 0
      let before = cursor
      try cursor.object { (cursor, key) throws(DataError) in
        switch key {
        case "image_id": (box.image, keys) = (try cursor.integer(), keys | 1)
        case "category_id": (box.category, keys) = (try cursor.integer(), keys | 2)
        case "iscrowd": box.isCrowd = try cursor.integer() != 0
        case "bbox": try cursor.array { (cursor) throws(DataError) in sides.append(try cursor.number()) }
        default: try cursor.skip()
        }
      }
      guard keys == 3, sides.count == 4 else {
        throw before.problem("an object with 'image_id', 'category_id' and 'bbox' of four numbers")
      }
      // From the first pixel that it touches to the last.
      let (left, top) = (sides[0].rounded(.down), sides[1].rounded(.down))
      let (right, bottom) = ((sides[0] + sides[2]).rounded(.up), (sides[1] + sides[3]).rounded(.up))
      guard sides[2] >= 0, sides[3] >= 0, [left, top, right, bottom].allSatisfy({ abs($0) < 1e6 }) else {
        throw before.problem("a 'bbox' of left, top, width and height in pixels")
      }
      // By the width that is written, not by the pixels that it touches.
      if min(sides[2], sides[3]) >= Double(COCO.smallestSide) {
        box.box = PixelBox(top: Int(top), left: Int(left), height: Int(bottom - top), width: Int(right - left))
      }
      return box
    }

    /// The crops of the classes `names`, image by image.
    func part(_ names: [String], _ folder: URL, _ leftOut: inout LeftOut) throws(DataError) -> ImageListing.Part {
      let labels = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
      var part = ImageListing.Part(classNames: names)
      for box in boxes.enumerated().sorted(by: { ($0.element.image, $0.offset) < ($1.element.image, $1.offset) }) {
        let (index, box) = (box.offset, box.element)
        guard let image = images[box.image], let category = categories[box.category] else {
          let what = images[box.image] == nil ? "image \(box.image)" : "category \(box.category)"
          throw DataError("annotation \(index) is of \(what), which the file does not have", in: file)
        }
        let path = "\(folder.path)/\(image)"
        guard !box.isCrowd else {
          leftOut.add("box of a crowd", path)
          continue
        }
        guard let pixels = box.box else {
          leftOut.add("box with a side below \(COCO.smallestSide) pixels", path)
          continue
        }
        guard let label = labels[category] else {
          leftOut.add("box of a category that is not trained on", path)
          continue
        }
        part.items.append(ImageListing.Item(path: path, label: label, box: pixels))
      }
      return part
    }
  }
}
