/// The ranks that share the present step of data-parallel training, for the layers that differ there from one process.
package struct RankScope: Sendable {
  /// nil in one process, and outside of a step.
  @TaskLocal package static var current: RankScope?

  /// The number of this rank.
  package let rank: Int
  /// The ranks that have images of the batch, over which batch norms take their statistics; nil for this one alone.
  package let normalizing: (any Communicator)?

  package init(rank: Int, normalizing: (any Communicator)?) { (self.rank, self.normalizing) = (rank, normalizing) }

  /// The sum over the ranks that normalise together.
  package var normalizingSum: RankSum? {
    guard let group = normalizing else { return nil }
    return { numbers in group.sum(&numbers) }
  }
}
