import Foundation
import TestSupport
import Testing

@testable import Datasets

/// The layouts in which sets of images are published.
@Suite struct ImageLayoutTests {
  private func picture(_ level: UInt8, _ shape: Shape = [8, 8, 3]) -> [UInt8] {
    DecodedImage(pixels: [UInt8](repeating: level, count: shape.count), shape: shape).png()
  }
  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// The first byte and the label of each image.
  private func pairs(_ images: LabeledImages) -> [[Int]] {
    (0..<images.count).map { [Int(images.image(at: $0)[0]), images.labels[$0]] }
  }

  // MARK: Folders

  @Test func imagesInFoldersInsideAClassBelongToIt() throws {
    try withFolder { folder in
      for index in 0..<5 {
        try folder.write("animals/cat/\(index).png", picture(1))
        try folder.write("animals/dog/young/\(index).png", picture(2))
        try folder.write("plants/rose/\(index).png", picture(3))
      }
      try folder.write("plants/rose/._0.png", [1])
      try folder.write("plants/__MACOSX/rose/0.png", picture(9))
      // A link to a folder above, and one to a folder that is read already.
      for (name, target) in [("animals/cat/up", ".."), ("animals/pets", "cat")] {
        try FileManager.default.createSymbolicLink(
          atPath: folder.appendingPathComponent(name).path, withDestinationPath: target)
      }
      let data = try ImageFolder.load(folder)
      #expect(data.classNames == ["animals", "plants"] && data.training.count + data.test.count == 15)
      for pair in pairs(data.training) { #expect((pair[0] == 3) == (pair[1] == 1)) }
      #expect(data.notices.count == 1 && data.notices[0].contains("2 of kind 'hidden or system file'"))
      #expect(data.notices[0].contains("1 of kind 'link that leads back' (animals/cat/up)"), "\(data.notices)")
      #expect(data.notices[0].contains("1 of kind 'link to a folder that is read already' (animals/pets)"))
    }
  }

  @Test func tinyImageNetIsReadAsItIsPublished() throws {
    try withFolder { folder in
      for (label, id) in ["n01", "n02", "n03"].enumerated() {
        for index in 0..<3 { try folder.write("train/\(id)/images/\(id)_\(index).JPEG", picture(UInt8(10 + label))) }
        try folder.write("train/\(id)/\(id)_boxes.txt", text("\(id)_0.JPEG\t0\t0\t62\t62\n"))
      }
      // In another order than that of their names.
      for (index, id) in ["n03", "n01", "n02", "n03"].enumerated() {
        try folder.write("val/images/val_\(index).JPEG", picture(UInt8(9 + Int(id.suffix(1))!)))
      }
      let annotations = ["n03", "n01", "n02", "n03"].enumerated().map { "val_\($0).JPEG\t\($1)\t0\t0\t62\t62" }
      try folder.write("val/val_annotations.txt", text(annotations.joined(separator: "\n") + "\n"))
      try folder.write("words.txt", text("n00\tentity\nn01\tcrane, a bird\nn02\tcrane\nn03\tgoldfish, fish\n"))
      try folder.write("test/images/test_0.JPEG", picture(1))
      let data = try ImageFolder.load(folder)
      #expect(data.classNames == ["crane (n01)", "crane (n02)", "goldfish"])
      #expect(pairs(data.test) == [[12, 2], [10, 0], [11, 1], [12, 2]])
      #expect(data.training.labels == [0, 0, 0, 1, 1, 1, 2, 2, 2])
      #expect(data.notices.contains { $0.contains("test is not used: its images have no labels") })
      #expect(data.notices.contains { $0.contains("3 of kind '.txt file'") }, "\(data.notices)")

      try folder.write("val/val_annotations.txt", text("val_0.JPEG\tn09\t0\n"))
      let error = #expect(throws: DataError.self) { try ImageFolder.load(folder) }
      #expect(error?.place == "line 1" && error?.found.contains("n09") == true, "\(String(describing: error))")
    }
  }

  @Test func imageNetHasATestFolderWithoutClasses() throws {
    try withFolder { folder in
      for part in ["train", "val"] {
        for id in ["n01", "n02"] { try folder.write("ILSVRC/\(part)/\(id)/1.JPEG", picture(7)) }
      }
      try folder.write("ILSVRC/test/unknown/1.JPEG", picture(7))
      let data = try ImageFolder.load(folder.appendingPathComponent("ILSVRC"))
      #expect(data.training.count == 2 && data.test.count == 2 && data.classNames == ["n01", "n02"])
      #expect(data.notices.count == 1 && data.notices[0].hasPrefix("test is not used"), "\(data.notices)")
    }
  }

  // MARK: Lists

  @Test(arguments: [
    "path,label\na/1.png,cat\na/2.png,\"dog, big\"\nb/1.png,cat\nb/2.png,\"dog, big\"\nc.png,cat\n",
    "\u{feff}Label;image;more\r\ncat;a/1.png;x\r\ndog, big;a/2.png;\r\ncat;b/1.png;\r\ndog, big;b/2.png;\r\ncat;c.png;\r\n",
    "a/1.png\tcat\na/2.png\tdog, big\nb/1.png\tcat\nb/2.png\tdog, big\nc.png\tcat",
    #"[{"path":"a/1.png","label":"cat","box":[1,{"x":"]"}]},{"file":"a/2.png","label":"dog, big"},"#
      + #"{"image":"b\/1.png","class":"cat"},{"id":"b/2","category":"dog, big"},{"path":"c.png","label":"cat"}]"#,
    #"{"a/1.png":"cat","a/2.png":"dog, big","b/1.png":"cat","b/2.png":"dog, big","c.png":"cat"}"#,
    #"{"path":"a/1.png","label":"cat"}"# + "\n" + #"{"path":"a/2.png","label":"dog, big"}"# + "\n"
      + #"{"path":"b/1.png","label":"cat"}"# + "\n" + #"{"path":"b/2","label":"dog, big"}"# + "\n"
      + #"{"path":"c.png","label":"cat"}"#,
  ]) func aListNamesImagesAndLabels(list: String) throws {
    try withFolder { folder in
      for (index, name) in ["a/1", "a/2", "b/1", "b/2", "c"].enumerated() {
        try folder.write("\(name).png", picture(UInt8(index)))
      }
      try folder.write("list", text(list))
      let data = try ImageList.load(folder.appendingPathComponent("list"))
      #expect(data.classNames == ["cat", "dog, big"])
      #expect(
        (pairs(data.training) + pairs(data.test)).sorted { $0[0] < $1[0] } == [
          [0, 0], [1, 1], [2, 0], [3, 1], [4, 0],
        ])
    }
  }

  @Test func aListMayHaveASplitNumbersAndAFolderOfItsOwn() throws {
    try withFolder { folder in
      for index in 0..<6 { try folder.write("images/\(index).png", picture(UInt8(index))) }
      let rows = ["0,10,train", "1,9,train", "2,10,train", "3,9,test", "4,10,Test", "5,9,val"]
      try folder.write("labels.csv", text("id,label,split\n" + rows.joined(separator: "\n")))
      let source = try DataSource("list:\(folder.path)/labels.csv,\(folder.path)/images")
      #expect(try DataSource("\(source)") == source)
      let data = try source.load()
      // Numbers in their order, not that of text.
      #expect(data.classNames == ["9", "10"])
      #expect(pairs(data.training) == [[0, 1], [1, 0], [2, 1]] && pairs(data.test) == [[3, 0], [4, 1]])
      #expect(try pairs(#require(data.validation)) == [[5, 0]] && data.notices.isEmpty)
    }
  }

  @Test(arguments: [
    ("", "there are no images in the list"), ("path,label\n", "there are no images in the list"),
    ("path,label\na.png\n", "line 2: 1 columns"), ("a,b,c,d\n1,2,3,4\n", "wanted a header with 'path' and 'label'"),
    ("path,label\na.png,\n", "line 2: an empty label"),
    ("path,label\n\"a.png,x\n", "a quotation mark that is not closed"),
    ("path,label\na.png,x\na.png,y\n", "line 3: 'a.png' has the label 'y', and 'x' in line 2"),
    ("path,label\na.png,x\nb.png,x\n", "of 1 classes"),
    ("path,label,split\na.png,x,train\nb.png,y,fold3\n", "line 3: the split 'fold3', wanted train, val or test"),
    ("path,label,split\na.png,x,test\nb.png,y,test\n", "no row is of the split 'train'"),
    ("path,label,split\na.png,x,train\nb.png,y,test\n", "class 'y' has no images for training"),
    ("path,label\na.png,x\nnone.png,y\n", "there is no such file; --skip-unreadable"),
    ("path,label\na.png,x\nlist,y\n", "a file without an ending, which is no image"),
    ("[{\"path\":\"a.png\"}]", "wanted an object with 'path' and 'label'"), ("[{\"path\":", "wanted"),
    ("[1,2]", "wanted an object"), ("{\"path\" 1}", "wanted a colon"),
  ]) func aListThatIsNoneSaysWhy(list: String, says: String) throws {
    try withFolder { folder in
      for name in ["a.png", "b.png"] { try folder.write(name, picture(1)) }
      try folder.write("list", text(list))
      let error = #expect(throws: DataError.self) { try ImageList.load(folder.appendingPathComponent("list")) }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
  }

  // MARK: COCO

  /// Four images of 64 by 40, whose left half is dark, and boxes in them.
  private func coco(_ folder: URL, boxes: [String]) throws {
    for index in 0..<4 {
      let pixels = (0..<40 * 64).flatMap { [UInt8](repeating: $0 % 64 < 32 ? UInt8(10 + index) : 200, count: 3) }
      try folder.write("images/\(index).png", DecodedImage(pixels: pixels, shape: [40, 64, 3]).png())
    }
    let images = (0..<4).map { #"{"file_name":"\#($0).png","id":\#($0 + 100),"height":40,"width":64}"# }
    let categories = ["zebra", "cat", "unused"].enumerated().map {
      #"{"supercategory":"x","id":\#($0 * 7 + 1),"name":"\#($1)"}"#
    }
    let json =
      #"{"info":{"year":2017,"x":[{}]},"images":[\#(images.joined(separator: ","))],"annotations":[\#(boxes.joined(separator: ","))],"#
      + #""categories":[\#(categories.joined(separator: ","))]}"#
    try folder.write("instances.json", text(json))
  }

  private func box(_ image: Int, _ category: Int, _ box: String, crowd: Int = 0) -> String {
    #"{"segmentation":[[1.5,2,3]],"area":1.5,"iscrowd":\#(crowd),"image_id":\#(image),"bbox":[\#(box)],"category_id":\#(category),"id":1}"#
  }

  @Test func boxesOfCOCOBecomeCropsOfTheirCategory() throws {
    try withFolder { folder in
      let boxes = (100..<104).flatMap { [box($0, 1, "0,0,32,40"), box($0, 8, "32.0,10.2,30.9,20")] }
      try coco(
        folder,
        boxes: boxes + [box(100, 1, "0,0,15.9,40"), box(101, 8, "0,0,64,40", crowd: 1), box(102, 8, "50,30,30,30")])
      let source = try DataSource("coco:\(folder.path)/instances.json,\(folder.path)/images")
      #expect(try DataSource("\(source)") == source)
      let data = try source.load()
      #expect(data.classNames == ["cat", "zebra"] && data.imageShape == [32, 32, 3])
      #expect(data.training.count + data.test.count == 8)
      for part in [data.training, data.test] {
        // Zebras are dark to their edges, cats light: a crop is the box and no more.
        for index in 0..<part.count {
          let bytes = part.image(at: index)
          #expect(Set(bytes).count == 1 && (bytes[0] == 200) == (part.labels[index] == 0), "\(Set(bytes))")
        }
      }
      // Both crops of an image are on one side.
      #expect(data.test.count == 2 && Set(data.test.labels) == [0, 1])
      for says in [
        "1 of kind 'box with a side below 16 pixels'", "1 of kind 'box of a crowd'",
        "1 of kind 'box that leaves its image'",
      ] { #expect(data.notices.contains { $0.contains(says) }, "\(data.notices)") }
      #expect(data.notices.contains { $0 == "1 categories have no boxes that are used: unused" }, "\(data.notices)")

      let both =
        "coco:\(folder.path)/instances.json,\(folder.path)/images,\(folder.path)/instances.json,\(folder.path)/images"
      let pair = try DataSource(both)
      #expect("\(pair)" == both)
      #expect(try pair.load().training.count == 8 && pair.load().test.count == 8)
      try FileManager.default.removeItem(at: folder.appendingPathComponent("images/3.png"))
      let missing = #expect(throws: DataError.self) { try source.load() }
      #expect(missing?.file?.hasSuffix("images/3.png") == true)
      var options = ImageOptions()
      options.skipsUnreadable = true
      #expect(try source.load(options).training.labels.count + source.load(options).test.count == 6)
    }
  }

  @Test(arguments: [
    ("{}", "0 images, 0 categories and 0 annotations, wanted COCO's"), ("[]", "wanted an object"),
    ("{\"images\":[{\"id\":1}]}", "wanted an object with 'id' and 'file_name'"),
    ("{\"images\":[{\"id\":1.5,\"file_name\":\"a\"}]}", "wanted a whole number"),
    ("{\"images\":[{\"id\":1,\"file_name\":\"a\"},{\"id\":1,\"file_name\":\"b\"}]}", "wanted each 'id' once"),
    ("{\"annotations\":[{\"image_id\":1,\"category_id\":1}]}", "'bbox' of four numbers"),
    ("{\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,1e300]}]}", "in pixels"),
    ("{\"annotations\":[{\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,-3,4]}]}", "in pixels"),
    ("{\"x\":\"", "wanted a text that ends"), ("{\"x\":[1,2}", "wanted"), ("{\"images\":[}", "wanted"),
  ]) func annotationsThatAreNoneSayWhy(json: String, says: String) throws {
    try withFolder { folder in
      try folder.write("a.json", text(json))
      let error = #expect(throws: DataError.self) {
        try COCO.load(annotations: folder.appendingPathComponent("a.json"), images: folder)
      }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
  }

  @Test(arguments: ["coco", "coco:", "coco:a", "coco:a,", "coco:a,b,c", "coco:a,b,c,", "list", "list:"])
  func aSourceThatLacksAFileIsRefused(text: String) {
    let error = #expect(throws: DataError.self) { try DataSource(text) }
    #expect(error?.description.contains("coco:") == true)
  }

  // MARK: EMNIST

  private func idx(_ folder: URL, _ prefix: String, labels: [UInt8]) throws {
    for part in ["train", prefix.isEmpty ? "t10k" : "test"] {
      let count = UInt8(labels.count)
      try folder.write(
        "\(prefix)\(part)-images-idx3-ubyte",
        [0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2] + labels.flatMap { [$0, 0, 0, 0] })
      try folder.write("\(prefix)\(part)-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, count] + labels)
    }
  }

  @Test func emnistHasItsOwnNamesAndNumbersOfClasses() throws {
    try withFolder { folder in
      let letters = (1...26).map { UInt8($0) }
      try idx(folder, "emnist-letters-", labels: letters)
      let data = try DataSource("mnist:\(folder.path)").load()
      // Counted from 1.
      #expect(data.name == "emnist-letters" && data.classNames == (1...26).map(String.init))
      #expect(pairs(data.training) == (1...26).map { [$0, $0 - 1] })
      try idx(folder, "emnist-digits-", labels: [0, 9])
      let several = #expect(throws: DataError.self) { try DataSource("mnist:\(folder.path)").load() }
      #expect(several?.problem.contains("give one, such as mnist:\(folder.path)/emnist-digits") == true)
      #expect(try DataSource("mnist:\(folder.path)/emnist-digits").load().classNames.count == 10)
    }
    try withFolder { folder in
      let raw = folder.appendingPathComponent("EMNIST/raw")
      try idx(raw, "", labels: (1...26).map { UInt8($0) })
      let source = try DataSource("mnist:\(folder.path)")
      let error = #expect(throws: DataError.self) { try source.load() }
      #expect(
        error?.problem.contains("is not below 10: where the set has more classes, give their number (--classes)")
          == true)
      var options = ImageOptions()
      options.classes = 26
      #expect(try source.load(options).classNames.first == "1")
      options.classes = 47
      #expect(try source.load(options).classNames.count == 47 && source.load(options).classNames.first == "0")
      options.classes = 1
      #expect(throws: DataError.self) { try source.load(options) }
      options.classes = 10
      #expect(throws: DataError.self) { try DataSource.digits.load(options) }
    }
  }
}
