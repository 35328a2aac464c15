import ArgumentParser
import Downloads
import Foundation
import Reports

struct Download: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Downloads a published data set.",
    discussion: """
        encodenet download cifar10 --to data

      The files are checked against their published MD5. The same command resumes a download that was cut off. A proxy \
      is taken from the environment (https_proxy, http_proxy, no_proxy) unless --proxy names one.
      """)

  @Argument(help: "The set: \(PublishedDataSet.allCases.map(\.name).joined(separator: ", ")).")
  var set: String
  @Option(help: "The folder the files go to.")
  var to: String
  @Option(help: "An address that has the files under their published names, instead of the published one.")
  var mirror: String?
  @Option(help: "The proxy to go through, such as http://proxy:3128.")
  var proxy: String?
  // '--patience' was its name before.
  @Option(
    name: [.long, .customLong("patience")], help: "Seconds without a byte after which an attempt ends, at least 1.")
  var stallTimeout = 30
  @Flag(name: .shortAndLong, help: "Say nothing but errors.")
  var quiet = false

  func validate() throws {
    guard PublishedDataSet.allCases.contains(where: { $0.name == set }) else {
      throw ValidationError(
        "'\(set)' is not a published data set that can be downloaded: write "
          + PublishedDataSet.allCases.map(\.name).joined(separator: ", "))
    }
    guard stallTimeout > 0 else {
      throw ValidationError("--stall-timeout is \(stallTimeout), it must be at least 1")
    }
    if let mirror, !mirror.hasPrefix("http://"), !mirror.hasPrefix("https://") {
      throw ValidationError("--mirror \(mirror): the address must begin with http:// or https://")
    }
  }

  func run() throws {
    let set = PublishedDataSet.allCases.first { $0.name == self.set }!
    let folder = fileURL(to)
    var downloader = Downloader(mirror: mirror, proxy: proxy)
    downloader.stallTimeout = stallTimeout
    let line = StatusLine(isQuiet: quiet)
    try downloader.fetch(set, to: folder) { event in
      switch event {
      case .isThere(let file): line.say("\(file.name) is there, and its MD5 is right")
      case .has(let bytes, let file): line.show("\(file.name): \(bytes / 1_000_000) of \(file.size / 1_000_000) MB")
      case .retries(let file, let problem): line.say("\(file.name): \(problem); trying again")
      case .finished(let file): line.say("\(file.name): \(file.size) bytes, and its MD5 is right")
      }
    }
    let form = set.folder.isEmpty ? "\(set.name):\(to)" : "mnist:\(to)/\(set.folder)"
    if !quiet { print("Use it as --data \(form)") }
  }
}
