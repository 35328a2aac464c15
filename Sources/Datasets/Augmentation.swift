import CImages

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

  /// Applies `a`, then `b`.
  public static func + (a: Augmentation, b: Augmentation) -> Augmentation { Augmentation(steps: a.steps + b.steps) }

  /// Changes the image in `image`.
  ///
  /// - Parameters:
  ///   - workspace: As large as the image; its content does not matter.
  ///   - colour: The colour that fills holes, one byte for each channel.
  func apply(
    to image: inout UnsafeMutablePointer<UInt8>, workspace: inout UnsafeMutablePointer<UInt8>, shape: Shape,
    colour: [UInt8], using generator: inout SplittableGenerator
  ) {
    let (height, width, channels) = (shape.dimensions[0], shape.dimensions[1], shape.dimensions[2])
    for step in steps {
      switch step {
      case .translate(let distance, let repeatsEdge):
        let down = Int.random(in: -distance...distance, using: &generator)
        let right = Int.random(in: -distance...distance, using: &generator)
        ci_translate(image, height, width, channels, down, right, repeatsEdge ? 1 : 0, workspace)
        swap(&image, &workspace)
      case .mirror:
        guard Bool.random(using: &generator) else { continue }
        ci_mirror(image, height, width, channels, workspace)
        swap(&image, &workspace)
      case .cutout(let size):
        let top = Int.random(in: 0..<height, using: &generator) - size / 2
        let left = Int.random(in: 0..<width, using: &generator) - size / 2
        for row in max(top, 0)..<min(top + size, height) {
          for column in max(left, 0)..<min(left + size, width) {
            for c in 0..<channels { image[(row * width + column) * channels + c] = colour[c] }
          }
        }
      }
    }
  }
}
