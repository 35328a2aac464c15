import CKernels

// The descriptors of C kernels that hold scalars, for the type that tensors have.

#if DoublePrecision
  typealias EpilogueDescriptor = en_double_epilogue
  typealias ChannelNormDescriptor = en_double_channel_norm
  typealias ChannelGradientDescriptor = en_double_channel_gradient
  typealias AxisMapDescriptor = en_double_axis_map
  typealias MomentumDescriptor = en_double_momentum
  typealias AdamDescriptor = en_double_adam
  typealias TargetsDescriptor = en_double_targets
  typealias RowNormDescriptor = en_double_row_norm
  typealias RowGradientDescriptor = en_double_row_gradient
  typealias RankedDescriptor = en_double_ranked
#else
  typealias EpilogueDescriptor = en_float_epilogue
  typealias ChannelNormDescriptor = en_float_channel_norm
  typealias ChannelGradientDescriptor = en_float_channel_gradient
  typealias AxisMapDescriptor = en_float_axis_map
  typealias MomentumDescriptor = en_float_momentum
  typealias AdamDescriptor = en_float_adam
  typealias TargetsDescriptor = en_float_targets
  typealias RowNormDescriptor = en_float_row_norm
  typealias RowGradientDescriptor = en_float_row_gradient
  typealias RankedDescriptor = en_float_ranked
#endif
