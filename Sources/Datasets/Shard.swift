/// The part of each batch that one of several ranks trains on: of n images the images `n·rank/count ..< n·(rank+1)/count`.
///
/// Parts differ by at most one image. Where there are fewer images than ranks, some parts are empty; the last never is.
public struct Shard: Sendable, Hashable {
  /// The number of the rank, from 0.
  public let rank: Int
  /// The number of ranks.
  public let count: Int

  /// The part of the rank `rank` of `count`.
  ///
  /// - Precondition: `rank` is one of them.
  public init(rank: Int, of count: Int) {
    require((0..<count).contains(rank), "Shard: rank \(rank) of \(count)")
    (self.rank, self.count) = (rank, count)
  }

  /// Everything.
  package static let whole = Shard(rank: 0, of: 1)

  /// The places of this part in a batch of `images`.
  public func range(of images: Int) -> Range<Int> { images * rank / count..<images * (rank + 1) / count }
}
