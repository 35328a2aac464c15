/// `softmax(q kᵀ / √features + mask) v`: PyTorch's `scaled_dot_product_attention`.
///
/// Vaswani et al.: "Attention is all you need", arXiv 1706.03762, equation 1.
/// - Parameters:
///   - query: `[…, queries, features]`.
///   - key: `[…, keys, features]`.
///   - value: `[…, keys, outputs]`.
///   - mask: Added to the logits, which it broadcasts to: 0 where a query may attend to a key, -∞ where not.
///   - isCausal: Whether query `i` attends to the keys `0...i` alone.
/// - Returns: `[…, queries, outputs]`; NaN for a query that may attend to nothing.
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false
) -> Tensor {
  require(
    query.rank >= 2 && key.rank >= 2 && value.rank >= 2 && query.shape[-1] == key.shape[-1]
      && key.shape[-2] == value.shape[-2],
    "scaledDotProductAttention: query \(query.shape), key \(key.shape) and value \(value.shape) do not fit")
  var logits = matmul(query, key, transposeB: true) * (1 / Scalar(query.shape[-1]).squareRoot())
  if let mask { logits = logits + mask }
  if isCausal { logits = logits + causalMask(queries: query.shape[-2], keys: key.shape[-2]) }
  return matmul(softmax(logits, axis: -1), value)
}

/// 0 where a key is not after the query, -∞ elsewhere: `[queries, keys]`.
package func causalMask(queries: Int, keys: Int) -> Tensor {
  Tensor(shape: [queries, keys]) { out in
    for i in 0..<queries {
      for j in 0..<keys { out[i * keys + j] = j <= i ? 0 : -.infinity }
    }
  }
}
