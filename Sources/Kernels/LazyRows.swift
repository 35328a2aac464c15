import Synchronization

/// Computes any rows of a tensor: the producer of a lazy tensor.
///
/// Producer fusion: what is cheap to compute and large, such as a batch norm, need not be in memory as a whole. A convolution
/// after it computes a few images at a time, and they stay in a cache.
package struct RowProducer: Sendable {
  package let count: Int
  /// Scalars of a row.
  package let width: Int
  package typealias Write =
    @Sendable (
      _ range: Range<Int>, _ start: UnsafeMutablePointer<Scalar>, _ streams: Bool
    ) -> Void

  /// Writes the rows `range`, the first of them to `start`, past the caches where that is of a large tensor.
  package let write: Write

  package init(count: Int, width: Int, write: @escaping Write) {
    (self.count, self.width, self.write) = (count, width, write)
  }

  /// Rows below which another thread costs more than it saves.
  private var grain: Int { max(1, Tuning.Tasks.scalars / max(width, 1)) }

  fileprivate func writeAll(to start: UnsafeMutablePointer<Scalar>) {
    nonisolated(unsafe) let start = start
    let streams = Movement.streams(count * width)
    Parallel.sweep(count, grain: grain) { write($0, start + $0.lowerBound * width, streams) }
  }
}

/// The state of a lazy tensor: its producer, and from the first use its memory.
final class LazyRows: Sendable {
  private enum State {
    case pending(RowProducer)
    case materialized(address: UInt)
  }
  private let state: Mutex<State>

  init(_ rows: RowProducer) { state = Mutex(.pending(rows)) }

  var producer: RowProducer? {
    state.withLock { if case .pending(let rows) = $0 { rows } else { nil } }
  }

  var memory: UnsafeMutablePointer<Scalar>? {
    state.withLock {
      if case .materialized(let address) = $0 { UnsafeMutablePointer(bitPattern: address) } else { nil }
    }
  }

  /// Computes the rows on the first call, and releases the producer.
  func materialized() -> UnsafeMutablePointer<Scalar> {
    state.withLock { state in
      switch state {
      case .materialized(let address): return UnsafeMutablePointer(bitPattern: address)!
      case .pending(let rows):
        let memory = StoragePool.take(rows.count * rows.width)
        rows.writeAll(to: memory)
        state = .materialized(address: UInt(bitPattern: memory))
        return memory
      }
    }
  }
}

/// The images that a kernel reads: in memory, or lazy, to be fused or materialized.
package enum ImageSource {
  case stored(UnsafePointer<Scalar>)
  case lazy(RowProducer, of: Storage)

  package init(_ storage: Storage) {
    self = storage.producer.map { .lazy($0, of: storage) } ?? .stored(UnsafePointer(storage.pointer))
  }

  /// Materializes lazy images.
  package var pointer: UnsafePointer<Scalar> {
    switch self {
    case .stored(let start): start
    case .lazy(_, let storage): UnsafePointer(storage.pointer)
    }
  }

  /// The same, materialized unless the kernel fuses the producer.
  package func materialized(unless isFused: Bool) -> ImageSource { isFused ? self : .stored(pointer) }

  var isStored: Bool { if case .stored = self { true } else { false } }
}

/// Reads a few images at a time on one thread, running the producer of lazy ones.
package struct ImageReader {
  private let source: ImageSource
  private let (pixels, channels): (Int, Int)
  private let scratch: Storage

  /// - Parameter together: Images at a time, at most.
  package init(_ source: ImageSource, pixels: Int, channels: Int, together: Int) {
    (self.source, self.pixels, self.channels) = (source, pixels, channels)
    scratch = Storage(count: source.isStored ? 0 : together * pixels * channels)
  }

  /// Reads `images`, valid until the next call.
  ///
  /// - Returns: The address that image 0 would have.
  package func read(_ images: Range<Int>) -> UnsafePointer<Scalar> {
    switch source {
    case .stored(let start): return start
    case .lazy(let rows, _):
      rows.write(images.lowerBound * pixels..<images.upperBound * pixels, scratch.pointer, false)
      return UnsafePointer(scratch.pointer) - images.lowerBound * pixels * channels
    }
  }
}
