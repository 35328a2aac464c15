/// The element type of every tensor: `Float`, or `Double` under the package trait `DoublePrecision`.
#if DoublePrecision
  public typealias Scalar = Double
#else
  public typealias Scalar = Float
#endif

/// Stops the program, in release builds too, with a message that names the operation and what it was given.
@inline(__always)
package func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { fatalError(message(), file: file, line: line) }
}
