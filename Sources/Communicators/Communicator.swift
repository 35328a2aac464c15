#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A group of processes, its ranks, that work on one thing together.
///
/// Every rank calls the collective methods, which are all but ``abort(_:)`` and ``reached(step:)``, in the same order and with the same
/// counts. A method returns on a rank once it has its result there; a rank that never comes holds up the others.
public protocol Communicator: AnyObject, Sendable {
  /// The number of this rank, from 0.
  var rank: Int { get }
  /// The number of ranks.
  var size: Int { get }
  /// The name of the machine of this rank, for messages.
  var host: String { get }
  /// The number of this rank among those on its machine.
  var localRank: Int { get }
  /// The number of ranks on this machine.
  var localSize: Int { get }
  /// Whether several threads may use groups of these ranks at once, each its own.
  var allowsThreads: Bool { get }

  /// Replaces `values` on every rank by the sum over all ranks, which has the same bits on each.
  func sum(_ values: UnsafeMutableBufferPointer<Float>)
  /// Replaces `values` on every rank by the sum over all ranks, which has the same bits on each.
  func sum(_ values: UnsafeMutableBufferPointer<Double>)
  /// Replaces `bytes` on every rank by those of the rank `root`.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int)
  /// Waits until every rank has come here.
  func barrier()
  /// Waits until every rank has come here, which may take hours; the watchdog does not count this wait.
  func meet()
  /// Divides the ranks: those that give the same `colour` are a group, in their order.
  func split(_ colour: Int) -> any Communicator

  /// Ends all processes of all ranks, with this exit code.
  func abort(_ code: Int32) -> Never
  /// Tells a watchdog how far this rank is.
  func reached(step: Int)
}

extension Communicator {
  /// Whether this is the first rank, which alone writes files and messages.
  public var isFirst: Bool { rank == 0 }
  /// `rank 1 of 4 (node7)`, for messages.
  public var name: String { "rank \(rank) of \(size)" + (host.isEmpty ? "" : " (\(host))") }
  public var allowsThreads: Bool { true }
  public func meet() { barrier() }
  public func reached(step: Int) {}

  /// Replaces `values` on every rank by the sum over all ranks.
  public func sum(_ values: inout [Double]) { values.withUnsafeMutableBufferPointer { sum($0) } }

  /// The bytes that the rank `root` gives, on every rank; those of the others do not count.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0) -> [UInt8] {
    guard size > 1 else { return bytes }
    var count = UInt64(bytes.count).littleEndian
    withUnsafeMutableBytes(of: &count) { broadcast($0, from: root) }
    let total = Int(UInt64(littleEndian: count))
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: total)
    if total > 0 { result.withUnsafeMutableBytes { broadcast($0, from: root) } }
    return result
  }

  /// The bytes that each rank gives, by rank, on every rank.
  public func gathered(_ bytes: [UInt8]) -> [[UInt8]] { (0..<size).map { broadcast(bytes, from: $0) } }

  /// The texts that each rank gives, by rank, on every rank.
  public func gathered(_ text: String) -> [String] {
    gathered(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// The one rank of a process that works alone.
public final class SingleProcess: Communicator {
  public init() {}
  public var rank: Int { 0 }
  public var size: Int { 1 }
  public var host: String { "" }
  public var localRank: Int { 0 }
  public var localSize: Int { 1 }
  public func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
  public func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
  public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) {}
  public func barrier() {}
  public func split(_ colour: Int) -> any Communicator { self }
  public func abort(_ code: Int32) -> Never { exit(code) }
}
