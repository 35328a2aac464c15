/// Parameters with the same settings of an optimizer.
public struct ParameterGroup {
  /// The parameters, with their names in the optimizer's state.
  public let parameters: [(name: String, parameter: Parameter)]
  /// Multiplies the optimizer's learning rate.
  public var learningRateScale: Scalar
  /// The weight decay, nil for the optimizer's own.
  public var weightDecay: Scalar?

  /// A group of named parameters; one that is listed twice, as a tied one, counts once.
  public init(
    _ parameters: [(name: String, parameter: Parameter)], learningRateScale: Scalar = 1, weightDecay: Scalar? = nil
  ) {
    var found: Set<ObjectIdentifier> = []
    self.parameters = parameters.filter { found.insert(ObjectIdentifier($0.parameter)).inserted }
    self.learningRateScale = learningRateScale
    self.weightDecay = weightDecay
  }

  /// Every parameter of `module`.
  public init(_ module: some Module, learningRateScale: Scalar = 1, weightDecay: Scalar? = nil) {
    self.init(module.namedParameters, learningRateScale: learningRateScale, weightDecay: weightDecay)
  }

  /// Splits this group in two: weights, and biases and norms, which have one axis, without weight decay.
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
