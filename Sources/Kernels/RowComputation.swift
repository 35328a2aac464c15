import Synchronization

/// Rows of scalars, and how to compute any of them.
///
/// What is cheap to compute and large, such as a batch norm, need not lie in memory as a whole: a convolution after it computes
/// a few images at a time, and they stay in a cache.
package struct RowComputation: Sendable {
  package let count: Int
  /// Scalars of a row.
  package let width: Int
  /// Writes the rows `range`, the first of them to `start`.
  package let write: @Sendable (_ range: Range<Int>, _ start: UnsafeMutablePointer<Scalar>) -> Void

  package init(
    count: Int, width: Int, write: @escaping @Sendable (Range<Int>, UnsafeMutablePointer<Scalar>) -> Void
  ) {
    (self.count, self.width, self.write) = (count, width, write)
  }

  /// So many rows are worth a thread's while.
  private var grain: Int { max(1, (1 << 14) / max(width, 1)) }

  fileprivate func writeAll(to start: UnsafeMutablePointer<Scalar>) {
    nonisolated(unsafe) let start = start
    Parallel.sweep(count, grain: grain) { write($0, start + $0.lowerBound * width) }
  }
}

/// The rows of a computation, once somebody asks for them.
final class DeferredRows: Sendable {
  private enum State {
    case waiting(RowComputation)
    case computed(address: UInt)
  }
  private let state: Mutex<State>

  init(_ rows: RowComputation) { state = Mutex(.waiting(rows)) }

  var computation: RowComputation? {
    state.withLock { if case .waiting(let rows) = $0 { rows } else { nil } }
  }

  var memory: UnsafeMutablePointer<Scalar>? {
    state.withLock { if case .computed(let address) = $0 { UnsafeMutablePointer(bitPattern: address) } else { nil } }
  }

  /// The memory that the rows lie in from now on. What the computation held is let go.
  func computed() -> UnsafeMutablePointer<Scalar> {
    state.withLock { state in
      switch state {
      case .computed(let address): return UnsafeMutablePointer(bitPattern: address)!
      case .waiting(let rows):
        let memory = StoragePool.take(rows.count * rows.width)
        rows.writeAll(to: memory)
        state = .computed(address: UInt(bitPattern: memory))
        return memory
      }
    }
  }
}

/// Images where a kernel finds them: in memory, or to be computed, which is done at once where a kernel asks for the pointer.
package enum ImageSource {
  case stored(UnsafePointer<Scalar>)
  case computed(RowComputation, of: Storage)

  package init(_ storage: Storage) {
    self = storage.computation.map { .computed($0, of: storage) } ?? .stored(UnsafePointer(storage.pointer))
  }

  package var pointer: UnsafePointer<Scalar> {
    switch self {
    case .stored(let start): start
    case .computed(_, let storage): UnsafePointer(storage.pointer)
    }
  }

  /// The same, in memory unless `isWelcome` as a computation.
  package func computed(if isWelcome: Bool) -> ImageSource { isWelcome ? self : .stored(pointer) }

  var isStored: Bool { if case .stored = self { true } else { false } }
}

/// Lets a thread have some images at a time, wherever they come from.
package struct ImageReader {
  private let source: ImageSource
  private let (pixels, channels): (Int, Int)
  private let room: Storage

  /// - Parameter together: Images at a time, at most.
  package init(_ source: ImageSource, pixels: Int, channels: Int, together: Int) {
    (self.source, self.pixels, self.channels) = (source, pixels, channels)
    room = Storage(count: source.isStored ? 0 : together * pixels * channels)
  }

  /// Where the first of all images would lie, of which `images` can be read until others are.
  package func read(_ images: Range<Int>) -> UnsafePointer<Scalar> {
    switch source {
    case .stored(let start): return start
    case .computed(let rows, _):
      rows.write(images.lowerBound * pixels..<images.upperBound * pixels, room.pointer)
      return UnsafePointer(room.pointer) - images.lowerBound * pixels * channels
    }
  }
}
