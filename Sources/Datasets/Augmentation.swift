/// Changes of single images that leave their class as it is, one after the other, drawn for every image in every epoch.
///
/// ```swift
/// Batches(of: training, size: 128, shuffledBy: generator, augmentation: .randomCrop(padding: 4) + .horizontalFlip)
/// ```
public struct Augmentation: Sendable, Hashable {
  enum Step: Sendable, Hashable {
    case translate(by: Int, repeatsEdge: Bool)
    case mirror
    case cutout(Int)
    case resizedCrop(RandomRectangle)
    case jitter(ColourJitter)
    case erase(RandomErasing)
    case trivialAugment
    case randAugment(operations: Int, magnitude: Int)
  }
  var steps: [Step]

  /// Crops a part of the image's size out of the image with `padding` black pixels around.
  public static func randomCrop(padding: Int) -> Augmentation {
    require(padding >= 0, "randomCrop: padding \(padding)")
    return Augmentation(steps: [.translate(by: padding, repeatsEdge: false)])
  }

  /// Mirrors every second image.
  public static let horizontalFlip = Augmentation(steps: [.mirror])

  /// Shifts by up to `distance` pixels along each axis; the pixels at the edge fill the gap.
  public static func shift(by distance: Int) -> Augmentation {
    require(distance >= 0, "shift: distance \(distance)")
    return Augmentation(steps: [.translate(by: distance, repeatsEdge: true)])
  }

  /// Fills a square of `size` pixels about any pixel with the mean colour, which normalisation makes 0 to half a grey level.
  ///
  /// DeVries, Taylor: "Improved regularization of convolutional neural networks with cutout", arXiv 1708.04552.
  public static func cutout(size: Int) -> Augmentation {
    require(size > 0, "cutout: size \(size)")
    return Augmentation(steps: [.cutout(size)])
  }

  /// Crops a rectangle of random area and aspect, and enlarges it to the image's size, bilinear: torchvision's `RandomResizedCrop`.
  ///
  /// Szegedy et al.: "Going deeper with convolutions", arXiv 1409.4842, section 6.
  /// - Parameters:
  ///   - area: The share of the image's area.
  ///   - aspect: Width over height, of which the logarithm is drawn uniformly.
  public static func randomResizedCrop(
    area: ClosedRange<Double> = 0.08...1, aspect: ClosedRange<Double> = 0.75...4.0 / 3
  ) -> Augmentation {
    let crop = RandomRectangle(area: area, aspect: aspect)
    require(crop.problem == nil, "randomResizedCrop: \(crop.problem ?? "")")
    return Augmentation(steps: [.resizedCrop(crop)])
  }

  /// Changes brightness, contrast and saturation by factors up to `1 ± strength`, and turns the hue, in random order: torchvision's
  /// `ColorJitter`.
  ///
  /// Howard: "Some improvements on deep convolutional neural network based image classification", arXiv 1312.5402, section 2.
  /// - Parameter hue: The largest turn in either direction, as a share of the colour circle, up to 0.5.
  public static func colourJitter(
    brightness: Double = 0.4, contrast: Double = 0.4, saturation: Double = 0.4, hue: Double = 0.1
  ) -> Augmentation {
    let jitter = ColourJitter(brightness: brightness, contrast: contrast, saturation: saturation, hue: hue)
    require(jitter.problem == nil, "colourJitter: \(jitter.problem ?? "")")
    return Augmentation(steps: [.jitter(jitter)])
  }

  /// Fills a rectangle of random area and aspect with the mean colour, in a share of the images: torchvision's `RandomErasing`.
  ///
  /// Zhong et al.: "Random erasing data augmentation", arXiv 1708.04896.
  /// - Parameters:
  ///   - area: The share of the image's area.
  ///   - aspect: Width over height, of which the logarithm is drawn uniformly.
  public static func randomErasing(
    probability: Double = 0.5, area: ClosedRange<Double> = 0.02...0.33, aspect: ClosedRange<Double> = 0.3...10.0 / 3
  ) -> Augmentation {
    let erasing = RandomErasing(probability: probability, rectangle: RandomRectangle(area: area, aspect: aspect))
    require(erasing.problem == nil, "randomErasing: \(erasing.problem ?? "")")
    return Augmentation(steps: [.erase(erasing)])
  }

  /// Applies one of fourteen operations with a random strength: the form "wide" of TrivialAugment.
  ///
  /// The operations are none, shear and translation along each axis, rotation, brightness, saturation, contrast, sharpness, posterize,
  /// solarize, auto-contrast and equalize. Translations are of up to 32 pixels, but no farther than the image's side; what they uncover has
  /// the mean colour.
  ///
  /// Müller, Hutter: "TrivialAugment: tuning-free yet state-of-the-art data augmentation", arXiv 2103.10158, table 1.
  public static let trivialAugment = Augmentation(steps: [.trivialAugment])

  /// Applies `operations` of the operations of ``trivialAugment``, each with the strength `magnitude` of 0...30, but milder.
  ///
  /// Cubuk et al.: "RandAugment: practical automated data augmentation with a reduced search space", arXiv 1909.13719; the ranges are
  /// torchvision's.
  public static func randAugment(operations: Int = 2, magnitude: Int = 9) -> Augmentation {
    let problem = AugmentationOperation.problem(count: operations, magnitude: magnitude)
    require(problem == nil, "randAugment: \(problem ?? "")")
    return Augmentation(steps: [.randAugment(operations: operations, magnitude: magnitude)])
  }

  /// Applies `a`, then `b`.
  public static func + (a: Augmentation, b: Augmentation) -> Augmentation { Augmentation(steps: a.steps + b.steps) }

  /// Draws the changes of one image.
  func drawn(for shape: Shape, using generator: inout SplittableGenerator) -> [ImageChange] {
    let (height, width) = (shape[0], shape[1])
    return steps.flatMap { step -> [ImageChange] in
      switch step {
      case .translate(let distance, let repeatsEdge):
        let down = Int.random(in: -distance...distance, using: &generator)
        let right = Int.random(in: -distance...distance, using: &generator)
        return [.translate(down: down, right: right, repeatsEdge: repeatsEdge)]
      case .mirror: return Bool.random(using: &generator) ? [.mirror] : []
      case .cutout(let size):
        let top = Int.random(in: 0..<height, using: &generator) - size / 2
        let left = Int.random(in: 0..<width, using: &generator) - size / 2
        return [
          .fill(rows: max(top, 0)..<min(top + size, height), columns: max(left, 0)..<min(left + size, width))
        ]
      case .resizedCrop(let crop):
        let (rows, columns) = crop.crop(height, width, using: &generator)
        return [.enlarge(rows: rows, columns: columns)]
      case .jitter(let jitter): return jitter.drawn(using: &generator)
      case .erase(let erasing): return erasing.drawn(height, width, using: &generator)
      case .trivialAugment:
        return AugmentationOperation.drawn(.wide, magnitude: nil, height, width, using: &generator)
      case .randAugment(let operations, let magnitude):
        return (0..<operations).flatMap { _ in
          AugmentationOperation.drawn(.mild, magnitude: magnitude, height, width, using: &generator)
        }
      }
    }
  }

  /// Changes the image in `image`; see ``ImageChange/apply(to:workspace:shape:colour:)``.
  func apply(
    to image: inout UnsafeMutablePointer<UInt8>, workspace: inout UnsafeMutablePointer<UInt8>, shape: Shape,
    colour: [UInt8], using generator: inout SplittableGenerator
  ) {
    for change in drawn(for: shape, using: &generator) {
      change.apply(to: &image, workspace: &workspace, shape: shape, colour: colour)
    }
  }
}
