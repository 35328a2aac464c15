import Foundation
import Reports
import TestSupport
import Testing

/// The command on several ranks, as a launcher starts it.
struct LaunchTests {
  #if !MPI
    @Test func aRankOfManyWithoutMPIIsAnErrorThatSaysWhatToDo() throws {
      let run = try Launch(["encodenet", "info"], environment: ["OMPI_COMM_WORLD_SIZE": "2"]).ended()
      #expect(
        run.code == 1 && run.errors.contains("is one of 2 ranks") && run.errors.contains("--traits MPI"), "\(run.all)")
    }
  #endif
}

#if MPI
  /// Serialized: each takes all cores.
  @Suite(.serialized) struct RanksTests {
    /// A network without batch norm, whose weights do not depend on the number of ranks but for rounding.
    private static let plain = [
      "train", "--data", "digits", "--model", "lenet5", "--subset", "300", "--batch-size", "32", "--epochs", "3",
      "--threads", "1", "--out",
    ]
    /// One with batch norms, that saves as often as it can.
    private static func long(epochs: Int, _ folder: URL) -> [String] {
      [
        "train", "--data", "digits", "--model", "resnet8", "--width", "0.25", "--subset", "200", "--batch-size", "50",
        "--epochs", "\(epochs)", "--save-every", "0", "--threads", "1", "--rank-timeout", "3", "--out", folder.path,
      ]
    }
    private static func weights(_ folder: URL, _ arm: String = "A0") throws -> [String: Tensor] {
      try Safetensors.load(folder.appendingPathComponent("seed-0/\(arm).safetensors"))
    }

    @Test(arguments: [2, 3]) func ranksTrainTheNetworkOfOneProcess(ranks: Int) throws {
      try withFolder { folder in
        let (one, all) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("all"))
        let alone = try Command(Self.plain + [one.path])
        #expect(alone.code == 0, "\(alone.all)")
        let run = try Launch(ranks: ranks, Self.plain + [all.path]).ended()
        #expect(run.code == 0 && run.errors.contains("\(ranks) ranks on 1 machine"), "\(run.all)")
        // The first rank alone prints.
        #expect(run.output.components(separatedBy: "baseline").count == 2, "\(run.all)")
        let (a, b) = (try Self.weights(one), try Self.weights(all))
        #expect(a.keys.sorted() == b.keys.sorted())
        for (name, tensor) in a {
          let distance = zip(tensor.scalars, b[name]!.scalars).map { abs($0 - $1) }.max() ?? 0
          #expect(distance < 1e-5, "\(name): \(distance)")
        }
      }
    }

    @Test func aRunThatIsKilledOrStoppedResumesWithTheSameBits() throws {
      try withFolder { folder in
        let (whole, broken) = (folder.appendingPathComponent("whole"), folder.appendingPathComponent("broken"))
        let run = try Launch(ranks: 2, Self.long(epochs: 30, whole)).ended()
        #expect(run.code == 0, "\(run.all)")
        let command = Self.long(epochs: 30, broken)
        // Killed: the launcher ends the job, and says which rank it was.
        let killed = try Launch(ranks: 2, command)
        try killed.wait(for: "epoch ")
        // Not at once: a checkpoint inside an epoch is to be resumed too.
        usleep(150_000)
        kill(try killed.rank(1), SIGKILL)
        let afterKill = killed.ended()
        #expect(afterKill.code != 0 && afterKill.errors.contains("rank 1"), "\(afterKill.all)")
        // Stopped: the watchdog does.
        let stopped = try Launch(ranks: 2, command)
        try stopped.wait(for: "epoch ")
        kill(try stopped.rank(1), SIGSTOP)
        let start = ContinuousClock.now
        let afterStop = stopped.ended()
        #expect(afterStop.code == 75, "\(afterStop.all)")
        #expect(afterStop.errors.contains("encodenet: rank 1 of 2 ("), "\(afterStop.all)")
        #expect(afterStop.errors.contains(") stands still"), "\(afterStop.all)")
        #expect(ContinuousClock.now - start < .seconds(30))
        // Asked to end, by the signal that the launcher hands on at once.
        let asked = try Launch(ranks: 2, command)
        try asked.wait(for: "epoch ")
        kill(asked.process.processIdentifier, SIGUSR1)
        let afterAsking = asked.ended()
        #expect(afterAsking.errors.components(separatedBy: "all is saved").count == 2, "\(afterAsking.all)")
        let resumed = try Launch(ranks: 2, command).ended()
        #expect(resumed.code == 0 && !resumed.errors.contains("epoch 1 "), "\(resumed.all)")
        let (a, b) = (try Self.weights(whole), try Self.weights(broken))
        for (name, tensor) in a { #expect(tensor.scalars == b[name]?.scalars, "\(name)") }
      }
    }

    /// Control-C: the launcher waits, sends SIGTERM, waits again and kills. The run is long, so that it does not end before.
    @Test func controlCSavesAll() throws {
      try withFolder { folder in
        let command = Self.long(epochs: 1000, folder)
        let asked = try Launch(ranks: 2, command)
        try asked.wait(for: "epoch ")
        kill(asked.process.processIdentifier, SIGINT)
        let end = asked.ended()
        #expect(end.errors.contains("all is saved, and the same command resumes there"), "\(end.all)")
        #expect(end.errors.components(separatedBy: "all is saved").count == 2, "\(end.all)")
        let resumed = try Launch(ranks: 2, command)
        try resumed.wait(for: "epoch ")
        kill(try resumed.rank(1), SIGKILL)
        let rest = resumed.ended()
        #expect(!rest.errors.contains("epoch 1 "), "\(rest.all)")
      }
    }

    @Test func theFirstRankIsMissedToo() throws {
      try withFolder { folder in
        let run = try Launch(ranks: 2, Self.long(epochs: 1000, folder))
        try run.wait(for: "epoch ")
        kill(try run.rank(0), SIGSTOP)
        let end = run.ended()
        #expect(end.code == 75 && end.errors.contains("encodenet: rank 0 of 2 ("), "\(end.all)")
      }
    }

    @Test func anotherNumberOfRanksResumesAtTheSameImageAndSaysSo() throws {
      try withFolder { folder in
        let command = Self.long(epochs: 30, folder)
        let first = try Launch(ranks: 2, command)
        try first.wait(for: "epoch ")
        kill(first.process.processIdentifier, SIGUSR1)
        let stopped = first.ended()
        #expect(stopped.errors.contains("all is saved"), "\(stopped.all)")
        let resumed = try Launch(ranks: 3, command).ended()
        #expect(resumed.code == 0 && !resumed.errors.contains("epoch 1 "), "\(resumed.all)")
        #expect(resumed.errors.contains("was trained on 2 ranks and resumes on 3"), "\(resumed.all)")
        #expect(resumed.errors.contains("not bit for bit"), "\(resumed.all)")
      }
    }

    @Test func ranksThatWereStartedDifferentlySaySo() throws {
      try withFolder { folder in
        let rest = Self.plain + [folder.path]
        let run = try Launch(
          ["mpirun", "-np", "1", "encodenet"] + rest + ["--epochs", "3"]
            + [":", "-np", "1", "encodenet"] + rest + ["--epochs", "4"]
        ).ended()
        #expect(run.code == 1 && run.errors.contains("the ranks do not agree: the settings"), "\(run.all)")
      }
    }

    @Test func groupsOfRanksReportTheFiguresOfOneProcess() throws {
      try withFolder { folder in
        let command = [
          "compare", "--data", "digits", "--subset", "200", "--model", "resnet8", "--width", "0.25", "--batch-size",
          "16",
          "--epochs", "2", "--conversion-epochs", "1", "--fine-tune-epochs", "1", "--seed", "0,1",
          "--arms", "A0,A2,A3,ema", "--threads", "1", "--force", "--quiet", "--out",
        ]
        let one = folder.appendingPathComponent("one")
        let alone = try Command(command + [one.path])
        #expect(alone.code == 0, "\(alone.all)")
        let figures = try Self.figures(one)
        // A seed for each rank; then three ranks for two seeds, one of which two share by arms.
        for (ranks, options) in [(2, []), (3, ["--ranks-per-run", "1"])] {
          let all = folder.appendingPathComponent("\(ranks)")
          let run = try Launch(ranks: ranks, command + [all.path] + options).ended()
          #expect(run.code == 0, "\(run.all)")
          let found = try Self.figures(all)
          for (line, other) in zip(figures, found) where line != other {
            Issue.record("\(ranks): \(line) and \(other)")
          }
          #expect(figures.count == found.count)
        }
      }
    }

    /// The lines of a report but for times.
    private static func figures(_ folder: URL) throws -> [String] {
      let text = try String(contentsOf: folder.appendingPathComponent("report.json"), encoding: .utf8)
      return text.split(separator: "\n").map(String.init).filter { line in
        !["econds", "latency", "\"threads\"", "imagesPerSecond"].contains { line.contains($0) }
      }
    }

    @Test func evaluationAndPredictionAreSharedByRanks() throws {
      try withFolder { folder in
        let out = folder.appendingPathComponent("run")
        #expect(try Command(Self.plain + [out.path]).code == 0)
        let weights = out.appendingPathComponent("seed-0/A0.safetensors").path
        let evaluate = ["evaluate", "--weights", weights, "--data", "digits", "--json", "--batch-size", "60"]
        let (one, all) = (try Command(evaluate), try Launch(ranks: 3, evaluate).ended())
        #expect(all.code == 0 && all.output == one.output && one.output.contains("top1"), "\(all.all)")
        let images = folder.appendingPathComponent("images")
        for index in 0..<11 { try images.image("\(index).png", [UInt8(20 * index)]) }
        try Data("no image".utf8).write(to: images.appendingPathComponent("5b.png"))
        let predict = ["predict", "--weights", weights, "--format", "csv", "--batch-size", "2", images.path]
        let (first, second) = (try Command(predict), try Launch(ranks: 3, predict).ended())
        #expect(first.output == second.output && first.code == 1 && second.code == 1, "\(first.all)\n\(second.all)")
        #expect(second.errors.contains("5b.png"), "\(second.all)")
      }
    }

    @Test(.enabled(if: Namespaces.mayBeMade, "no network namespaces can be made here: run as root with iproute2"))
    func twoMachinesTrainTheNetworkOfOne() throws {
      try withFolder { folder in
        let namespaces = try Namespaces(folder)
        defer { namespaces.remove() }
        let (one, all) = (folder.appendingPathComponent("one"), folder.appendingPathComponent("all"))
        #expect(try Command(Self.plain + [one.path]).code == 0)
        let run = try Launch(namespaces.launcher + ["encodenet"] + Self.plain + [all.path]).ended()
        #expect(run.code == 0, "\(run.all)")
        let (a, b) = (try Self.weights(one), try Self.weights(all))
        for (name, tensor) in a {
          #expect(zip(tensor.scalars, b[name]!.scalars).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
        }
      }
    }
  }

  /// Two network namespaces joined by a cable, each with a node of Open MPI: as near to two machines as one is.
  private struct Namespaces {
    let launcher: [String]
    private let names: [String]

    static let mayBeMade: Bool = {
      let name = "en-probe-\(getpid())"
      guard shell("ip netns add \(name)") else { return false }
      return shell("ip netns del \(name)")
    }()

    static func shell(_ command: String) -> Bool {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", command]
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      guard (try? process.run()) != nil else { return false }
      process.waitUntilExit()
      return process.terminationStatus == 0
    }

    init(_ folder: URL) throws {
      let id = getpid() % 10_000
      names = ["en\(id)a", "en\(id)b"]
      let (a, b) = (names[0], names[1])
      let commands = [
        "ip netns add \(a)", "ip netns add \(b)", "ip link add v\(a) netns \(a) type veth peer name v\(b) netns \(b)",
        "ip -n \(a) addr add 10.77.0.1/24 dev v\(a)", "ip -n \(b) addr add 10.77.0.2/24 dev v\(b)",
        "ip -n \(a) link set v\(a) up", "ip -n \(b) link set v\(b) up", "ip -n \(a) link set lo up",
        "ip -n \(b) link set lo up",
      ]
      for command in commands where !Self.shell(command) { throw ExperimentError("'\(command)' failed") }
      // What Open MPI calls instead of ssh: the name of the node, then the command.
      let agent = folder.appendingPathComponent("agent")
      try "#!/bin/sh\nshift\nexec ip netns exec \(b) /bin/sh -c \"$*\"\n".write(
        to: agent, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent.path)
      launcher = [
        "ip", "netns", "exec", a, "mpirun", "-np", "2", "--host", "10.77.0.1,10.77.0.2", "--map-by", "node",
        "--mca", "plm_rsh_agent", agent.path, "--mca", "oob_tcp_if_include", "10.77.0.0/24",
        "--mca", "btl_tcp_if_include", "10.77.0.0/24", "--mca", "pml", "ob1", "--mca", "btl", "self,tcp",
      ]
    }

    func remove() { for name in names { _ = Self.shell("ip netns del \(name)") } }
  }
#endif

/// A run that is under way, of a launcher or of the command itself.
final class Launch {
  let process = Process()
  private let files: [URL]

  #if MPI
    /// `mpirun -np ranks encodenet words`.
    convenience init(ranks: Int, _ words: [String]) throws {
      try self.init(["mpirun", "-np", "\(ranks)", "encodenet"] + words)
    }
  #endif

  /// The words of a command, in which `encodenet` is the one built beside the tests.
  init(_ words: [String], environment: [String: String] = [:]) throws {
    let folder = try #require(Bundle.main.executableURL).resolvingSymlinksInPath().deletingLastPathComponent()
    let program = folder.appendingPathComponent("encodenet").path
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words.map { $0 == "encodenet" ? program : $0 }
    // As root, and with more ranks than cores, Open MPI wants to be told.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
      "OMPI_MCA_mpi_yield_when_idle": "1", "OMPI_MCA_odls_base_sigkill_timeout": "3",
    ]) { $1 }.merging(environment) { $1 }
    files = (0..<2).map { _ in
      FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-\(UUID().uuidString)")
    }
    for file in files { try Data().write(to: file) }
    (process.standardOutput, process.standardError) = (
      try FileHandle(forWritingTo: files[0]), try FileHandle(forWritingTo: files[1])
    )
    // Threads of a queue block signals, and a process that they start would too.
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  deinit { for file in files { try? FileManager.default.removeItem(at: file) } }

  private var errors: String { (try? String(contentsOf: files[1], encoding: .utf8)) ?? "" }

  /// Waits until it has written `text` to standard error.
  func wait(for text: String) throws {
    for _ in 0..<1200 where process.isRunning && !errors.contains(text) { usleep(50_000) }
    try #require(errors.contains(text), "it never wrote '\(text)':\n\(errors)")
  }

  /// The process of a rank.
  func rank(_ number: Int) throws -> pid_t {
    for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
      guard let id = Int32(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/environ") else {
        continue
      }
      let variables = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      guard variables.contains("OMPI_COMM_WORLD_RANK=\(number)"),
        let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8),
        status.contains("PPid:\t\(process.processIdentifier)\n")
      else { continue }
      return id
    }
    throw ExperimentError("there is no process of rank \(number)")
  }

  /// What it wrote, and its exit code, once it has ended.
  func ended() -> (output: String, errors: String, code: Int32, all: String) {
    process.waitUntilExit()
    let output = (try? String(contentsOf: files[0], encoding: .utf8)) ?? ""
    return (
      output, errors, process.terminationStatus, "exit code \(process.terminationStatus)\n\(output)\n\(errors)"
    )
  }
}
