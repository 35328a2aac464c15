import Foundation
import Testing

@testable import Kernels

/// How many threads a process may use.
@Suite struct ProcessorsTests {
  /// A folder as control groups lie, with the content of files by their paths.
  private func quotas(_ groups: String, _ files: [String: String]) throws -> [Double] {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: root) }
    for (path, content) in files {
      let file = root.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(content.utf8).write(to: file)
    }
    return Processors.quotas(groups: groups, in: root.path)
  }

  @Test func quotasOfAGroupAndOfThoseAroundItCount() throws {
    let second = "0::/system.slice/run.scope\n"
    #expect(try quotas(second, ["system.slice/run.scope/cpu.max": "150000 100000\n"]) == [1.5])
    #expect(
      try quotas(second, ["system.slice/cpu.max": "400000 100000\n", "system.slice/run.scope/cpu.max": "max 100000\n"])
        == [4])
    // A container sees its group as the root, and its name from outside.
    #expect(try quotas("0::/docker/0123\n", ["cpu.max": "50000 100000"]) == [0.5])
    let first = "12:memory:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n"
    let files = ["cpu,cpuacct/a/cpu.cfs_quota_us": "200000\n", "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n"]
    #expect(try quotas(first, files) == [2])
    let unlimited = ["cpu/a/b/cpu.cfs_quota_us": "-1\n", "cpu/a/b/cpu.cfs_period_us": "100000\n"]
    #expect(try quotas(first, unlimited) == [])
    #expect(try quotas("nonsense", [:]) == [] && quotas("0::/x", ["x/cpu.max": "many few"]) == [])
  }

  @Test func theLeastQuotaCountsRoundedUp() {
    #expect(Processors.limited(8, quotas: []) == 8)
    #expect(Processors.limited(8, quotas: [1.5, 4]) == 2)
    #expect(Processors.limited(8, quotas: [0.2]) == 1)
    #expect(Processors.limited(2, quotas: [16]) == 2)
    #expect(Processors.limited(0, quotas: []) == 1)
  }

  #if os(Linux)
    /// `taskset` sets the affinity that `nproc` counts.
    @Test func theAffinityOfTheProcessCounts() throws {
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["nproc"]
      process.standardOutput = output
      // These change what it prints.
      process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("OMP_") }
      try process.run()
      process.waitUntilExit()
      let counted = Int(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).dropLast())
      let allowed = try #require(counted)
      #expect((1...allowed).contains(Processors.count))
    }
  #endif
}
