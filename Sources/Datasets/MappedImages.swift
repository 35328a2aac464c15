import FileFormats

extension LabeledImages {
  /// The same images with so many channels: grey ones are repeated to three, and those in colour become grey by Rec. 601.
  ///
  /// - Precondition: 1 or 3, and the images have 1 or 3.
  public func withChannels(_ channels: Int) -> LabeledImages {
    require(
      [1, 3].contains(channels) && [1, 3].contains(imageShape[2]),
      "withChannels: images \(imageShape) with \(channels) channels")
    guard channels != imageShape[2] else { return self }
    let shape = imageShape
    return mapped(to: [shape[0], shape[1], channels]) { _, pixels in
      let image = DecodedImage(pixels: pixels, shape: shape)
      return channels == 3 ? image.inColour.pixels : image.inGrey.pixels
    }
  }

  /// The same images in another size.
  public func prepared(_ preparation: ImagePreparation) -> LabeledImages {
    let shape = imageShape
    return mapped(to: [preparation.size.height, preparation.size.width, shape[2]], preparation) { _, pixels in
      preparation(DecodedImage(pixels: pixels, shape: shape)).pixels
    }
  }

  /// The same images, each changed by `change`, which is given its index, as they are read.
  package func mapped(
    to shape: Shape, _ preparation: ImagePreparation? = nil,
    _ change: @escaping @Sendable (_ index: Int, _ pixels: [UInt8]) -> [UInt8]
  ) -> LabeledImages {
    let dataset = MappedImages(base: self, imageShape: shape, change: change)
    return LabeledImages(
      fitting: name, .source(ReadImages(dataset)), nil, labels, shape, classNames, subclasses,
      preparation ?? self.preparation)
  }
}

/// Images of another data set, each changed as it is read.
private struct MappedImages: ImageDataset {
  let base: LabeledImages
  let imageShape: Shape
  let change: @Sendable (Int, [UInt8]) -> [UInt8]

  var name: String { base.name }
  var count: Int { base.count }
  var classNames: [String] { base.classNames }
  func label(at index: Int) -> Int { base.label(at: index) }
  func image(at index: Int) throws -> [UInt8] {
    change(index, try base.withImage(at: index) { Array($0) })
  }
}
