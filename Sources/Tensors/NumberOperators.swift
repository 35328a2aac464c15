// Numbers of other types in expressions, such as `x * count` and `learningRate * x`: without operators for them the compiler would try
// all others in vain, for seconds. Disfavoured, so that a literal is a tensor; Scripts/typecheck-time measures them.

extension Tensor {
  @_disfavoredOverload public static func + (a: Tensor, b: some BinaryInteger) -> Tensor { a + Tensor(Scalar(b)) }
  @_disfavoredOverload public static func + (a: some BinaryInteger, b: Tensor) -> Tensor { Tensor(Scalar(a)) + b }
  @_disfavoredOverload public static func - (a: Tensor, b: some BinaryInteger) -> Tensor { a - Tensor(Scalar(b)) }
  @_disfavoredOverload public static func - (a: some BinaryInteger, b: Tensor) -> Tensor { Tensor(Scalar(a)) - b }
  @_disfavoredOverload public static func * (a: Tensor, b: some BinaryInteger) -> Tensor { a * Tensor(Scalar(b)) }
  @_disfavoredOverload public static func * (a: some BinaryInteger, b: Tensor) -> Tensor { Tensor(Scalar(a)) * b }
  @_disfavoredOverload public static func / (a: Tensor, b: some BinaryInteger) -> Tensor { a / Tensor(Scalar(b)) }
  @_disfavoredOverload public static func / (a: some BinaryInteger, b: Tensor) -> Tensor { Tensor(Scalar(a)) / b }
  @_disfavoredOverload public static func += (a: inout Tensor, b: some BinaryInteger) { a = a + Tensor(Scalar(b)) }
  @_disfavoredOverload public static func -= (a: inout Tensor, b: some BinaryInteger) { a = a - Tensor(Scalar(b)) }
  @_disfavoredOverload public static func *= (a: inout Tensor, b: some BinaryInteger) { a = a * Tensor(Scalar(b)) }
  @_disfavoredOverload public static func /= (a: inout Tensor, b: some BinaryInteger) { a = a / Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .< (a: Tensor, b: some BinaryInteger) -> Tensor { a .< Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .<= (a: Tensor, b: some BinaryInteger) -> Tensor { a .<= Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .> (a: Tensor, b: some BinaryInteger) -> Tensor { a .> Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .>= (a: Tensor, b: some BinaryInteger) -> Tensor { a .>= Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .== (a: Tensor, b: some BinaryInteger) -> Tensor { a .== Tensor(Scalar(b)) }
  @_disfavoredOverload public static func .!= (a: Tensor, b: some BinaryInteger) -> Tensor { a .!= Tensor(Scalar(b)) }

  @_disfavoredOverload public static func + (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a + Tensor(Scalar(b)) }
  @_disfavoredOverload public static func + (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Tensor(Scalar(a)) + b }
  @_disfavoredOverload public static func - (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a - Tensor(Scalar(b)) }
  @_disfavoredOverload public static func - (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Tensor(Scalar(a)) - b }
  @_disfavoredOverload public static func * (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a * Tensor(Scalar(b)) }
  @_disfavoredOverload public static func * (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Tensor(Scalar(a)) * b }
  @_disfavoredOverload public static func / (a: Tensor, b: some BinaryFloatingPoint) -> Tensor { a / Tensor(Scalar(b)) }
  @_disfavoredOverload public static func / (a: some BinaryFloatingPoint, b: Tensor) -> Tensor { Tensor(Scalar(a)) / b }
  @_disfavoredOverload public static func += (a: inout Tensor, b: some BinaryFloatingPoint) {
    a = a + Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func -= (a: inout Tensor, b: some BinaryFloatingPoint) {
    a = a - Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func *= (a: inout Tensor, b: some BinaryFloatingPoint) {
    a = a * Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func /= (a: inout Tensor, b: some BinaryFloatingPoint) {
    a = a / Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .< (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .< Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .<= (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .<= Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .> (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .> Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .>= (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .>= Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .== (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .== Tensor(Scalar(b))
  }
  @_disfavoredOverload public static func .!= (a: Tensor, b: some BinaryFloatingPoint) -> Tensor {
    a .!= Tensor(Scalar(b))
  }
}
