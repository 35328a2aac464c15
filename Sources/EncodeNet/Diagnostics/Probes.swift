/// The classes that ridge regression on `points` gives `others`.
func linearProbe(_ points: Tensor, _ labels: [Int], classes: Int, on others: Tensor) throws -> [Int] {
  let mean = points.mean(alongAxes: [0])
  let centred = points - mean
  let variance = square(centred).mean(alongAxes: [0])
  let scale = Tensor(variance.scalars.map { $0 > 1e-12 ? 1 / $0.squareRoot() : 0 }, shape: variance.shape)
  let x = centred * scale
  let d = x.shape[1]
  var gram = matmul(x, x, transposeA: true)
  gram.withUnsafeMutableScalars { for i in 0..<d { $0[i * d + i] += 1e-3 * Scalar(labels.count) + 1e-6 } }
  let y = Tensor.oneHot(labels, classes: classes)
  let offset = y.mean(alongAxes: [0])
  let weights = try gram.solve(matmul(x, y - offset, transposeA: true))
  return (matmul((others - mean) * scale, weights) + offset).argmax()
}

/// The classes that the `k` nearest `points` of each of `others` vote for, nearer ones first where votes are equal.
func nearestNeighbours(_ points: Tensor, _ labels: [Int], classes: Int, on others: Tensor, k: Int = 5) -> [Int] {
  var guesses: [Int] = []
  for start in stride(from: 0, to: others.shape[0], by: 256) {
    let rows = others.gather(Array(start..<min(start + 256, others.shape[0])))
    let distances = squaredDistances(rows, points)
    let nearest = (-distances).topK(min(k, labels.count)).indices
    for row in nearest {
      var votes = [Double](repeating: 0, count: classes)
      for (rank, index) in row.enumerated() { votes[labels[index]] += 1 - 1e-3 * Double(rank) }
      guesses.append(votes.indices.max { votes[$0] < votes[$1] }!)
    }
  }
  return guesses
}

/// Returns the adjusted Rand index: the agreement of two partitions of the same points, beyond chance.
///
/// Hubert, Arabie: "Comparing partitions", 1985.
func adjustedRandIndex(_ a: [Int], _ b: [Int]) -> Double {
  func pairs(_ count: Int) -> Double { Double(count) * Double(count - 1) / 2 }
  func sum(_ groups: some Sequence<Int>) -> Double { groups.reduce(0) { $0 + pairs($1) } }
  func counts<T: Hashable>(_ keys: [T]) -> [Int] {
    Array(keys.reduce(into: [T: Int]()) { $0[$1, default: 0] += 1 }.values)
  }
  let joint = sum(counts(zip(a, b).map { [$0, $1] }))
  let (inA, inB) = (sum(counts(a)), sum(counts(b)))
  let expected = inA * inB / max(pairs(a.count), 1)
  let maximum = (inA + inB) / 2
  return maximum == expected ? 1 : (joint - expected) / (maximum - expected)
}
