extension LabeledImages {
  /// A picture with a row of images of each class, in their order, enlarged by whole factors.
  ///
  /// - Parameters:
  ///   - columns: The number of images of each class, spread over all it has.
  ///   - rows: The largest number of classes, spread over all.
  ///   - side: About the size of an image in pixels.
  /// - Returns: The picture, and the classes of its rows.
  public func contactSheet(columns: Int = 10, rows: Int = 50, side: Int = 64) -> (picture: DecodedImage, classes: [Int])
  {
    require(columns > 0 && rows > 0, "contactSheet: \(columns) columns of \(rows) classes")
    let classes = Self.spread(rows, over: Array(classNames.indices))
    let (height, width, channels) = (imageShape[0], imageShape[1], imageShape[2])
    let (scale, gap) = (max(1, side / max(height, width)), 4)
    let cell = (height: height * scale + gap, width: width * scale + gap)
    let shape: Shape = [classes.count * cell.height + gap, columns * cell.width + gap, channels]
    var pixels = [UInt8](repeating: 255, count: shape.count)
    for (row, label) in classes.enumerated() {
      for (column, index) in Self.spread(columns, over: indices(ofClass: label)).enumerated() {
        let image = image(at: index)
        for y in 0..<height * scale {
          let place = ((row * cell.height + gap + y) * shape[1] + column * cell.width + gap) * channels
          for x in 0..<width * scale {
            let from = (y / scale * width + x / scale) * channels
            for c in 0..<channels { pixels[place + x * channels + c] = image[from + c] }
          }
        }
      }
    }
    return (DecodedImage(pixels: pixels, shape: shape), classes)
  }

  /// `count` of the values at equal distances, or all.
  private static func spread(_ count: Int, over values: [Int]) -> [Int] {
    guard values.count > count else { return values }
    return (0..<count).map { values[$0 * values.count / count] }
  }
}
