/// One way of spending the budget of an experiment, whose result is compared with the others'.
public struct Arm: Sendable {
  /// Its name in reports and files: letters, digits, `-`, `_` and `.`.
  public var id: String
  /// A description in a few words.
  public var name: String
  /// The steps, done in order to a network with random weights: the same weights for all arms of a seed.
  public var steps: [any Step]

  /// An arm of those steps.
  public init(_ id: String, _ name: String, _ steps: [any Step]) {
    (self.id, self.name, self.steps) = (id, name, steps)
  }

  package func check() throws(ExperimentError) {
    let isPlain = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || "-_.".contains(c)) }
    guard !id.isEmpty, id.count <= 64, id.allSatisfy(isPlain), id.first != "." else {
      throw ExperimentError("the arm's id '\(id)' is not made of at most 64 letters, digits, '-', '_' and '.'")
    }
    guard id != "judge" else {
      throw ExperimentError("no arm can be called 'judge': that is the network that judges conversion")
    }
  }
}
