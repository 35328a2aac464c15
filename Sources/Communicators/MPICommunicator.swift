#if MPI
  import CMPI
  import Foundation
  import Synchronization

  /// Ranks that an MPI launcher has started, on one machine or several.
  public final class MPICommunicator: Communicator {
    private let group: en_mpi_group
    public let rank: Int
    public let size: Int
    public let host: String
    public let localRank: Int
    public let localSize: Int
    private let watchdog = Mutex<Watchdog?>(nil)
    /// Whether several threads may call MPI at once, as a watchdog needs.
    public let allowsThreads: Bool

    /// All ranks.
    static func world() -> MPICommunicator {
      let allowsThreads = en_mpi_begin() != 0
      // A group of its own, apart from other users of MPI in the process.
      return MPICommunicator(en_mpi_duplicate(en_mpi_world()), allowsThreads: allowsThreads)
    }

    private init(_ group: en_mpi_group, allowsThreads: Bool) {
      (self.group, self.allowsThreads) = (group, allowsThreads)
      (rank, size) = (Int(en_mpi_rank(group)), Int(en_mpi_size(group)))
      var name = [CChar](repeating: 0, count: 256)
      en_mpi_host(&name)
      let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      self.host = host
      let local = en_mpi_split_by_machine(group, Int32(rank))
      (localRank, localSize) = (Int(en_mpi_rank(local)), Int(en_mpi_size(local)))
      en_mpi_free(local)
    }

    /// Begins to watch: the rank that stands still for `stall` while others wait for it ends all.
    func watch(stall: Duration) {
      guard size > 1, allowsThreads else { return }
      let begun = Watchdog(group, host: host, stall: stall)
      watchdog.withLock { $0 = begun }
    }

    /// A part of a group, whose ranks the watchdog of all watches.
    private init(_ group: en_mpi_group, of whole: MPICommunicator) {
      self.group = group
      (rank, size, host) = (Int(en_mpi_rank(group)), Int(en_mpi_size(group)), whole.host)
      (localRank, localSize, allowsThreads) = (whole.localRank, whole.localSize, whole.allowsThreads)
      let present = whole.watchdog.withLock { $0 }
      watchdog.withLock { $0 = present }
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Float>) {
      inParts(values) { en_mpi_sum_floats(group, $0.baseAddress, Int32($0.count)) }
    }

    public func sum(_ values: UnsafeMutableBufferPointer<Double>) {
      inParts(values) { en_mpi_sum_doubles(group, $0.baseAddress, Int32($0.count)) }
    }

    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
      inParts(bytes.bindMemory(to: UInt8.self)) {
        en_mpi_broadcast(group, $0.baseAddress, Int32($0.count), Int32(root))
      }
    }

    public func barrier() { waiting { en_mpi_barrier(group) } }

    public func meet() {
      // Not in MPI's own loop, which would take a core for as long.
      var message = en_mpi_begin_barrier(group)
      while en_mpi_is_sent(&message) == 0 { Thread.sleep(forTimeInterval: 0.02) }
    }

    public func split(_ colour: Int) -> any Communicator {
      waiting { MPICommunicator(en_mpi_split(group, Int32(colour), Int32(rank)), of: self) }
    }

    public func abort(_ code: Int32) -> Never {
      fflush(nil)
      en_mpi_abort(code)
      exit(code)
    }

    public func reached(step: Int) { watchdog.withLock { $0 }?.reached(step: step) }

    /// Ends this rank's part, once all ranks have come here.
    func leave() {
      fflush(nil)
      barrier()
      watchdog.withLock { $0.take() }?.stop()
      en_mpi_end()
    }

    /// Calls `body` for parts whose counts MPI can take.
    private func inParts<Element>(
      _ values: UnsafeMutableBufferPointer<Element>, _ body: (UnsafeMutableBufferPointer<Element>) -> Void
    ) {
      waiting {
        for start in stride(from: 0, to: values.count, by: 1 << 28) {
          body(.init(rebasing: values[start..<min(start + 1 << 28, values.count)]))
        }
      }
    }

    private func waiting<R>(_ body: () -> R) -> R {
      let watchdog = watchdog.withLock { $0 }
      watchdog?.beginsToWait()
      defer { watchdog?.endsToWait() }
      return body()
    }
  }
#endif
