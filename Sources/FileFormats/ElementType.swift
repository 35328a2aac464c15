/// The type of the numbers in a file, little-endian, under its name in safetensors.
package enum ElementType: String {
  case f64 = "F64"
  case f32 = "F32"
  case f16 = "F16"
  case bf16 = "BF16"
  case i64 = "I64"
  case i32 = "I32"
  case i16 = "I16"
  case i8 = "I8"
  case u64 = "U64"
  case u32 = "U32"
  case u16 = "U16"
  case u8 = "U8"
  case bool = "BOOL"

  /// The number of bytes of an element.
  package var size: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }
}

/// The number of elements of `dimensions`, nil where one is negative or the product overflows.
package func checkedCount(_ dimensions: [Int]) -> Int? {
  var count = 1
  // An extent of 0 must not hide an overflow, since strides are products of the others.
  var product = 1
  for dimension in dimensions {
    let (next, overflow) = product.multipliedReportingOverflow(by: max(dimension, 1))
    guard dimension >= 0, !overflow else { return nil }
    product = next
    count = dimension == 0 ? 0 : (count == 0 ? 0 : product)
  }
  return count
}
