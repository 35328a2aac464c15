extension LabeledImages {
  /// `count` images drawn by `seed`, each class with the share it has in all of them, in their order.
  ///
  /// The images that rounded shares leave over come from the classes with the largest remainders.
  /// - Throws: A ``DataError`` where there are fewer images.
  public func subset(count: Int, seed: UInt64) throws(DataError) -> LabeledImages {
    subset(try stratified(count, seed: seed))
  }

  /// Splits the images into two parts drawn by `seed`, each class with its share in both, in their order.
  ///
  /// - Parameter count: The number of images in `heldOut`.
  /// - Throws: A ``DataError`` where there are fewer images.
  public func split(
    holdingOut count: Int, seed: UInt64
  ) throws(DataError) -> (rest: LabeledImages, heldOut: LabeledImages) {
    let heldOut = try stratified(count, seed: seed)
    let isHeldOut = Set(heldOut)
    return (subset(labels.indices.filter { !isHeldOut.contains($0) }), subset(heldOut))
  }

  @available(*, deprecated, renamed: "split(holdingOut:seed:)")
  public func split(holding count: Int, seed: UInt64) throws(DataError) -> (rest: LabeledImages, held: LabeledImages) {
    let (rest, heldOut) = try split(holdingOut: count, seed: seed)
    return (rest, heldOut)
  }

  /// The indices of `count` images, ascending, each class with the share it has in all of them.
  public func stratified(_ count: Int, seed: UInt64) throws(DataError) -> [Int] {
    guard (0...self.count).contains(count) else {
      throw DataError("\(name): \(count) images are wanted, there are \(self.count)")
    }
    return Self.stratified(count, of: labels, classes: classCount, seed: seed)
  }

  /// The same of images of which the labels are known.
  static func stratified(_ count: Int, of labels: [Int], classes: Int, seed: UInt64) -> [Int] {
    var generator = SplittableGenerator(seed: seed)
    var members = [[Int]](repeating: [], count: classes)
    for (index, label) in labels.enumerated() { members[label].append(index) }
    // In whole numbers, so that no rounding gives or takes an image.
    var shares = members.map { $0.count * count / max(labels.count, 1) }
    let remainders = members.map { $0.count * count % max(labels.count, 1) }
    let byRemainder = members.indices.sorted { (remainders[$0], $1) > (remainders[$1], $0) }
    for label in byRemainder.prefix(count - shares.reduce(0, +)) { shares[label] += 1 }
    return zip(members, shares).flatMap { $0.shuffled(using: &generator).prefix($1) }.sorted()
  }
}

/// The parts of a data set.
public struct DatasetSplit: Sendable {
  /// Images to learn from.
  public var training: LabeledImages
  /// Images to choose settings by, nil where none are set apart.
  public var validation: LabeledImages?
  /// Images that are looked at once, at the end.
  public var test: LabeledImages
  /// What the source has and was left out, a line each.
  public var notices: [String] = []
  /// What figures on these images may not mean, such as that a test image is a training image as well; a line each.
  public var cautions: [String] = []
  /// What the files of the images are, nil where images have no files of their own.
  public var survey: ImageSurvey?

  /// The parts of data sets of your own.
  ///
  /// - Throws: A ``DataError`` as the other initialiser does, and where a label cannot be read.
  public init(
    training: some ImageDataset, validation: (any ImageDataset)? = nil, test: some ImageDataset
  ) throws(DataError) {
    var own: LabeledImages?
    if let validation { own = try LabeledImages(validation) }
    try self.init(training: LabeledImages(training), validation: own, test: LabeledImages(test))
  }

  /// - Throws: A ``DataError`` where the parts differ in shape or classes, or one is empty.
  public init(
    training: LabeledImages, validation: LabeledImages? = nil, test: LabeledImages
  ) throws(DataError) {
    for (part, place) in [(training, "training"), (validation ?? training, "validation"), (test, "test")] {
      guard part.count > 0 else { throw DataError("\(training.name): there are no \(place) images") }
      guard part.imageShape == training.imageShape else {
        throw DataError(
          "\(training.name): the \(place) images are \(part.imageShape), those for training \(training.imageShape)")
      }
      guard part.classNames == training.classNames else {
        throw DataError(
          "\(training.name): the classes of the \(place) images are \(part.classNames.joined(separator: ", ")), "
            + "those for training \(training.classNames.joined(separator: ", "))")
      }
    }
    (self.training, self.validation, self.test) = (training, validation, test)
  }

  /// The name of the data set in reports.
  public var name: String { training.name }
  /// `[height, width, channels]`.
  public var imageShape: Shape { training.imageShape }
  /// The classes' names, by label.
  public var classNames: [String] { training.classNames }
  /// How images of other sizes became these, nil where all came as they are.
  public var preparation: ImagePreparation? { training.preparation }

  /// The same images in the size that `options` want, where they want one.
  func prepared(_ options: ImageOptions) throws(DataError) -> DatasetSplit {
    guard let size = options.size, size != imageSize else { return self }
    let preparation = ImagePreparation(
      size: size, fit: options.fit, appliesOrientation: options.appliesOrientation, decoding: options.decoding)
    let bytes = size.height * size.width * imageShape[2] * (training.count + test.count + (validation?.count ?? 0))
    var split = self
    (split.training, split.test) = (training.prepared(preparation), test.prepared(preparation))
    split.validation = validation?.prepared(preparation)
    guard options.holds(bytes) else {
      split.notices.append(
        "images of \(size) pixels are more than --cache allows in memory: they are scaled in each epoch")
      return split
    }
    (split.training, split.test) = (try split.training.inMemory(), try split.test.inMemory())
    split.validation = try split.validation?.inMemory()
    return split
  }

  private var imageSize: ImageSize? {
    let (height, width) = (imageShape[0], imageShape[1])
    return ImageSize.sides.contains(height) && ImageSize.sides.contains(width)
      ? ImageSize(height: height, width: width) : nil
  }

  /// A short name for all images and labels.
  public var fingerprint: String {
    [training, validation, test].map { $0?.fingerprint ?? "none" }.joined(separator: "-")
  }
}
