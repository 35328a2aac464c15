extension Tensor {
  package func summed(to target: Shape) -> Tensor {
    require(shape == target, "summed(to:) is not written yet")
    return self
  }
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    require(a.shape == b.shape, "'+' does not broadcast yet")
    return Tensor(shape: a.shape) { out in
      for i in 0..<out.count { out[i] = a.pointer[i] + b.pointer[i] }
    }.recorded("+", (a, { $0 }), (b, { $0 }))
  }
}
