import FileFormats
import Foundation
import Layers

/// Keras' weights in HDF5: `.h5` files of weights or whole models, and the `.weights.h5` of Keras 3.
///
/// They are read where the package is built with the trait `HDF5`, which links HDF5's own library. That library parses the
/// file: what it makes of a hostile one is its affair, so read those of people you trust.
public enum KerasFile {
  /// Whether the package was built with the trait `HDF5`.
  public static var isReadable: Bool {
    #if HDF5
      true
    #else
      false
    #endif
  }

  /// Whether the file at `url` is one of HDF5, by its first bytes.
  public static func recognizes(_ url: URL) -> Bool {
    // What is no regular file, such as a pipe, is none.
    recognizes((try? readFile(url, upTo: magic.count)) ?? [])
  }
  static func recognizes(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }
  private static let magic: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]

  /// The weights of the file at `url` for `model`, under the model's names and in PyTorch's layout.
  ///
  /// Keras' names say nothing of the model's: convolutions, linear layers and batch norms are taken in the file's order and
  /// the model's, each kind for itself, and every shape is checked. A linear layer after ``Flatten`` gets its inputs in the
  /// model's order, channels first. A bias that a convolution has only in the file goes into the mean of the norm after it.
  ///
  /// - Parameter epsilon: That of the file's batch norms. What it differs from the model's goes into the running variances.
  /// - Throws: A ``CheckpointError`` with the file, the layer, what was found and what was wanted.
  public static func state(
    from url: URL, for model: any Module, epsilon: Scalar = 1e-3
  ) throws(CheckpointError) -> StateDictionary {
    guard recognizes(url) else { throw CheckpointError("is no HDF5 file, by its first bytes", in: url.path) }
    #if HDF5
      return try KerasReader.reading(url) { reader throws(CheckpointError) in
        var fit = KerasFit(try reader.layers(), reader)
        return try fit.state(of: model, epsilon: epsilon)
      }
    #else
      throw unreadable(url.path)
    #endif
  }

  static func unreadable(_ file: String) -> CheckpointError {
    CheckpointError(
      isReadable
        ? "is an HDF5 file: Keras' weights are read for a model, see KerasFile"
        : "is an HDF5 file: Keras' weights are read where the package is built with --traits HDF5", in: file)
  }
}
