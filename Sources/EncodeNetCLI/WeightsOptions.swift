import ArgumentParser
import Foundation
import Reports

/// The place and the names of the weights in a file that is not of this library.
struct WeightsOptions: ParsableArguments {
  @Option(
    help:
      "The place of the weights in the file, such as state_dict_ema, where several fit the network (default: the one that fits)."
  )
  var map: String?
  @Option(
    help:
      "Renames a part of the names in the file, as backbone.fc=linear; an empty NEW removes it. May be given again.")
  var rename: [String] = []
  @Option(
    help:
      "The classes in the order of the weights' outputs, joined by commas (default: what the file says, else those of the data in their order)."
  )
  var classNames: String?

  func validate() throws {
    _ = try renamings
    let names = names ?? []
    guard !names.contains("") else { throw ValidationError("--class-names has an empty name") }
    if let name = names.indices.first(where: { names[..<$0].contains(names[$0]) }).map({ names[$0] }) {
      throw ValidationError("--class-names has '\(name.escaped(80))' twice")
    }
  }

  /// The classes' names, nil where none are given.
  var names: [String]? {
    classNames?.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
  }

  var renamings: [Renaming] {
    get throws { try rename.map { text in try validating { try Renaming(text) } } }
  }
}
