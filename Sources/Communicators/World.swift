import Foundation

/// A group of ranks that cannot be made.
public struct CommunicatorError: Error, CustomStringConvertible {
  public let description: String
}

/// All ranks that a launcher, such as `mpirun` or `srun`, has started together with this process; ``SingleProcess`` where none has.
///
/// A process calls it once, on its first thread, and ends by ``leaveWorld(_:)`` or by ``Communicator/abort(_:)``.
/// - Throws: Where a launcher has started several ranks and the program was built without the trait `MPI`, or MPI does not find them:
///   each would train alone.
public func joinWorld() throws(CommunicatorError) -> any Communicator {
  guard let launcher = Launcher() else { return SingleProcess() }
  #if MPI
    let ranks = MPICommunicator.world()
    guard ranks.size == 1, launcher.size > 1 else { return ranks }
    throw CommunicatorError(
      description:
        "the launcher has started \(launcher.size) ranks (\(launcher.variable)), and MPI knows of one: it speaks another "
        + "language than this MPI; use mpirun, or srun --mpi=pmix")
  #else
    guard launcher.size > 1 else { return SingleProcess() }
    throw CommunicatorError(
      description:
        "this is one of \(launcher.size) ranks (\(launcher.variable)), and the program was built without MPI: "
        + "build it with --traits MPI")
  #endif
}

/// Begins to watch all ranks, each of which calls it: one that stands still for `stall` while others wait for it ends all, with a line
/// that names it and the step at which it was, and exit code 75.
///
/// Without a watchdog, a rank that was stopped keeps all others waiting.
public func watchWorld(_ communicator: any Communicator, stall: Duration = .seconds(300)) {
  #if MPI
    (communicator as? MPICommunicator)?.watch(stall: stall)
  #endif
}

/// Leaves the ranks in order: waits for all, and lets the launcher see a process that has ended well.
public func leaveWorld(_ communicator: any Communicator) {
  #if MPI
    (communicator as? MPICommunicator)?.leave()
  #endif
}

/// What a launcher has told a process about its ranks.
private struct Launcher {
  let size: Int
  let variable: String

  /// Open MPI, MPICH and its kin, and Slurm where it speaks PMIx, of whose variables none has the number of ranks.
  init?(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
    let names =
      ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"] + (environment["PMIX_RANK"] == nil ? [] : ["SLURM_STEP_NUM_TASKS"])
    guard let name = names.first(where: { environment[$0] != nil }), let size = Int(environment[name] ?? "") else {
      return nil
    }
    (self.size, variable) = (size, "\(name) is \(size)")
  }
}
