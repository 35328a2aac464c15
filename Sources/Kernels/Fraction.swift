/// Part `index` of `count` nearly equal parts.
struct Fraction {
  let index: Int
  let count: Int

  init(_ index: Int, of count: Int) { (self.index, self.count) = (index, count) }

  /// This part of `0..<total`.
  func callAsFunction(_ total: Int) -> Range<Int> { total * index / count..<total * (index + 1) / count }
}
