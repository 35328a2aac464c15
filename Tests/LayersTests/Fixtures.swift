import Foundation
import Testing

@testable import Layers

extension Module {
  /// All parameters and buffers by name.
  var everything: [String: Tensor] {
    var all: [String: Tensor] = [:]
    for (name, parameter) in namedParameters { all[name] = parameter.wrappedValue }
    for (name, buffer) in namedBuffers { all[name] = buffer.wrappedValue }
    return all
  }

  func assign(_ values: [String: Tensor]) throws {
    for (name, parameter) in namedParameters { parameter.wrappedValue = try #require(values[name]) }
    for (name, buffer) in namedBuffers { buffer.wrappedValue = try #require(values[name]) }
  }
}

func generator(_ seed: UInt64 = 1) -> SplittableGenerator { SplittableGenerator(seed: seed) }
