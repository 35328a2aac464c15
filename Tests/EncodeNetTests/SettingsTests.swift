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
    (#"{"clustering": {"restarts": "many"}}"#, #"line 1: 'clustering.restarts' is "many", wanted a whole number"#),
    (#"{"arms": ["A3", {"arm": "A3", "recipe": {"rho": []}}]}"#, "'arms.1.recipe.rho' is [], wanted a number"),
    (#"{"arms": ["A3", {"recipe": {}}]}"#, "line 1: 'arms.1' does not say which 'arm' it changes"),
    (
      #"{"arms": [{"arm": "A13", "recipe": {"distillation": {"teacher": "someone"}}}]}"#,
      "'someone' is none of baseline"
    ),
    (#"{"clustering": {"clustersPerClass": {"silhouette": [8, 2]}}}"#, "clustersPerClass"),
    ("{\n  \"seeds\": [0],\n  \"epochs\": 32.5\n}", "line 3: 'epochs' is 32.5, wanted a whole number"),
    (#"{"epochs": null}"#, "'epochs' is null, wanted a whole number"),
    (#"{"epochs": 1e300}"#, "'epochs' is 1e300, wanted a whole number"),
    (#"{"learningRate": 1e400}"#, "'learningRate' is 1e400, wanted a number"),
    (#"{"seeds": [0, -1]}"#, "'seeds' has a number that does not fit"),
    (#"{"epochs": 9223372036854775807}"#, "epochs is 9223372036854775807, it must be from 1 to 1000000"),
    (#"{"conversion": 3}"#, "'conversion' is 3, wanted an object"), ("3", "the configuration is 3, wanted an object"),
    (#"{"conversion": {"epoch": 3}}"#, "line 1: 'conversion.epoch' is no setting; there are"),
    (
      "{\n // some\n \"epochs\": 3}",
      "line 2, column 2: '// some', wanted a key in quotation marks (JSON has no comments)"
    ),
    ("{\"epochs\": 3,\n\"epochs\": 4}", "line 2, column 1: the key 'epochs' a second time, wanted each key once"),
    (#"{"epochs": 3,}"#, "line 1, column 14: '}', wanted a key in quotation marks"),
    (#"{"epochs": NaN}"#, "line 1, column 12: 'NaN', wanted a number, true"),
    (#"{"epochs": 3"#, "the end of the text, wanted a comma or '}'"),
    ("", "line 1, column 1: the end of the text, wanted a value"),
    (#"{"baseline": {}}"#, "baseline.weights is missing"),
  ])
  func whatDoesNotFitIsNamedByItsPath(json: String, problem: String) throws {
    let error = #expect(throws: ExperimentError.self) { try ExperimentConfiguration.decoded(from: Data(json.utf8)) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func anAugmentationIsAListOfChanges() throws {
    let json = #"{"augmentation": ["flip", {"crop": 4}, {"shift": 1}, {"cutout": 8}]}"#
    let c = try ExperimentConfiguration.decoded(from: Data(json.utf8))
    #expect(c.augmentation == .horizontalFlip + .randomCrop(padding: 4) + .shift(by: 1) + .cutout(size: 8))
    let written = String(decoding: try JSONEncoder().encode(c), as: UTF8.self)
    #expect(written.contains(#""augmentation":["flip",{"crop":4},{"shift":1},{"cutout":8}]"#), "\(written)")
    for wrong in [#"["turn"]"#, #"[{"crop": -1}]"#, #"[{"flip": 1}]"#, #""flip""#, #"[{"cutout": 99999999}]"#] {
      let error = #expect(throws: ExperimentError.self) {
        try ExperimentConfiguration.decoded(from: Data("{\"augmentation\": \(wrong)}".utf8))
      }
      #expect(error?.description.hasPrefix("line 1: 'augmentation") == true, "\(error?.description ?? "")")
    }
  }

  @Test func changesWithValuesOfTheirOwnHaveThemInAnObject() throws {
    func augmentation(_ json: String) throws -> Augmentation? {
      try ExperimentConfiguration.decoded(from: Data(#"{"augmentation": \#(json)}"#.utf8)).augmentation
    }
    let names = #"["resizedCrop","colourJitter","randomErasing","trivialAugment","randAugment"]"#
    let defaults: Augmentation =
      .randomResizedCrop() + .colourJitter() + .randomErasing() + .trivialAugment + .randAugment()
    #expect(try augmentation(names) == defaults)
    #expect(String(decoding: try JSONEncoder().encode(defaults), as: UTF8.self) == names)
    let own: Augmentation =
      .randomResizedCrop(area: 0.25...1) + .colourJitter(brightness: 0.5, contrast: 0, saturation: 0, hue: 0)
      + .randomErasing(probability: 0.25, aspect: 0.5...2) + .randAugment(magnitude: 12)
    #expect(
      try augmentation(
        #"[{"resizedCrop": {"area": [0.25, 1]}}, {"colourJitter": {"brightness": 0.5}}, "#
          + #"{"randomErasing": {"probability": 0.25, "aspect": [0.5, 2]}}, {"randAugment": {"magnitude": 12}}]"#)
        == own)
    #expect(try JSONDecoder().decode(Augmentation.self, from: JSONEncoder().encode(own)) == own)
  }

  @Test(arguments: [
    (#"{"resizedCrop": {"area": [0, 1]}}"#, "area is 0.0 to 1.0, it must be above 0 and up to 1"),
    (#"{"resizedCrop": {"area": [1, 0.5]}}"#, "it must be the least and the most"),
    (#"{"resizedCrop": {"size": 3}}"#, "'size' is no value of it; there are area, aspect"),
    (#"{"colourJitter": {"hue": 0.6}}"#, "hue is 0.6, it must be from 0 to 0.5"),
    (#"{"randomErasing": {"probability": 2}}"#, "probability is 2.0, it must be from 0 to 1"),
    (#"{"randomErasing": {"aspect": [1e-9, 1]}}"#, "aspect is 1e-09 to 1.0, it must be from 0.01 to 100"),
    (#"{"randAugment": {"magnitude": 31}}"#, "magnitude is 31, it must be from 0 to 30"),
    (#""turn""#, "a change is"), (#"{"trivialAugment": {}}"#, "a change is"), (#""cutout""#, "a change is"),
  ])
  func aChangeThatCannotBeMadeIsNamed(change: String, problem: String) {
    let error = #expect(throws: ExperimentError.self) {
      try ExperimentConfiguration.decoded(from: Data("{\"augmentation\": [\(change)]}".utf8))
    }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
  }

  @Test func nullTakesASettingAway() throws {
    var base = ExperimentConfiguration.cifar
    base.conversion.decoderHeadStart = 0.5
    let json = Data(#"{"augmentation": null, "conversion": {"decoderHeadStart": null}}"#.utf8)
    let c = try ExperimentConfiguration.decoded(from: json, over: base)
    #expect(c.augmentation == nil && c.conversion.decoderHeadStart == nil && c.epochs == base.epochs)
  }

  @Test func imagesArePreparedAsJSONSays() throws {
    func images(_ json: String) throws -> ImageOptions {
      try ExperimentConfiguration.decoded(from: Data(#"{"images": \#(json)}"#.utf8)).images
    }
    let given = try images(#"{"size": "48x64", "fit": "pad", "skipsUnreadable": true}"#)
    #expect(given.size == ImageSize(height: 48, width: 64) && given.fit == .pad && given.skipsUnreadable)
    #expect(try images(#"{"size": 64}"#).size == ImageSize(64) && images("{}") == ImageOptions())
    for json in [#"{"size": 0}"#, #"{"size": "a"}"#, #"{"fit": "crop"}"#, #"{"uprights": true}"#] {
      #expect(throws: ExperimentError.self) { try images(json) }
    }
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
