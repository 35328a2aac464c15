import Communicators
import Foundation

/// Ranks that are threads of one process.
package final class ThreadCommunicator: Communicator {
  /// What the ranks share.
  private final class Meeting: @unchecked Sendable {
    let size: Int
    private let condition = NSCondition()
    private var (arrived, round) = (0, 0)
    var floats: [UnsafeMutableBufferPointer<Float>]
    var doubles: [UnsafeMutableBufferPointer<Double>]
    var bytes: [UnsafeMutableRawBufferPointer]
    var colours: [Int]
    var meetings: [Int: Meeting] = [:]

    init(_ size: Int) {
      self.size = size
      floats = .init(repeating: .init(start: nil, count: 0), count: size)
      doubles = .init(repeating: .init(start: nil, count: 0), count: size)
      bytes = .init(repeating: .init(start: nil, count: 0), count: size)
      colours = .init(repeating: 0, count: size)
    }

    func wait() {
      condition.lock()
      defer { condition.unlock() }
      let now = round
      arrived += 1
      if arrived == size {
        (arrived, round) = (0, round + 1)
        condition.broadcast()
      }
      let limit = Date().addingTimeInterval(120)
      while round == now {
        guard condition.wait(until: limit) else { fatalError("ThreadCommunicator: a rank never came") }
      }
    }

    func locked<R>(_ body: () -> R) -> R {
      condition.lock()
      defer { condition.unlock() }
      return body()
    }
  }

  private let meeting: Meeting
  package let rank: Int
  package var size: Int { meeting.size }
  package var host: String { "thread" }
  package var localRank: Int { rank }
  package var localSize: Int { size }

  private init(_ meeting: Meeting, _ rank: Int) { (self.meeting, self.rank) = (meeting, rank) }

  /// Runs `body` for each rank, all at once, and gives its results by rank.
  package static func run<R: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (ThreadCommunicator) throws -> R
  ) throws -> [R] {
    let meeting = Meeting(size)
    let (group, lock) = (DispatchGroup(), NSLock())
    nonisolated(unsafe) var results = [Result<R, any Error>?](repeating: nil, count: size)
    for rank in 0..<size {
      group.enter()
      let thread = Thread {
        let result = Result { try body(ThreadCommunicator(meeting, rank)) }
        lock.withLock { results[rank] = result }
        group.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    group.wait()
    return try results.map { try $0!.get() }
  }

  package func sum(_ values: UnsafeMutableBufferPointer<Float>) { sum(values, \.floats) }
  package func sum(_ values: UnsafeMutableBufferPointer<Double>) { sum(values, \.doubles) }

  private func sum<Value: FloatingPoint>(
    _ values: UnsafeMutableBufferPointer<Value>,
    _ place: ReferenceWritableKeyPath<Meeting, [UnsafeMutableBufferPointer<Value>]>
  ) {
    meeting.locked { meeting[keyPath: place][rank] = values }
    meeting.wait()
    let all = meeting[keyPath: place]
    precondition(all.allSatisfy { $0.count == values.count }, "ranks add \(all.map(\.count)) numbers")
    let sums = values.indices.map { index in all.dropFirst().reduce(all[0][index]) { $0 + $1[index] } }
    meeting.wait()
    for (index, sum) in sums.enumerated() { values[index] = sum }
    meeting.wait()
  }

  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {
    meeting.locked { meeting.bytes[rank] = bytes }
    meeting.wait()
    precondition(meeting.bytes[root].count == bytes.count, "ranks broadcast \(meeting.bytes.map(\.count)) bytes")
    if rank != root { bytes.copyMemory(from: UnsafeRawBufferPointer(meeting.bytes[root])) }
    meeting.wait()
  }

  package func barrier() { meeting.wait() }

  package func split(_ colour: Int) -> any Communicator {
    meeting.locked { meeting.colours[rank] = colour }
    meeting.wait()
    let members = meeting.colours.indices.filter { meeting.colours[$0] == colour }
    let part = meeting.locked { () -> Meeting in
      let part = meeting.meetings[colour] ?? Meeting(members.count)
      meeting.meetings[colour] = part
      return part
    }
    meeting.wait()
    meeting.locked { meeting.meetings = [:] }
    meeting.wait()
    return ThreadCommunicator(part, members.firstIndex(of: rank)!)
  }

  package func abort(_ code: Int32) -> Never { fatalError("\(name) aborts with \(code)") }
}
