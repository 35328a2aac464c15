/// The hash FNV-1a of 64 bits, over values that come one after the other: a short name for content, not against malice.
///
/// By Fowler, Noll and Vo; a value of more than a byte is taken as a whole.
package struct FNV1a {
  /// The hash of all values so far.
  package private(set) var value: UInt64

  /// A hash of nothing yet, or one that continues from `value`.
  package init(from value: UInt64 = 0xcbf2_9ce4_8422_2325) { self.value = value }

  /// Adds `word`.
  package mutating func append(_ word: UInt64) { value = (value ^ word) &* 0x100_0000_01b3 }
  /// Adds `bytes`.
  package mutating func append(bytes: some Sequence<UInt8>) { for byte in bytes { append(UInt64(byte)) } }
}
