import Foundation

/// The ranks of an experiment, in groups that train one network after the other, each apart from the others.
///
/// Where there are fewer groups than seeds, each takes several; where there are more, several take the arms of a seed.
struct RankGroups {
  /// All ranks.
  let world: any Communicator
  /// The ranks that train together with this one.
  let group: any Communicator
  /// The groups of one seed.
  let seedRanks: any Communicator
  /// The number of groups.
  let count: Int
  /// The number of this rank's group, from 0.
  let number: Int
  private let seeds: Int

  /// - Parameter ranksPerRun: The size of a group; nil for a group for each seed, as far as there are ranks.
  init(_ world: any Communicator, ranksPerRun: Int?, seeds: Int) throws(ExperimentError) {
    if let ranksPerRun, ranksPerRun < 1 || world.size % ranksPerRun != 0 {
      throw ExperimentError("\(ranksPerRun) ranks for each run: \(world.size) ranks cannot be divided into such groups")
    }
    count = ranksPerRun.map { world.size / $0 } ?? min(world.size, seeds)
    number = world.rank * count / world.size
    (self.world, self.seeds) = (world, seeds)
    group = count == 1 ? world : world.split(number)
    seedRanks = count > seeds ? world.split(number % seeds) : group
  }

  /// The seeds of this group, as indices.
  var ownSeeds: [Int] { count > seeds ? [number % seeds] : (0..<seeds).filter { $0 % count == number } }
  /// The number of groups that share the arms of this group's seed.
  var groupsOfSeed: Int { count > seeds ? (count - 1 - number % seeds) / seeds + 1 : 1 }
  /// The number of this group among those.
  var numberInSeed: Int { count > seeds ? number / seeds : 0 }

  /// Throws, on all ranks, where a group does not see the folder of the first: artifacts of one are read by others.
  func requireShared(_ folder: URL) throws {
    guard count > 1 else { return }
    let name =
      "ranks-" + String(decoding: world.broadcast(Array("\(UInt64.random(in: 0 ... .max))".utf8)), as: UTF8.self)
    let file = folder.appendingPathComponent(name)
    if world.isFirst { try writeAtomically([], to: file) }
    world.barrier()
    var tries = 0
    // A file system of the network may show it late.
    while group.isFirst, !FileManager.default.fileExists(atPath: file.path), tries < 50 {
      Thread.sleep(forTimeInterval: 0.2)
      tries += 1
    }
    let isSeen = !group.isFirst || FileManager.default.fileExists(atPath: file.path)
    let blind = world.gathered(isSeen ? "" : world.name).first { !$0.isEmpty }
    if world.isFirst { try? FileManager.default.removeItem(at: file) }
    if let blind {
      throw ExperimentError(
        "\(folder.path): \(blind) does not see what rank 0 writes there: groups of ranks need a folder that all machines share, "
          + "or --ranks-per-run \(world.size)")
    }
  }

  /// Runs `body`, then waits for all of `ranks`: where one was asked to stop, all throw that.
  ///
  /// Any other error is thrown at once, and must end all ranks.
  func together<R>(_ ranks: any Communicator, _ body: () throws -> R) throws -> R? {
    var (result, stop) = (R?.none, TrainingError?.none)
    do { result = try body() } catch let error as TrainingError where error.isInterruption { stop = error }
    ranks.meet()
    let stops = ranks.gathered(stop.map { encoded($0) } ?? [])
    if let first = stops.first(where: { !$0.isEmpty }) { throw decoded(first, TrainingError.self) }
    return result
  }
}

extension ExperimentRun {
  /// The arms in `count` lists, of which no two train the same thing but for the baseline: those with the most to do first.
  func independentArms(_ count: Int) throws -> [[Arm]] {
    let plans = try arms.map { try run.plan($0) }
    let common = Set(try run.keys(of: run.baselineSteps))
    // Arms that share a step are one part of the work.
    var parts: [(arms: [Int], names: Set<String>, cost: Double)] = []
    for (index, plan) in plans.enumerated() {
      let keys = try run.keys(of: plan.steps)
      var part = (
        arms: [index], names: Set(keys).subtracting(common).union(plan.steps.flatMap(\.sharedTeachers)), cost: 0.0
      )
      part.cost = zip(keys, plan.costs).reduce(0) { common.contains($1.0) ? $0 : $0 + $1.1 }
      for other in parts.indices.reversed() where !parts[other].names.isDisjoint(with: part.names) {
        part.arms = parts[other].arms + part.arms
        part.names.formUnion(parts[other].names)
        part.cost += parts[other].cost
        parts.remove(at: other)
      }
      parts.append(part)
    }
    var lists = [(arms: [Int], cost: Double)](repeating: ([], 0), count: count)
    for part in parts.sorted(by: { ($1.cost, $0.arms[0]) < ($0.cost, $1.arms[0]) }) {
      let least = lists.indices.min { (lists[$0].cost, $0) < (lists[$1].cost, $1) }!
      lists[least].arms += part.arms
      lists[least].cost += part.cost
    }
    return lists.map { $0.arms.sorted().map { arms[$0] } }
  }

  /// Whether an arm begins with the baseline or learns from it.
  var needsBaseline: Bool {
    get throws {
      let common = try run.keys(of: run.baselineSteps)
      return try arms.contains { arm in
        let plan = try run.plan(arm)
        return try run.keys(of: plan.steps).contains(common.last ?? "")
          || plan.steps.contains { ($0 as? Train)?.recipe.distillation?.teacher == .baseline }
      }
    }
  }

  /// Trains the arms of a seed in several groups; what they have made is in the folder then.
  func trainApart(_ groups: RankGroups) throws {
    guard groups.groupsOfSeed > 1 else { return }
    let lists = try independentArms(groups.groupsOfSeed)
    let needsBaseline = try needsBaseline
    _ = try groups.together(groups.seedRanks) {
      if needsBaseline, groups.numberInSeed == 0 { _ = try run.baseline() }
    }
    _ = try groups.together(groups.seedRanks) {
      for arm in lists[groups.numberInSeed] { _ = try run.trained(arm) }
    }
  }
}

extension Step {
  /// Teachers that are trained for this step, and for others that have the same.
  fileprivate var sharedTeachers: [String] {
    guard case .model(let choice) = (self as? Train)?.recipe.distillation?.teacher else { return [] }
    return ["teacher-\(choice)"]
  }
}

/// The results of a seed, as ranks send them.
struct SentSeed: Codable {
  private struct Arm: Codable {
    var outcome: TestOutcome
    var budget: TrainingBudget
    var curves: LearningCurves
    var seconds: Double
  }
  private var seed: UInt64
  private var arms: [Arm]
  private var diagnostics: SeedDiagnostics?
  private var gallery: Gallery?

  init(_ result: SeedResult) {
    seed = result.seed
    arms = result.arms.map { Arm(outcome: $0.outcome, budget: $0.budget, curves: $0.curves, seconds: $0.seconds) }
    (diagnostics, gallery) = (result.diagnostics?.0, result.diagnostics?.1)
  }

  var result: SeedResult {
    (
      seed, arms.map { ($0.outcome, $0.budget, $0.curves, $0.seconds) },
      diagnostics.flatMap { diagnostics in gallery.map { (diagnostics, $0) } }
    )
  }
}
