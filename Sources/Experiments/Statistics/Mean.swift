extension Collection {
  /// The mean of a value of each element, 0 where there is none.
  package func mean(of value: (Element) -> Double) -> Double {
    reduce(0) { $0 + value($1) } / Double(Swift.max(count, 1))
  }
}
