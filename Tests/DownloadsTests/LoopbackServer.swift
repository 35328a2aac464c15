import Foundation
import Synchronization

/// A web server on the loopback interface that behaves as badly as it is told.
final class LoopbackServer: Sendable {
  /// What it does with a request.
  enum Answer: Sendable {
    /// What was asked for, also from the middle on.
    case good
    /// Everything, whatever part was asked for.
    case knowsNoRanges
    /// Hangs up after so many bytes.
    case cut(Int)
    /// Resets the connection after so many bytes.
    case reset(Int)
    /// Says nothing more after so many bytes.
    case stall(Int)
    /// A length in its header that is not that of what it sends.
    case says(Int)
    /// Never comes to an end, and tells no length.
    case endless
    case status(Int)
    case redirect(String)
    /// Bytes that are no answer.
    case garbage
  }

  let port: UInt16
  private let listener: Int32
  private let content: [UInt8]
  private let state: Mutex<(answers: [Answer], heads: [String])>

  /// Serves `content` under every path; one of `answers` for each request, the last for all that follow.
  init(_ content: [UInt8], _ answers: [Answer]) throws {
    self.content = content
    state = Mutex((answers, []))
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isOpen = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    guard isOpen else { throw CocoaError(.fileReadUnknown) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Thread.detachNewThread { [self] in serve(connection) }
      }
    }
  }

  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  var address: String { "http://127.0.0.1:\(port)/set" }
  /// The heads of the requests so far.
  var requests: [String] { state.withLock { $0.heads } }

  private func serve(_ connection: Int32) {
    var head = ""
    var byte: UInt8 = 0
    while !head.hasSuffix("\r\n\r\n"), recv(connection, &byte, 1, 0) == 1 {
      head.append(Character(Unicode.Scalar(byte)))
    }
    guard !head.isEmpty else { return }
    let answer = state.withLock { state in
      state.heads.append(head)
      return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
    }
    let range = head.range(of: #"(?<=bytes=)\d+"#, options: [.regularExpression, .caseInsensitive])
    Reply(connection: connection, content: content, start: range.flatMap { Int(head[$0]) } ?? 0).send(answer)
    close(connection)
  }
}

/// The reply to a request for the bytes of `content` from `start` on.
private struct Reply {
  let connection: Int32
  let content: [UInt8]
  let start: Int

  func send(_ answer: LoopbackServer.Answer) {
    switch answer {
    case .good:
      begin()
      write(content.dropFirst(start))
    case .knowsNoRanges:
      begin(isWhole: true)
      write(content)
    case .cut(let count):
      begin()
      write(content.dropFirst(start).prefix(count))
    case .reset(let count):
      if count > 0 {
        begin()
        write(content.dropFirst(start).prefix(count))
        // What was sent is to arrive before the connection goes.
        usleep(100_000)
      }
      var now = linger(l_onoff: 1, l_linger: 0)
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    case .stall(let count):
      begin()
      write(content.dropFirst(start).prefix(count))
      var byte: UInt8 = 0
      _ = recv(connection, &byte, 1, 0)
    case .says(let length):
      begin(length: length)
      write(content.dropFirst(start))
    case .endless:
      write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
      // Another content: with the right one a client that stops at the published length has the whole file.
      while write(content.reversed()) {}
    case .status(let code): write("HTTP/1.1 \(code) So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    case .redirect(let address):
      write("HTTP/1.1 302 There\r\nLocation: \(address)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    case .garbage: write("\u{0}\u{1}no answer\r\n\r\n")
    }
  }

  private func begin(length: Int? = nil, isWhole: Bool = false) {
    guard start <= content.count else {
      return write("HTTP/1.1 416 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }
    let isPart = start > 0 && !isWhole
    write(isPart ? "HTTP/1.1 206 Part\r\n" : "HTTP/1.1 200 OK\r\n")
    if isPart { write("Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)\r\n") }
    write("Content-Length: \(length ?? content.count - (isPart ? start : 0))\r\nConnection: close\r\n\r\n")
  }

  /// Sends `bytes`; false where the connection is gone.
  @discardableResult private func write(_ bytes: some Collection<UInt8>) -> Bool {
    let bytes = Array(bytes)
    var done = 0
    while done < bytes.count {
      let sent = bytes[done...].withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }
  private func write(_ text: String) { write(Array(text.utf8)) }
}
