import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Downloads

/// Against a server of our own on the loopback interface; nothing is asked of the world.
@Suite struct DownloadTests {
  private static let content: [UInt8] = (0..<300_000).map { (i: Int) in UInt8((i * 7 + i / 251) % 251) }
  private static let file = PublishedDataSet.File("x.bin", size: 300_000, md5: "03808508aef97fb5825c4febe721ab88")

  /// Fetches into a folder, where `prepare` may put things before, and gives the folder to `check`.
  private func fetch(
    _ answers: LoopbackServer.Answer..., file: PublishedDataSet.File = Self.file, content: [UInt8] = Self.content,
    stallTimeout: Int = 60, through proxy: Bool = false, prepare: (URL) throws -> Void = { _ in },
    check: (_ events: [Downloader.Event], _ error: DataError?, LoopbackServer, _ folder: URL) throws -> Void
  ) throws {
    try withFolder { folder in
      try prepare(folder)
      let server = try LoopbackServer(content, answers)
      defer { server.stop() }
      let set = PublishedDataSet(name: "set", address: "http://published.invalid/data", files: [file])
      // An empty proxy: whatever the environment says, these requests stay here.
      var downloader = Downloader(mirror: proxy ? nil : server.address, proxy: proxy ? server.address : "")
      (downloader.pause, downloader.stallTimeout) = (0.01, stallTimeout)
      var events: [Downloader.Event] = []
      var error: DataError?
      do throws(DataError) { try downloader.fetch(set, to: folder) { events.append($0) } } catch let problem {
        error = problem
      }
      try check(events, error, server, folder)
    }
  }

  private func expectWhole(_ folder: URL, _ error: DataError?, _ note: Comment? = nil) throws {
    #expect(error == nil, note)
    let bytes = try? Data(contentsOf: folder.appendingPathComponent("x.bin"))
    #expect(bytes.map { $0 == Data(Self.content) } == true, note)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names == ["x.bin"], note)
  }

  @Test func aFileIsFetchedOnceAndThenThere() throws {
    try fetch(.good) { events, error, server, folder in
      try expectWhole(folder, error)
      #expect(events.last == .finished(Self.file) && events.contains(.has(300_000, of: Self.file)))
      #expect(server.requests.count == 1 && server.requests[0].hasPrefix("GET /set/x.bin HTTP/1.1\r\n"))
      let set = PublishedDataSet(name: "set", address: server.address, files: [Self.file])
      var again: [Downloader.Event] = []
      try Downloader(proxy: "").fetch(set, to: folder) { again.append($0) }
      #expect(again == [.isThere(Self.file)] && server.requests.count == 1)
    }
  }

  @Test(arguments: ["abc": "900150983cd24fb0d6963f7d28e17f72", "message digest": "f96b697d7cb7938d525a2f31aaf161d0"])
  func theCheckSumIsThatOfRFC1321(text: String, md5: String) throws {
    let file = PublishedDataSet.File("x.bin", size: text.utf8.count, md5: md5)
    try fetch(.good, file: file, content: Array(text.utf8)) { _, error, _, _ in #expect(error == nil) }
  }

  @Test(arguments: ["cut", "reset", "reset at once", "stall", "503", "429", "says more"])
  func whatBreaksIsGoneOnWithWhereItBroke(what: String) throws {
    let first: LoopbackServer.Answer =
      switch what {
      case "cut": .cut(100_000)
      case "reset": .reset(100_000)
      case "reset at once": .reset(0)
      case "stall": .stall(100_000)
      case "503": .status(503)
      case "429": .status(429)
      default: .says(400_000)
      }
    try fetch(first, .good, stallTimeout: what == "stall" ? 3 : 60) { events, error, server, folder in
      try expectWhole(folder, error, "\(what): \(String(describing: error))")
      if what == "says more" { return }
      #expect(server.requests.count == 2 && events.contains { if case .retries = $0 { true } else { false } })
      if ["cut", "reset", "stall"].contains(what) {
        #expect(server.requests[1].lowercased().contains("range: bytes=100000-"), "\(server.requests[1])")
      }
    }
  }

  @Test func anEarlierProcessIsGoneOnFrom() throws {
    func part(_ bytes: [UInt8]) -> (URL) throws -> Void {
      { try Data(bytes).write(to: $0.appendingPathComponent("x.bin.part")) }
    }
    try fetch(.good, prepare: part(Array(Self.content.prefix(70_001)))) { _, error, server, folder in
      try expectWhole(folder, error)
      #expect(server.requests.count == 1 && server.requests[0].lowercased().contains("range: bytes=70001-"))
    }
    try fetch(.knowsNoRanges, prepare: part(Array(Self.content.prefix(70_001)))) { _, error, server, folder in
      try expectWhole(folder, error, "a server that knows no ranges")
    }
    try fetch(.good, prepare: part(Self.content)) { _, error, server, folder in
      try expectWhole(folder, error, "killed before the last step")
      #expect(server.requests.isEmpty)
    }
    try fetch(.good, prepare: part(Self.content + [0])) { _, error, _, folder in
      try expectWhole(folder, error, "longer than the whole")
    }
    try fetch(.good, prepare: part([UInt8](repeating: 9, count: 1000))) { events, error, server, folder in
      try expectWhole(folder, error, "another file's beginning")
      #expect(server.requests.count == 2 && !server.requests[1].lowercased().contains("range"))
    }
  }

  @Test(arguments: [
    ("404", 1, "404"), ("endless", 1, "300000 bytes"), ("says less", 1, "what came has 1000 bytes"),
    ("always reset", 5, "in 5 attempts"), ("redirected in a ring", 11, "redirects"),
    ("redirected to a file", 1, "file"),
    ("always stalls", 5, "in 5 attempts"), ("garbage", 1, "HTTP/0.9"),
  ]) func whatCannotBeHadEndsWithAReason(what: String, requests: Int, says: String) throws {
    let answer: LoopbackServer.Answer =
      switch what {
      case "404": .status(404)
      case "endless": .endless
      case "says less": .says(1000)
      case "always reset": .reset(0)
      case "garbage": .garbage
      case "redirected in a ring": .redirect("/set/x.bin")
      case "redirected to a file": .redirect("file:///etc/passwd")
      default: .stall(0)
      }
    // Where nothing is to stall, a machine that stands still for a second is to be no failure.
    try fetch(answer, stallTimeout: what == "always stalls" ? 3 : 60) { _, error, server, folder in
      #expect(error?.problem.contains(says) == true, "\(what): \(String(describing: error))")
      #expect(error?.file?.hasSuffix("/set/x.bin") == true, "\(what): \(String(describing: error))")
      #expect(server.requests.count == requests, "\(what): \(String(describing: error))")
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("x.bin").path))
    }
  }

  @Test func anotherContentIsRefusedAndDoesNotTakeTheName() throws {
    try fetch(.good, content: Self.content.reversed()) { _, error, server, folder in
      #expect(error?.problem.contains("published is 300000 and \(Self.file.md5)") == true && server.requests.count == 1)
      #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("x.bin").path))
    }
  }

  @Test func aFileOfTheUsersIsLeftAsItIs() throws {
    let own = Data("mine".utf8)
    let put = { (folder: URL) in try own.write(to: folder.appendingPathComponent("x.bin")) }
    try fetch(.good, prepare: put) { _, error, server, folder in
      #expect(error?.problem.hasPrefix("has the MD5") == true && server.requests.isEmpty)
      let there = try Data(contentsOf: folder.appendingPathComponent("x.bin"))
      #expect(there == own)
    }
  }

  @Test func twoProcessesDoNotWriteTheSameFile() throws {
    nonisolated(unsafe) var descriptor: Int32 = -1
    let lock = { (folder: URL) in
      descriptor = open(folder.appendingPathComponent("x.bin.part").path, O_RDWR | O_CREAT, 0o644)
      #expect(flock(descriptor, LOCK_EX) == 0)
    }
    try fetch(.good, prepare: lock) { _, error, server, _ in
      #expect(error?.problem == "another process is fetching it" && server.requests.isEmpty)
      close(descriptor)
    }
  }

  @Test func aProxyIsAskedForThePublishedAddress() throws {
    try fetch(.good, through: true) { _, error, server, folder in
      try expectWhole(folder, error)
      #expect(server.requests.first?.hasPrefix("GET http://published.invalid/data/x.bin HTTP/1.1\r\n") == true)
    }
  }
}
