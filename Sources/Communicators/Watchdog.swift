#if MPI
  import CMPI
  import Foundation
  import Synchronization

  /// Ends all ranks where one of them stands still while others wait for it, and says which, and at which step.
  ///
  /// A thread of each rank tells the first rank how far its rank is, and the first rank tells all others, so that it is missed too. A
  /// process that is stopped is silent; one that is at work, or hangs, tells that it does not wait.
  final class Watchdog: Sendable {
    /// What a rank tells of itself.
    private struct Status {
      /// Collective calls begun.
      var calls: Int64 = 0
      var isWaiting = false
      var step: Int64 = -1

      var words: [Int64] { [calls, isWaiting ? 1 : 0, step] }
      init() {}
      init(_ words: [Int64]) { (calls, isWaiting, step) = (words[0], words[1] != 0, words[2]) }

      var place: String { step < 0 ? "before its first step" : "at step \(step)" }
    }
    /// What is known of a rank.
    private struct Known {
      var status = Status()
      var heard: ContinuousClock.Instant
      /// The time of the last change of its status.
      var changed: ContinuousClock.Instant
    }

    private let group: en_mpi_group
    private let rank: Int
    private let size: Int
    private let names: [String]
    private let stall: Duration
    private let own = Mutex(Status())
    private let isStopped = Atomic(false)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Begins to watch the ranks of `group`, all of which begin.
    init(_ group: en_mpi_group, host: String, stall: Duration) {
      self.group = en_mpi_duplicate(group)
      (rank, size, self.stall) = (Int(en_mpi_rank(group)), Int(en_mpi_size(group)), stall)
      names = (0..<size).map { root in
        var name = [UInt8](repeating: 0, count: 256)
        for (place, byte) in host.utf8.prefix(255).enumerated() { name[place] = byte }
        en_mpi_broadcast(group, &name, 256, Int32(root))
        return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      }
      let thread = Thread { [self] in
        watch()
        hasEnded.signal()
      }
      thread.name = "EncodeNet.Watchdog"
      thread.start()
    }

    func reached(step: Int) { own.withLock { $0.step = Int64(step) } }
    func beginsToWait() {
      own.withLock {
        $0.calls += 1
        $0.isWaiting = true
      }
    }
    func endsToWait() { own.withLock { $0.isWaiting = false } }

    /// Ends the thread, which calls MPI no more afterwards.
    func stop() {
      isStopped.store(true, ordering: .relaxed)
      hasEnded.wait()
    }

    private func watch() {
      let clock = ContinuousClock()
      let interval = min(.seconds(1), stall / 10)
      var known = (0..<size).map { _ in Known(heard: clock.now, changed: clock.now) }
      // Messages stay where they are until they are sent.
      let outbox = UnsafeMutablePointer<Int64>.allocate(capacity: 3 * size)
      outbox.initialize(repeating: 0, count: 3 * size)
      var messages: [Int: en_mpi_message] = [:]
      let others = rank == 0 ? Array(1..<size) : [0]
      var last = clock.now
      while !isStopped.load(ordering: .relaxed) {
        // A machine that slept heard nobody.
        if clock.now - last > interval * 4 {
          for index in known.indices { (known[index].heard, known[index].changed) = (clock.now, clock.now) }
        }
        last = clock.now
        let status = own.withLock { $0 }
        note(status, of: rank, in: &known, at: last)
        for other in others {
          if messages[other] != nil, en_mpi_is_sent(&messages[other]!) == 0 { continue }
          let words = outbox + 3 * other
          words.update(from: status.words, count: 3)
          messages[other] = UnsafePointer(words).withMemoryRebound(to: CLongLong.self, capacity: 3) {
            en_mpi_send(group, $0, 3, Int32(other))
          }
        }
        receive(into: &known, at: last)
        if let problem = problem(known, at: last) { end(problem) }
        Thread.sleep(forTimeInterval: interval / .seconds(1))
      }
      // What is still on its way needs its memory: `outbox` is left to the end of the process.
    }

    private func note(_ status: Status, of rank: Int, in known: inout [Known], at now: ContinuousClock.Instant) {
      if status.words != known[rank].status.words { known[rank].changed = now }
      (known[rank].status, known[rank].heard) = (status, now)
    }

    private func receive(into known: inout [Known], at now: ContinuousClock.Instant) {
      var words = [CLongLong](repeating: 0, count: 3)
      while true {
        let sender = Int(en_mpi_receive(group, &words, 3))
        guard sender >= 0 else { return }
        note(Status(words.map { Int64($0) }), of: sender, in: &known, at: now)
      }
    }

    /// The rank that stands still, in words; nil where none does.
    private func problem(_ known: [Known], at now: ContinuousClock.Instant) -> String? {
      func name(_ rank: Int) -> String { "rank \(rank) of \(size) (\(names[rank]))" }
      let seconds = Int(stall / .seconds(1))
      let watched = rank == 0 ? Array(known.indices.dropFirst()) : [0]
      if let silent = watched.first(where: { now - known[$0].heard > stall }) {
        // Where it was last, which is not where it stands: steps may be shorter than the time between two reports.
        return "\(name(silent)) stands still: it was last heard of \(seconds) s ago, \(known[silent].status.place)"
      }
      // The first rank alone knows of all.
      guard rank == 0 else { return nil }
      let still = known.indices.filter { now - known[$0].changed > stall }
      guard let waiting = still.first(where: { known[$0].status.isWaiting }),
        let missing = still.first(where: { !known[$0].status.isWaiting })
      else { return nil }
      return
        "\(name(missing)) stands still \(known[missing].status.place): \(name(waiting)) has waited for it for \(seconds) s"
    }

    private func end(_ problem: String) -> Never {
      // The other ranks miss the first one at the same time: one of them says so.
      if rank > 1 { Thread.sleep(forTimeInterval: Double(rank)) }
      let line = "encodenet: \(problem); all ranks are ended, and the same command resumes\n"
      FileHandle.standardError.write(Data(line.utf8))
      en_mpi_abort(75)
      exit(75)
    }
  }
#endif
