#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The Shannon entropy of `softmax(logits / temperature)` in nats, and its largest probability, for each row.
///
/// `log Σ exp(z) - Σ p z` with `z` relative to the largest logit: no logarithm of a vanishing probability. In double precision.
/// - Parameter logits: `[rows, classes]`.
public func softmaxEntropy(
  _ logits: Tensor, temperature: Double = 1
) -> (entropies: [Double], confidences: [Double]) {
  require(
    logits.rank == 2 && logits.shape[1] > 0, "softmaxEntropy: logits \(logits.shape) are not [rows, classes]")
  let classes = logits.shape[1]
  var (entropies, confidences): ([Double], [Double]) = ([], [])
  logits.withUnsafeScalars { logits in
    for start in stride(from: 0, to: logits.count, by: classes) {
      let row = softmaxEntropy(row: logits[start..<start + classes], temperature: temperature)
      entropies.append(row.entropy)
      confidences.append(1 / row.sum)
    }
  }
  return (entropies, confidences)
}

/// The entropy of one row, and the exponentials and their sum that its probabilities are of: the largest exponential is 1.
package func softmaxEntropy(
  row: some Collection<Scalar>, temperature: Double = 1
) -> (entropy: Double, exponentials: [Double], sum: Double) {
  let largest = Double(row.max()!)
  let z = row.map { (Double($0) - largest) / temperature }
  let exponentials = z.map { exp($0) }
  let sum = exponentials.reduce(0, +)
  let mean = zip(z, exponentials).reduce(0) { $1.0 == -.infinity ? $0 : $0 + $1.1 / sum * $1.0 }
  return (max(0, log(sum) - mean), exponentials, sum)
}
