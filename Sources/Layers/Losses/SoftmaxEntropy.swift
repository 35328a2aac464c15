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
      let row = logits[start..<start + classes]
      let largest = Double(row.max()!)
      let z = row.map { (Double($0) - largest) / temperature }
      let sum = z.reduce(0) { $0 + exp($1) }
      let mean = z.reduce(0) { $0 + ($1 == -.infinity ? 0 : exp($1) / sum * $1) }
      entropies.append(max(0, log(sum) - mean))
      confidences.append(1 / sum)
    }
  }
  return (entropies, confidences)
}
