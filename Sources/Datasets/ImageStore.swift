import CImages
import FileFormats
import Synchronization

/// Where the bytes of images are.
enum ImageStore: Sendable {
  /// One image after the other.
  case memory([UInt8])
  /// In a file of prepared images.
  case packed(PackedImages)
  /// Wherever a data set reads them from, each time.
  case source(ReadImages)

  /// Calls `body` with the image at `place`, of `size` bytes.
  func withImage<R>(
    at place: Int, _ size: Int, _ body: (UnsafeBufferPointer<UInt8>) -> R
  ) throws(DataError) -> R {
    switch self {
    case .memory(let pixels):
      return pixels.withUnsafeBufferPointer {
        body(UnsafeBufferPointer(rebasing: $0[place * size..<(place + 1) * size]))
      }
    case .packed(let images): return try images.image(at: place).withUnsafeBufferPointer(body)
    case .source(let images): return try images.image(at: place).withUnsafeBufferPointer(body)
    }
  }

  /// The hashes of all images, where they are known.
  var digests: ImageDigests? {
    switch self {
    case .memory: return nil
    case .packed(let images): return images.digests
    case .source(let images): return images.digests.withLock { $0 }
    }
  }
}

/// Hashes of the bytes of images.
struct ImageDigests: Sendable {
  /// That of each.
  var images: [UInt64]
  /// That of all bytes, one image after the other.
  var whole: UInt64

  /// Hashes images one after the other.
  struct Hasher {
    private var images: [UInt64] = []
    private var all = ci_hash_start(0)

    mutating func append(_ image: UnsafeBufferPointer<UInt8>) {
      images.append(ci_hash(image.baseAddress, image.count, 0))
      ci_hash_append(&all, image.baseAddress, image.count)
    }

    func finished() -> ImageDigests {
      ImageDigests(images: images, whole: withUnsafePointer(to: all) { ci_hash_finish($0) })
    }
  }
}

/// The images of a data set, read each time they are wanted.
final class ReadImages: Sendable {
  private let dataset: any ImageDataset
  /// The bytes of an image.
  private let size: Int
  let digests: Mutex<ImageDigests?>

  init(_ dataset: any ImageDataset, digests: ImageDigests? = nil) {
    (self.dataset, size) = (dataset, dataset.imageShape.count)
    self.digests = Mutex(digests)
  }

  func image(at index: Int) throws(DataError) -> [UInt8] {
    do {
      // A data set that reads another one may meet a fault, on a thread where nothing collects it.
      let image = try throwingDataFaults { try dataset.image(at: index) }
      guard image.count == size else {
        throw DataError(
          "\(dataset.name): image \(index) has \(image.count) bytes", wanted: "\(size), of shape \(dataset.imageShape)")
      }
      if let known = digests.withLock({ $0?.images[index] }), ci_hash(image, size, 0) != known {
        throw DataError("\(dataset.name): image \(index) has changed since it was first read")
      }
      return image
    } catch let error as DataError { throw error } catch {
      throw DataError("\(dataset.name): image \(index) cannot be read: \(error)")
    }
  }
}
