/// SplitMix64: a small, fast, splittable generator whose state can be saved.
///
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SplittableGenerator: RandomNumberGenerator, Sendable, Hashable, Codable {
  private var state: UInt64
  private let gamma: UInt64

  public init(seed: UInt64) { self.init(state: seed, gamma: 0x9e37_79b9_7f4a_7c15) }

  /// The stream `name` of `seed`, such as "order" or "decoder".
  ///
  /// Streams with other names or seeds are independent, so a new stream changes no other one. The name is hashed by FNV-1a, and
  /// mixed with the seed as SplitMix64 mixes its state.
  public init(seed: UInt64, stream name: String) { self.init(seed: Self.seed(seed, stream: name)) }

  /// The seed of the stream `name` of `seed`, where a seed is needed instead of a generator.
  public static func seed(_ seed: UInt64, stream name: String) -> UInt64 {
    var hash = FNV1a()
    hash.append(bytes: name.utf8)
    return mixed(mixed(seed &+ 0x9e37_79b9_7f4a_7c15) ^ mixed(hash.value))
  }

  private init(state: UInt64, gamma: UInt64) {
    self.state = state
    self.gamma = gamma
  }

  public mutating func next() -> UInt64 {
    state &+= gamma
    return Self.mixed(state)
  }

  /// A generator whose numbers are independent of the further ones of `self`.
  public mutating func split() -> SplittableGenerator {
    let seed = next()
    state &+= gamma
    var newGamma = Self.gammaMixed(state) | 1
    if (newGamma ^ (newGamma >> 1)).nonzeroBitCount < 24 { newGamma ^= 0xaaaa_aaaa_aaaa_aaaa }
    return SplittableGenerator(state: seed, gamma: newGamma)
  }

  private static func mixed(_ x: UInt64) -> UInt64 {
    var z = (x ^ (x >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
  private static func gammaMixed(_ x: UInt64) -> UInt64 {
    var z = (x ^ (x >> 33)) &* 0xff51_afd7_ed55_8ccd
    z = (z ^ (z >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return z ^ (z >> 33)
  }
}
