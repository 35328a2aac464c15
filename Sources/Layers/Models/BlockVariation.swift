/// Variations of the blocks of a ResNet or a VGG16.
public enum BlockVariation: String, Sendable, Codable, Hashable, CaseIterable {
  /// Nothing.
  case plain
  /// ``SqueezeExcitation``
  case squeezeExcitation
  /// ``EfficientChannelAttention``
  case efficientChannelAttention
  /// ``ConvolutionalBlockAttention``
  case convolutionalBlockAttention
  /// ``AsymmetricConv2d`` instead of every 3 by 3 convolution and its batch norm, to be folded after training.
  case asymmetricBranches

  /// The attention that follows a block, nil for the variations that have none.
  func attention(_ channels: Int, using generator: inout some RandomNumberGenerator) -> (any Layer)? {
    switch self {
    case .plain, .asymmetricBranches: nil
    case .squeezeExcitation: SqueezeExcitation(channels, using: &generator)
    case .efficientChannelAttention: EfficientChannelAttention(channels, using: &generator)
    case .convolutionalBlockAttention: ConvolutionalBlockAttention(channels, using: &generator)
    }
  }
}
