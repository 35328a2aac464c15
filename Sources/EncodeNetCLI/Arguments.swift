import ArgumentParser
import Foundation
import Reports

// What the libraries read from text, as arguments: what they cannot read is a wrong argument.

/// Reads a data set; what is none is an error with all forms.
@Sendable func dataSource(_ argument: String) throws -> DataSource { try validating { try DataSource(argument) } }

extension ResNet.Shortcut: ExpressibleByArgument {}
extension RepresentativeSelection.Selector: ExpressibleByArgument {}

/// `automatic`, `elbow`, or a number for all classes.
struct ClusterCount: ExpressibleByArgument {
  let count: IntraclassClustering.Count

  init?(argument: String) {
    switch argument {
    case "automatic": count = .silhouette(2...8)
    case "elbow": count = .elbow(1...8)
    default:
      guard let number = Int(argument), number > 0 else { return nil }
      count = .fixed(number)
    }
  }
}

extension TestTimeAugmentation: ExpressibleByArgument {}

/// `none`, or changes joined by commas, such as `crop,flip`.
struct AugmentationChoice {
  let augmentation: Augmentation?

  static let forms = changes.map(\.name).joined(separator: ", ")
  private static let changes: [(name: Substring, augmentation: Augmentation)] = [
    ("crop", .randomCrop(padding: 4)), ("flip", .horizontalFlip), ("shift", .shift(by: 1)),
    ("cutout", .cutout(size: 8)), ("resized-crop", .randomResizedCrop()), ("colour-jitter", .colourJitter()),
    ("random-erasing", .randomErasing()), ("trivial-augment", .trivialAugment), ("rand-augment", .randAugment()),
  ]

  @Sendable init(_ argument: String) throws {
    var all: Augmentation?
    for name in argument == "none" ? [] : argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let change = Self.changes.first(where: { $0.name == name })?.augmentation else {
        throw ValidationError("there is no augmentation '\(name)': choose none, or any of \(Self.forms)")
      }
      all = all.map { $0 + change } ?? change
    }
    augmentation = all
  }
}

/// The values joined by commas in `argument`; nil where one cannot be read.
private func commaSeparated<Value>(_ argument: String, _ read: (String) -> Value?) -> [Value]? {
  let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
  let values = parts.compactMap { read($0.trimmingCharacters(in: .whitespaces)) }
  return values.count == parts.count ? values : nil
}

/// Numbers joined by commas, one for each channel.
struct Channels: ExpressibleByArgument {
  let values: [Double]

  init?(argument: String) {
    guard let values = commaSeparated(argument, { Double($0) }), values.allSatisfy(\.isFinite) else { return nil }
    self.values = values
  }
}

/// Seeds joined by commas.
struct Seeds: ExpressibleByArgument {
  let values: [UInt64]

  init?(argument: String) {
    guard let values = commaSeparated(argument, { UInt64($0) }), Set(values).count == values.count else { return nil }
    self.values = values
  }
}

/// The ids of arms joined by commas.
struct Arms: ExpressibleByArgument {
  let values: [ArmSettings]

  init?(argument: String) {
    guard let values = commaSeparated(argument, { try? ArmSettings.named($0) }) else { return nil }
    self.values = values
  }
}

/// Turns an error into one of the arguments, with exit code 64.
func validating<R>(_ body: () throws -> R) throws -> R {
  do { return try body() } catch { throw ValidationError("\(error)") }
}
