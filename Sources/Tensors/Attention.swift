/// `softmax(q kᵀ / √features + mask) v`: PyTorch's `scaled_dot_product_attention`.
///
/// Vaswani et al.: "Attention is all you need", arXiv 1706.03762, equation 1.
/// - Parameters:
///   - query: `[…, queries, features]`.
///   - key: `[…, keys, features]`.
///   - value: `[…, keys, outputs]`.
///   - mask: Added to the logits, which it broadcasts to: 0 where a query may attend to a key, -∞ where not. Of truths it is
///     made by `Tensor.where(truths, 0, -.infinity)`; 0 and 1 alone stop the program, as they would mask nothing.
///   - isCausal: Whether query `i` attends to the keys `0...i` alone.
/// - Returns: `[…, queries, outputs]`; 0 for a query that may attend to nothing, as PyTorch's.
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false
) -> Tensor {
  require(
    query.rank >= 2 && key.rank >= 2 && value.rank >= 2 && query.shape[-1] == key.shape[-1]
      && key.shape[-2] == value.shape[-2],
    "scaledDotProductAttention: query \(query.shape), key \(key.shape) and value \(value.shape) do not fit")
  // Scales what is smaller than the logits.
  var logits = matmul(query * (1 / Scalar(query.shape[-1]).squareRoot()), key, transposeB: true)
  if let mask {
    requireAdditive(mask)
    logits = logits + mask
  }
  if isCausal { hideLaterKeys(in: &logits) }
  guard mask != nil, logits.count > 0 else { return matmul(softmax(logits, axis: -1), value) }
  let isAlone = logits.detached.max(alongAxes: [-1], keepingDimensions: true) .== -.infinity
  guard isAlone.any() else { return matmul(softmax(logits, axis: -1), value) }
  // Replaced before the softmax as well, whose derivative is NaN there.
  return matmul(.where(isAlone, 0, softmax(.where(isAlone, 0, logits), axis: -1)), value)
}

/// Sets the logits of the keys after each query to -∞, in place where nobody else holds them. The gradient is that of a sum, as
/// the softmax passes none to what it makes 0.
private func hideLaterKeys(in logits: inout Tensor) {
  let (id, queries, keys) = (logits.id, logits.shape[-2], logits.shape[-1])
  logits.withUnsafeMutableScalars { out in
    guard let start = out.baseAddress else { return }
    Parallel.forEach(out.count / keys, grain: max(1, elementwiseGrain / keys)) { rows in
      for row in rows {
        let first = min(row % queries + 1, keys)
        Movement.fill(keys - first, with: -.infinity, start + row * keys + first)
      }
    }
  }
  var source = logits
  source.id = id
  logits = logits.recorded("causalMask", (source, { $0 }))
}

/// Stops the program where a mask has 0 and 1 alone.
private func requireAdditive(_ mask: Tensor) {
  let hasTruths = mask.withUnsafeScalars { $0.contains(1) && $0.allSatisfy { $0 == 0 || $0 == 1 } }
  require(
    !hasTruths,
    "scaledDotProductAttention: the mask \(mask.shape) has 0 and 1 alone, and is added to the logits: "
      + "Tensor.where(mask, 0, -.infinity) is that of truths")
}

/// 0 where a key is not after the query, -∞ elsewhere: `[queries, keys]`.
package func causalMask(queries: Int, keys: Int) -> Tensor {
  Tensor(shape: [queries, keys]) { out in
    for i in 0..<queries {
      for j in 0..<keys { out[i * keys + j] = j <= i ? 0 : -.infinity }
    }
  }
}
