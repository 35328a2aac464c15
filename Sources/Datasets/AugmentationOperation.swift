/// The operations of TrivialAugment and RandAugment.
enum AugmentationOperation: CaseIterable {
  case identity, shearRight, shearDown, translateRight, translateDown, rotate
  case brightness, saturation, contrast, sharpness
  case posterize, solarize, autoContrast, equalize

  /// How far the operations go.
  struct Ranges {
    /// The largest slope of a shear.
    let shear: Double
    /// The longest translation, for the image's side, in pixels.
    let translation: @Sendable (_ side: Int) -> Double
    /// The largest rotation, in degrees.
    let rotation: Double
    /// The largest difference of a factor from 1.
    let enhancement: Double
    /// The largest number of bits that posterize removes.
    let bits: Double

    /// TrivialAugment's, "wide".
    static let wide = Ranges(
      shear: 0.99, translation: { Double(min(32, $0)) }, rotation: 135, enhancement: 0.99, bits: 6)
    /// RandAugment's.
    static let mild = Ranges(
      shear: 0.3, translation: { 150.0 / 331 * Double($0) }, rotation: 30, enhancement: 0.9, bits: 4)
  }

  /// The largest magnitude.
  static let magnitudes = 30

  /// What is wrong with RandAugment's numbers, nil where nothing is.
  static func problem(count: Int, magnitude: Int) -> String? {
    if !(1...16).contains(count) { return "operations is \(count), it must be from 1 to 16" }
    if !(0...magnitudes).contains(magnitude) { return "magnitude is \(magnitude), it must be from 0 to \(magnitudes)" }
    return nil
  }

  /// Draws an operation, its sign, and its magnitude where none is given.
  static func drawn(
    _ ranges: Ranges, magnitude: Int?, _ height: Int, _ width: Int, using generator: inout SplittableGenerator
  ) -> [ImageChange] {
    let operation = allCases.randomElement(using: &generator)!
    let strength = magnitude ?? Int.random(in: 0...magnitudes, using: &generator)
    let sign = Bool.random(using: &generator) ? 1.0 : -1.0
    return operation.change(Double(strength) / Double(magnitudes), sign: sign, ranges, height, width).map { [$0] } ?? []
  }

  /// The operation with a strength in 0...1; nil where it is none.
  func change(_ strength: Double, sign: Double, _ ranges: Ranges, _ height: Int, _ width: Int) -> ImageChange? {
    let factor = 1 + sign * strength * ranges.enhancement
    func pixels(_ side: Int) -> Int { Int(sign * strength * ranges.translation(side)) }
    return switch self {
    case .identity: nil
    case .shearRight: .shear(slope: sign * strength * ranges.shear, isDown: false)
    case .shearDown: .shear(slope: sign * strength * ranges.shear, isDown: true)
    case .translateRight: .move(right: pixels(width), down: 0)
    case .translateDown: .move(right: 0, down: pixels(height))
    case .rotate: .rotate(degrees: sign * strength * ranges.rotation)
    case .brightness: .brightness(factor)
    case .saturation: .saturation(factor)
    case .contrast: .contrast(factor)
    case .sharpness: .sharpness(factor)
    case .posterize: .posterize(bits: 8 - Int((strength * ranges.bits).rounded()))
    case .solarize: .solarize(from: 255 * (1 - strength))
    case .autoContrast: .autoContrast
    case .equalize: .equalize
    }
  }
}
