import Foundation
import Testing

@testable import EncodeNet
@testable import Experiments

/// How settings are read from JSON.
@Suite struct SettingsTests {
  @Test func theyAreWrittenAsAPersonWouldWriteThem() throws {
    let json = """
      {"clustering": {"clustersPerClass": 3}, "arms": [
        {"arm": "kd", "recipe": {"distillation": {"teacher": {"weights": "t.safetensors"}}}},
        {"arm": "A13", "recipe": {"distillation": {"teacher": "peer"}}}]}
      """
    let c = try ExperimentConfiguration.decoded(from: Data(json.utf8))
    #expect(c.clustering.clustersPerClass == .fixed(3))
    #expect(c.arms[0].recipe.distillation?.teacher == .weights("t.safetensors"))
    #expect(c.arms[1].recipe.distillation?.teacher == .peer)
    let written = String(decoding: try JSONEncoder().encode(c), as: UTF8.self)
    #expect(written.contains(#""teacher":{"weights":"t.safetensors"}"#) && written.contains(#""teacher":"peer""#))
    #expect(!written.contains("_0"))
    #expect(try ExperimentConfiguration.decoded(from: Data(written.utf8)) == c)
  }

  @Test(arguments: [
    (#"{"clustering": {"restarts": "many"}}"#, "'clustering.restarts' does not fit"),
    (#"{"arms": ["A3", {"arm": "A3", "recipe": {"rho": []}}]}"#, "'arms.1.recipe.rho' does not fit"),
    (
      #"{"arms": [{"arm": "A13", "recipe": {"distillation": {"teacher": "someone"}}}]}"#,
      "'someone' is none of baseline"
    ),
    (#"{"clustering": {"clustersPerClass": {"silhouette": [8, 2]}}}"#, "clustersPerClass"),
    (#"{"epochs": 1.5}"#, "'epochs' does not fit"), (#"{"epochs": null}"#, "'epochs' does not fit"),
    (#"{"conversion": 3}"#, "'conversion' does not fit"), ("3", "not a JSON object"),
    (#"{"baseline": {}}"#, "baseline.weights is missing"),
  ])
  func whatDoesNotFitIsNamedByItsPath(json: String, problem: String) throws {
    let error = #expect(throws: ExperimentError.self) { try ExperimentConfiguration.decoded(from: Data(json.utf8)) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func nullTakesASettingAway() throws {
    var base = ExperimentConfiguration.cifar
    base.conversion.decoderHeadStart = 0.5
    let json = Data(#"{"augmentation": null, "conversion": {"decoderHeadStart": null}}"#.utf8)
    let c = try ExperimentConfiguration.decoded(from: json, over: base)
    #expect(c.augmentation == nil && c.conversion.decoderHeadStart == nil && c.epochs == base.epochs)
  }

  /// `ENCODENET_WRITE_SCHEMA=1 swift test --filter theSchemaIsInTheDocumentation` writes it.
  @Test func theSchemaIsInTheDocumentation() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appendingPathComponent("Docs/configuration.schema.json")
    let object = try JSONSerialization.jsonObject(with: Data(ExperimentConfiguration.schemaDocument.utf8))
    let text =
      String(
        decoding: try JSONSerialization.data(
          withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]),
        as: UTF8.self) + "\n"
    if ProcessInfo.processInfo.environment["ENCODENET_WRITE_SCHEMA"] != nil { try Data(text.utf8).write(to: file) }
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
  }
}
