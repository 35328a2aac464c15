/// Attention of several heads: PyTorch's `nn.MultiheadAttention` with `batch_first=True`.
///
/// As a layer it is self-attention of `[batch, length, features]`. Its state has PyTorch's names: `in_proj_weight`,
/// `in_proj_bias`, `out_proj.weight`, `out_proj.bias`.
///
/// Vaswani et al.: "Attention is all you need", arXiv 1706.03762, section 3.2.2.
public final class MultiHeadAttention: Layer {
  /// The projections of query, key and value, one below the other: `[3 features, features]`.
  @Parameter public var inProjWeight: Tensor
  /// `[3 features]`, nil for none.
  public let inProjBias: Parameter?
  /// The projection of the heads' outputs, side by side.
  public let outProj: Linear
  /// The number of heads.
  public let heads: Int
  /// Whether self-attention is to no later position.
  public let isCausal: Bool

  /// Attention with PyTorch's initial weights.
  ///
  /// - Precondition: `heads` divides `features`.
  public init(
    _ features: Int, heads: Int, bias: Bool = true, isCausal: Bool = false,
    using generator: inout some RandomNumberGenerator
  ) {
    require(
      heads > 0 && features % heads == 0, "MultiHeadAttention: \(heads) heads do not divide \(features) features")
    inProjWeight = Initializer.glorotUniform()([3 * features, features], using: &generator)
    inProjBias = bias ? Parameter(wrappedValue: .zeros([3 * features])) : nil
    outProj = Linear(features, features, bias: bias, using: &generator)
    outProj.bias?.wrappedValue = .zeros([features])
    (self.heads, self.isCausal) = (heads, isCausal)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported(attend(x, x, x, mask: nil, isCausal: isCausal), of: x, multiplyAdds: multiplyAdds(x, x))
  }

  /// The attention of `query`, `[batch, queries, features]`, to `key` and `value`, `[batch, keys, features]`.
  ///
  /// - Parameter mask: Added to the logits, which it broadcasts to: `[batch, heads, queries, keys]`; -∞ where a query may not
  ///   attend to a key.
  public func callAsFunction(_ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil) -> Tensor {
    reported(
      attend(query, key, value, mask: mask, isCausal: false), multiplyAdds: multiplyAdds(query, key))
  }

  /// Of all but the last projection, which reports its own.
  private func multiplyAdds(_ query: Tensor, _ key: Tensor) -> Int {
    (query.count + 2 * key.count) * outProj.weight.shape[1] + 2 * query.count * key.shape[1]
  }

  private func attend(_ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor?, isCausal: Bool) -> Tensor {
    let features = outProj.weight.shape[1]
    for x in [query, key, value] {
      require(
        x.rank == 3 && x.shape[2] == features,
        "MultiHeadAttention: input \(x.shape) is not [batch, length, \(features)]")
    }
    let weights = inProjWeight.split([features, features, features])
    let biases = inProjBias?.wrappedValue.split([features, features, features])
    func projected(_ x: Tensor, _ part: Int) -> Tensor {
      affine(x, weights[part], biases?[part])
        .reshaped(to: [x.shape[0], x.shape[1], heads, features / heads] as Shape).permuted([0, 2, 1, 3])
    }
    let y = scaledDotProductAttention(
      projected(query, 0), projected(key, 1), projected(value, 2), mask: mask, isCausal: isCausal
    ).permuted([0, 2, 1, 3]).reshaped(to: query.shape)
    return outProj(y)
  }
}
