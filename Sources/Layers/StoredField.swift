import CObjects

/// A stored property of a class, a struct or a tuple, and where it lies: what `Mirror` knows, and does not tell.
///
/// The functions are those by which the standard library implements `Mirror` and `ManagedBuffer`.
struct StoredField {
  let name: String
  let type: Any.Type
  /// Bytes from the beginning of the object or value.
  let offset: Int
  /// Whether it is neither a weak nor an unowned reference.
  let isStrong: Bool

  /// The stored properties of a type, those of superclasses first.
  static func all(of type: Any.Type) -> [StoredField] {
    (0..<recursiveCount(type)).map { index in
      var metadata = FieldMetadata()
      let fieldType = recursiveChildMetadata(type, index: index, fieldMetadata: &metadata)
      defer { metadata.freeFunc?(metadata.name) }
      return StoredField(
        name: metadata.name.map { String(cString: $0) } ?? "\(index)", type: fieldType,
        offset: recursiveChildOffset(type, index: index), isStrong: metadata.isStrong)
    }
  }

  /// An object of a class, none of whose properties is initialized; released before they are, it crashes.
  static func allocate(_ type: AnyClass) -> Unmanaged<AnyObject> {
    Unmanaged.fromOpaque(en_allocate_object(unsafeBitCast(type, to: UnsafeRawPointer.self), instanceSize(type)))
  }

  /// Whether values of `type` are functions: by the kind in its metadata.
  static func isFunction(_ type: Any.Type) -> Bool {
    type is AnyClass ? false : unsafeBitCast(type, to: UnsafePointer<Int>.self).pointee == 0x302
  }
}

private struct FieldMetadata {
  var name: UnsafePointer<CChar>?
  var freeFunc: (@convention(c) (UnsafePointer<CChar>?) -> Void)?
  var isStrong = false
  var isVar = false
}

@_silgen_name("swift_reflectionMirror_recursiveCount")
private func recursiveCount(_: Any.Type) -> Int

@_silgen_name("swift_reflectionMirror_recursiveChildMetadata")
private func recursiveChildMetadata(
  _: Any.Type, index: Int, fieldMetadata: UnsafeMutablePointer<FieldMetadata>
) -> Any.Type

@_silgen_name("swift_reflectionMirror_recursiveChildOffset")
private func recursiveChildOffset(_: Any.Type, index: Int) -> Int

// Swift._class_getInstancePositiveExtentSize(AnyClass) -> Int
@_silgen_name("$ss36_class_getInstancePositiveExtentSizeySiyXlXpF")
private func instanceSize(_: AnyClass) -> Int
