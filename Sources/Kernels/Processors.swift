import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processors that this process may use: more threads than those take turns and wait for one another.
package enum Processors {
  /// Those that its affinity and the quotas of its control groups allow, at least 1.
  package static let count: Int = {
    let groups = content(of: "/proc/self/cgroup").map { quotas(groups: $0, in: "/sys/fs/cgroup") } ?? []
    let allowed = en_allowed_processors()
    return limited(allowed > 0 ? allowed : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), quotas: groups)
  }()

  /// The number of processors where shares of processor time are limited to `quotas`: rounded up, since half a processor is one
  /// that is there half of the time.
  static func limited(_ processors: Int, quotas: [Double]) -> Int {
    let least = quotas.filter { $0 > 0 }.min() ?? .infinity
    return max(1, least < Double(processors) ? Int(least.rounded(.up)) : processors)
  }

  /// The quotas in processors of the control groups that `groups`, the content of `/proc/self/cgroup`, names, and of those around
  /// them; `root` is where they are mounted. Version 2 has `cpu.max`, version 1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
  static func quotas(groups: String, in root: String) -> [Double] {
    groups.split(separator: "\n").flatMap { line -> [Double] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let controllers = parts[1].split(separator: ",")
      guard controllers.isEmpty || controllers.contains("cpu") else { return [] }
      let mounts = controllers.isEmpty ? [root] : ["\(root)/cpu", "\(root)/\(parts[1])"]
      let names = parts[2].split(separator: "/")
      return mounts.flatMap { mount in
        // A container sees its own group as the root, and its name from outside.
        (0...names.count).compactMap { quota(in: ([mount] + names.prefix($0).map(String.init)).joined(separator: "/")) }
      }
    }
  }

  private static func quota(in folder: String) -> Double? {
    func numbers(_ file: String) -> [Double?]? {
      content(of: "\(folder)/\(file)")?.split { $0 == " " || $0 == "\n" }.map { Double($0) }
    }
    let both =
      numbers("cpu.max") ?? numbers("cpu.cfs_quota_us").flatMap { a in numbers("cpu.cfs_period_us").map { a + $0 } }
    guard let both, both.count == 2, let quota = both[0], let period = both[1], quota > 0, period > 0 else {
      return nil
    }
    return quota / period
  }

  /// The first kilobytes of a file, nil where there is none.
  private static func content(of file: String) -> String? {
    guard let stream = fopen(file, "r") else { return nil }
    defer { fclose(stream) }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = fread(&bytes, 1, 16_384, stream)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
