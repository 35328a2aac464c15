// Former names.

extension Initializer {
  @available(*, deprecated, renamed: "normal(std:)")
  public static func normal(deviation: Scalar) -> Initializer { .normal(std: deviation) }
}

@available(*, deprecated, renamed: "valueWithSharpnessAwareGradient(of:rho:_:)")
public func valueWithSharpnessAwareGradient<M: Module, E: Error>(
  of model: M, radius: Scalar, _ loss: (M) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradients: Gradients) {
  try valueWithSharpnessAwareGradient(of: model, rho: radius, loss)
}

@available(
  *, deprecated, renamed: "decoupledDistillation(_:from:labels:targetWeight:nonTargetWeight:temperature:)"
)
public func decoupledDistillation(
  _ student: Tensor, from teacher: Tensor, labels: [Int], rightWeight: Scalar = 1, wrongWeight: Scalar,
  temperature: Scalar = 4
) -> Tensor {
  decoupledDistillation(
    student, from: teacher, labels: labels, targetWeight: rightWeight, nonTargetWeight: wrongWeight,
    temperature: temperature)
}

@available(
  *, deprecated, renamed: "decoupledDistillation(_:from:labels:targetWeight:nonTargetWeight:temperature:)"
)
public func decoupledDistillation(
  _ student: Tensor, from teacher: Tensor, labels: [Int], rightWeight: Scalar, temperature: Scalar = 4
) -> Tensor {
  decoupledDistillation(student, from: teacher, labels: labels, targetWeight: rightWeight, temperature: temperature)
}
