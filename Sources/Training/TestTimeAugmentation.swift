import Layers

/// Views of an image of which a classifier's probabilities are averaged.
///
/// ```swift
/// let evaluation = try evaluate(model.averaged(over: .flip), on: batches)
/// ```
public enum TestTimeAugmentation: String, Sendable, Hashable, Codable, CaseIterable {
  /// The image alone.
  case none
  /// The image and its mirror image.
  case flip
  /// Ten crops of the image's size: four corners and the centre, and their mirror images.
  ///
  /// The image has a border of an eighth of its side then, which repeats the pixels at its edge, so a network needs to take no other size.
  /// Krizhevsky et al.: "ImageNet classification with deep convolutional neural networks", 2012, section 4.1.
  case crops

  /// The views of `images`, `[batch, height, width, channels]`, each of that shape.
  public func views(of images: Tensor) -> [Tensor] {
    require(images.rank == 4, "TestTimeAugmentation: \(images.shape) is not [batch, height, width, channels]")
    func mirrored(_ views: [Tensor]) -> [Tensor] { views + views.map { $0.flipped(alongAxes: [2]) } }
    func shifted(_ down: Int, _ right: Int) -> Tensor {
      func lines(_ count: Int, _ distance: Int) -> [Int] { (0..<count).map { min(max($0 + distance, 0), count - 1) } }
      return images.gather(lines(images.shape[1], down), axis: 1).gather(lines(images.shape[2], right), axis: 2)
    }
    switch self {
    case .none: return [images]
    case .flip: return mirrored([images])
    case .crops:
      let (down, right) = (max(images.shape[1] / 8, 1), max(images.shape[2] / 8, 1))
      let corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)].map { shifted($0 * down, $1 * right) }
      return mirrored([images] + corners)
    }
  }
}

/// A classifier whose probabilities are the mean over the views of each image.
///
/// Its logits are the logarithms of the mean probabilities.
public final class ViewAverage<Model: Layer>: Layer {
  /// The classifier.
  public let model: Model
  /// The views.
  public let augmentation: TestTimeAugmentation

  /// `model`, averaged over the views of `augmentation`.
  public init(_ model: Model, over augmentation: TestTimeAugmentation) {
    (self.model, self.augmentation) = (model, augmentation)
  }

  /// `[batch, height, width, channels]` to `[batch, classes]`; with ``TestTimeAugmentation/none`` the classifier's own logits.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let views = augmentation.views(of: x)
    guard views.count > 1 else { return model(x) }
    let logits = views.map { logSoftmax(model($0)) }
    return Tensor.stacked(logits).logSumExp(alongAxes: [0]) + log(Tensor(1 / Scalar(views.count)))
  }
}

extension Layer {
  /// This classifier with its probabilities averaged over the views of each image.
  public func averaged(over augmentation: TestTimeAugmentation) -> ViewAverage<Self> {
    ViewAverage(self, over: augmentation)
  }
}
