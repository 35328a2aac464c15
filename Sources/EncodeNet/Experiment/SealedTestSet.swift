/// The test images, which nothing can see: an arm of a seed is scored on them once, and that is all they are for.
///
/// What selects — a learning rate, an epoch, a representative — takes a ``ValidationSet``, which test images cannot become.
public final class SealedTestSet: Sendable {
  private let images: LabeledImages
  private let fingerprints: Set<UInt64>

  /// Seals `images`.
  public init(_ images: LabeledImages) {
    self.images = images
    fingerprints = Set(images.imageFingerprints)
  }

  /// How many images there are.
  public var count: Int { images.count }

  /// How many of `other` are test images, byte for byte.
  public func overlap(with other: LabeledImages) -> Int { count(among: other.imageFingerprints) }

  /// How many of these fingerprints are those of test images.
  func count(among fingerprints: [UInt64]) -> Int { fingerprints.count { self.fingerprints.contains($0) } }

  /// Scores a classifier on the images as they are and on damaged ones.
  ///
  /// - Parameter batches: Normalises them as the classifier is used to.
  func outcome(of model: any SplitClassifier, batches: (LabeledImages) -> Batches) -> TestOutcome {
    let plain = evaluate(model, on: batches(images))
    let confidences = plain.probabilities.max(alongAxes: [1]).scalars.map { Double($0) }
    let isRight = zip(plain.predictions, plain.labels).map { $0 == $1 }
    return TestOutcome(
      summary: plain.summary, predictions: plain.predictions, isRight: isRight,
      entropies: plain.entropies.map { ($0 * 1e4).rounded() / 1e4 }, confusion: plain.confusion,
      reliability: .bins(confidences: confidences, isRight: isRight),
      robustness: Dictionary(
        uniqueKeysWithValues: Damage.allCases.map { damage in
          (damage.rawValue, evaluate(model, on: batches(damage(images))).top1)
        }),
      fingerprint: weightsFingerprint(model))
  }
}

/// What an arm of one seed made of the test images.
public struct TestOutcome: Sendable, Codable, Equatable {
  /// Accuracy, loss, calibration.
  public var summary: Evaluation.Summary
  /// The class given to each image.
  public var predictions: [Int]
  /// Whether that is its class.
  public var isRight: [Bool]
  /// Of each image's probabilities, in nats.
  public var entropies: [Double]
  /// How many images of class `row` were taken for class `column`.
  public var confusion: [[Int]]
  /// Accuracy by confidence.
  public var reliability: [ReliabilityBin]
  /// The accuracy on damaged images, by the damage; see ``Damage``.
  public var robustness: [String: Double]
  /// Of the weights that were scored.
  public var fingerprint: String

  /// The share of right answers.
  public var accuracy: Double { summary.top1 ?? 0 }
}

/// How often a classifier is right among the images of about one confidence.
public struct ReliabilityBin: Sendable, Codable, Equatable {
  public var count: Int
  /// The mean probability of the likeliest class.
  public var confidence: Double
  /// The share that is right.
  public var accuracy: Double
}

extension [ReliabilityBin] {
  /// Equal parts of 0...1, each open below and closed above.
  static func bins(confidences: [Double], isRight: [Bool], count: Int = 10) -> [ReliabilityBin] {
    var bins = [ReliabilityBin](repeating: .init(count: 0, confidence: 0, accuracy: 0), count: count)
    for (confidence, isRight) in zip(confidences, isRight) {
      let bin =
        confidence.isFinite ? Swift.min(Swift.max(Int((confidence * Double(count)).rounded(.up)) - 1, 0), count - 1) : 0
      bins[bin].count += 1
      bins[bin].confidence += confidence
      bins[bin].accuracy += isRight ? 1 : 0
    }
    for index in bins.indices where bins[index].count > 0 {
      bins[index].confidence /= Double(bins[index].count)
      bins[index].accuracy /= Double(bins[index].count)
    }
    return bins
  }
}

/// What is done to test images to see how robust a classifier is.
public enum Damage: String, Sendable, CaseIterable {
  /// Normal noise of standard deviation 0.08 on every value of 0...1.
  case noise
  /// The mean over 3 by 3 pixels.
  case blur
  /// Half as bright again.
  case brightness

  /// `images`, damaged; the same damage every time.
  func callAsFunction(_ images: LabeledImages) -> LabeledImages {
    let shape = images.imageShape
    let (height, width, channels) = (shape[0], shape[1], shape[2])
    var pixels = images.pixels
    switch self {
    case .brightness: for i in pixels.indices { pixels[i] = UInt8(min(255, Int(pixels[i]) * 3 / 2)) }
    case .noise:
      var generator = SplittableGenerator(seed: 0xda3a9e)
      for start in stride(from: 0, to: pixels.count, by: 1 << 16) {
        let end = min(start + 1 << 16, pixels.count)
        let noise = Tensor.normal([end - start], deviation: 0.08 * 255, using: &generator)
        noise.withUnsafeScalars { noise in
          for i in start..<end {
            pixels[i] = UInt8(min(max((Scalar(pixels[i]) + noise[i - start]).rounded(), 0), 255))
          }
        }
      }
    case .blur:
      images.pixels.withUnsafeBufferPointer { from in
        for image in 0..<images.count {
          let base = image * shape.count
          for y in 0..<height {
            for x in 0..<width {
              let (rows, columns) = (max(y - 1, 0)...min(y + 1, height - 1), max(x - 1, 0)...min(x + 1, width - 1))
              let count = rows.count * columns.count
              for channel in 0..<channels {
                var sum = count / 2
                for row in rows {
                  for column in columns { sum += Int(from[base + (row * width + column) * channels + channel]) }
                }
                pixels[base + (y * width + x) * channels + channel] = UInt8(sum / count)
              }
            }
          }
        }
      }
    }
    return images.withPixels(pixels)
  }
}

/// Images kept for choosing between settings: training images, never test images.
public struct ValidationSet: Sendable {
  let batches: Batches
  init(_ batches: Batches) { self.batches = batches }

  /// How many images there are.
  public var count: Int { batches.dataset.count }

  /// What `model` makes of them.
  public func callAsFunction(_ model: any Layer) -> Evaluation { evaluate(model, on: batches) }
}

/// FNV-1a of every parameter and buffer, in order.
func weightsFingerprint(_ model: any Module) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for (name, tensor) in model.stateDictionary.sorted(by: { $0.key < $1.key }) {
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    tensor.withUnsafeScalars { scalars in
      for scalar in scalars { hash = (hash ^ UInt64(scalar.bitPattern)) &* 0x100_0000_01b3 }
    }
  }
  return String(hash, radix: 16)
}
