import Foundation

/// The memory that this process may use.
enum MachineMemory {
  /// That of the machine, or of the tightest control group around the process.
  static let limit: Int = {
    let groups = content(of: "/proc/self/cgroup").map { limits(groups: $0, in: "/sys/fs/cgroup") } ?? []
    return ([Int(clamping: ProcessInfo.processInfo.physicalMemory)] + groups).min()!
  }()

  /// The limits in bytes of the control groups that `groups`, the content of `/proc/self/cgroup`, names, and of those around them;
  /// `root` is where they are mounted. Version 2 has `memory.max`, version 1 `memory.limit_in_bytes`.
  static func limits(groups: String, in root: String) -> [Int] {
    groups.split(separator: "\n").flatMap { line -> [Int] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let controllers = parts[1].split(separator: ",")
      guard controllers.isEmpty || controllers.contains("memory") else { return [] }
      let mount = controllers.isEmpty ? root : "\(root)/memory"
      let names = parts[2].split(separator: "/").map(String.init)
      // A container sees its own group as the root, and its name from outside.
      return (0...names.count).compactMap { count in
        let folder = ([mount] + names.prefix(count)).joined(separator: "/")
        let text = content(of: "\(folder)/memory.max") ?? content(of: "\(folder)/memory.limit_in_bytes")
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }.flatMap { $0 > 0 ? $0 : nil }
      }
    }
  }

  private static func content(of path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
