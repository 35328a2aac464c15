import Foundation

/// A data set by name and folder, as it is written on a command line.
public enum DataSource: Sendable, Hashable, CustomStringConvertible {
  case digits
  case synthetic
  case cifar10(URL)
  case cifar100(URL)
  case mnist(URL)
  case folder(URL)

  /// The forms that can be written.
  public static let forms = "digits, synthetic, cifar10:DIR, cifar100:DIR, mnist:DIR or folder:DIR"

  /// Reads `digits`, `synthetic`, `cifar10:DIR`, `cifar100:DIR`, `mnist:DIR` or `folder:DIR`.
  public init(_ description: String) throws(DataError) {
    let parts = description.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let path = parts.count == 2 && !parts[1].isEmpty ? parts[1] : nil
    switch (parts[0], path) {
    case ("digits", nil) where parts.count == 1: self = .digits
    case ("synthetic", nil) where parts.count == 1: self = .synthetic
    case ("cifar10", let path?): self = .cifar10(Self.url(path))
    case ("cifar100", let path?): self = .cifar100(Self.url(path))
    case ("mnist", let path?): self = .mnist(Self.url(path))
    case ("folder", let path?): self = .folder(Self.url(path))
    case ("cifar10", nil), ("cifar100", nil), ("mnist", nil), ("folder", nil):
      throw DataError("'\(description)' needs the folder of its files, \(parts[0]):DIR: write \(Self.forms)")
    default: throw DataError("'\(description)' is no data set: write \(Self.forms)")
    }
  }

  private static func url(_ path: String) -> URL { URL(fileURLWithPath: (path as NSString).expandingTildeInPath) }

  public var description: String {
    switch self {
    case .digits: "digits"
    case .synthetic: "synthetic"
    case .cifar10(let url): "cifar10:\(url.path)"
    case .cifar100(let url): "cifar100:\(url.path)"
    case .mnist(let url): "mnist:\(url.path)"
    case .folder(let url): "folder:\(url.path)"
    }
  }

  /// Reads the images.
  ///
  /// - Throws: Where a file or folder is missing or not what it should be.
  public func load() throws(DataError) -> DatasetSplit {
    switch self {
    case .digits: .digits
    case .synthetic: try .synthetic()
    case .cifar10(let url): try CIFAR.ten.load(url)
    case .cifar100(let url): try CIFAR.hundred.load(url)
    case .mnist(let url): try IDX.load(url)
    case .folder(let url): try ImageFolder.load(url)
    }
  }
}
