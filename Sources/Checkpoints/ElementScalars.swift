import FileFormats
import Layers

extension ElementType {
  /// The type that tensors are written in, so that nothing is lost.
  static var ofScalar: ElementType { MemoryLayout<Scalar>.size == 8 ? .f64 : .f32 }

  /// The element that starts at `offset`, which need not be aligned; integers are rounded to the nearest `Scalar`.
  @inline(__always)
  func scalar(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Scalar {
    func load<T: BitwiseCopyable>(_: T.Type) -> T { bytes.loadUnaligned(fromByteOffset: offset, as: T.self) }
    return switch self {
    case .f64: Scalar(Double(bitPattern: UInt64(littleEndian: load(UInt64.self))))
    case .f32: Scalar(Float(bitPattern: UInt32(littleEndian: load(UInt32.self))))
    case .f16: Scalar(widened(half: UInt16(littleEndian: load(UInt16.self))))
    case .bf16: Scalar(Float(bitPattern: UInt32(UInt16(littleEndian: load(UInt16.self))) << 16))
    case .i64: Scalar(Int64(littleEndian: load(Int64.self)))
    case .i32: Scalar(Int32(littleEndian: load(Int32.self)))
    case .i16: Scalar(Int16(littleEndian: load(Int16.self)))
    case .i8: Scalar(load(Int8.self))
    case .u64: Scalar(UInt64(littleEndian: load(UInt64.self)))
    case .u32: Scalar(UInt32(littleEndian: load(UInt32.self)))
    case .u16: Scalar(UInt16(littleEndian: load(UInt16.self)))
    case .u8: Scalar(load(UInt8.self))
    case .bool: load(UInt8.self) == 0 ? 0 : 1
    }
  }
}

/// IEEE 754 binary16 as a float, exactly; Swift's own `Float16` is missing on some platforms.
func widened(half bits: UInt16) -> Float {
  let sign = UInt32(bits >> 15) << 31
  let exponent = UInt32(bits >> 10) & 0x1f
  let fraction = UInt32(bits) & 0x3ff
  switch exponent {
  case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
  case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
  default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }
}
