/// Parameters that an optimizer treats alike.
public struct ParameterGroup {
  /// The parameters, with the names that the optimizer's state keeps them under.
  public let parameters: [(name: String, parameter: Parameter)]
  /// Multiplies the optimizer's learning rate.
  public var learningRateScale: Scalar
  /// The weight decay, nil for the optimizer's own.
  public var weightDecay: Scalar?

  /// A group of named parameters.
  public init(
    _ parameters: [(name: String, parameter: Parameter)], learningRateScale: Scalar = 1, weightDecay: Scalar? = nil
  ) {
    self.parameters = parameters
    self.learningRateScale = learningRateScale
    self.weightDecay = weightDecay
  }

  /// Every parameter of `module`.
  public init(_ module: some Module, learningRateScale: Scalar = 1, weightDecay: Scalar? = nil) {
    self.init(module.namedParameters, learningRateScale: learningRateScale, weightDecay: weightDecay)
  }

  /// This group in two: weights, and biases and norms (what has one axis), which are left to themselves by weight decay.
  public func sparingBiasesAndNorms() -> [ParameterGroup] {
    [
      ParameterGroup(
        parameters.filter { $0.parameter.wrappedValue.rank > 1 },
        learningRateScale: learningRateScale, weightDecay: weightDecay),
      ParameterGroup(
        parameters.filter { $0.parameter.wrappedValue.rank <= 1 },
        learningRateScale: learningRateScale, weightDecay: 0),
    ]
  }
}
