import CImages

extension DatasetSplit {
  /// The 1,797 handwritten digits that come with the library, 8×8 and grey: 1,297 for training, 500 for testing.
  ///
  /// They are the test half of "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, 1998, UCI Machine
  /// Learning Repository, https://doi.org/10.24432/C50P49, licensed CC BY 4.0; the 17 grey levels are spread over 0...255.
  public static let digits: DatasetSplit = {
    // Images that are compiled in always fit.
    let (training, test) = try! LabeledImages.digits.split(holdingOut: 500, seed: 0)
    return try! DatasetSplit(training: training, test: test)
  }()
}

extension LabeledImages {
  /// All handwritten digits that come with the library; see ``DatasetSplit/digits``.
  public static let digits: LabeledImages = {
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    var levels = [UInt8](repeating: 0, count: ci_digit_pixels)
    for index in 0..<Int32(ci_digit_count) {
      labels.append(Int(ci_digit(index, &levels)))
      for level in levels { pixels.append(UInt8((Int(level) * 255 + 8) / 16)) }
    }
    return try! LabeledImages(
      name: "digits", pixels: pixels, labels: labels, imageShape: [8, 8, 1], classNames: (0...9).map(String.init))
  }()
}
