import Foundation

/// Images by index into the training set, and what each was converted into.
struct ConvertedImages {
  /// The image.
  let index: Int
  /// Its representative.
  let target: Int
  /// The autoencoder's output, in 0...1, `[height, width, channels]`.
  let output: Tensor
}

extension ExperimentReport {
  /// Every figure that is a drawing, by name.
  var figures: [(name: String, svg: String)] {
    let arms = curves.keys.filter { $0 != "gcae" }.sorted()
    var figures = [
      ("training-loss", Figure.lines("Training loss", arms.map { ($0, curves[$0]!.loss) })),
      (
        "validation-accuracy",
        Figure.lines("Validation accuracy", arms.map { ($0, curves[$0]!.validationAccuracy.compactMap { $0 }) })
      ),
      ("conversion-loss", Figure.lines("Conversion error", [("autoencoder", curves["gcae"]?.loss ?? [])])),
    ]
    figures.append(
      (
        "entropies",
        Figure.histograms(
          "Entropy of the training images",
          [("before conversion", entropiesBefore), ("after conversion", entropiesAfter)])
      ))
    return figures
  }

  /// This document as one page that needs nothing else.
  func html(_ data: DatasetSplit, examples: [ConvertedImages]) -> String {
    func table(_ table: (names: [String], rows: [[String]])) -> String {
      "<div class=scroll><table><tr>" + table.names.map { "<th>\(escaped($0))</th>" }.joined() + "</tr>"
        + table.rows.map { "<tr>" + $0.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>" }.joined()
        + "</table></div>"
    }
    func image(_ pixels: [UInt8], _ caption: String) -> String {
      let channels = data.imageShape[2]
      guard channels == 1 || channels == 3 else { return "" }
      let png = Data(DecodedImage(pixels: pixels, shape: data.imageShape).png()).base64EncodedString()
      return "<figure><img alt=\"\(escaped(caption))\" src=\"data:image/png;base64,\(png)\">"
        + "<figcaption>\(escaped(caption))</figcaption></figure>"
    }
    func trained(_ index: Int) -> [UInt8] {
      Array(data.training.pixels[index * data.imageShape.count..<(index + 1) * data.imageShape.count])
    }
    let position = Dictionary(
      uniqueKeysWithValues: clusters.classes.flatMap { $0.clusters.joined() }.sorted().enumerated().map { ($1, $0) })
    func entropy(_ index: Int) -> String {
      position[index].map { entropiesBefore.indices.contains($0) ? fixed(entropiesBefore[$0], 4) : "" } ?? ""
    }

    let montage = clusters.classes.indices.map { row in
      let one = clusters.classes[row]
      let groups = one.clusters.indices.map { cluster in
        let chosen = representatives.classes[row][cluster]
        return "<div class=group>" + image(trained(chosen), "chosen, \(entropy(chosen))")
          + one.clusters[cluster].filter { $0 != chosen }.prefix(5).map { image(trained($0), entropy($0)) }.joined()
          + "</div>"
      }.joined()
      return "<h3>\(escaped(classNames[one.label]))</h3>" + groups
    }.joined()
    let triples = examples.map { example in
      let bytes = DecodedImage(example.output).pixels
      return "<div class=group>" + image(trained(example.index), "input") + image(bytes, "converted")
        + image(trained(example.target), "representative") + "</div>"
    }.joined()
    let confusion = arms.first { $0.id == "A3" }.map { arm in
      table(
        (
          ["true \\ given"] + classNames,
          arm.confusion.enumerated().map { [classNames[$0]] + $1.map { "\($0)" } }
        ))
    }
    return """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1"><title>EncodeNet on \(escaped(self.data))</title>
      <style>
      :root { color-scheme: light dark; }
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
      .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
      th, td { padding: .3rem .6rem; border-bottom: 1px solid #8886; text-align: left; white-space: nowrap; }
      .verdict { border-left: 4px solid #2f6fd0; padding: .5rem 1rem; background: #2f6fd018; }
      .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; }
      .group { display: inline-flex; flex-wrap: wrap; gap: .4rem; margin: 0 1rem .6rem 0; vertical-align: top; }
      figure { margin: 0; text-align: center; font-size: .7rem; }
      img { width: 3.5rem; height: 3.5rem; object-fit: contain; image-rendering: pixelated; }
      </style></head><body>
      <h1>EncodeNet on \(escaped(self.data))</h1><p>\(escaped(subject))</p>
      <p class="verdict">\(escaped(verdict))</p>
      <h2>Arms</h2>\(table(armTable))
      <p>Budget in full-backprop-equivalent epochs; an arm marked unequal differs from A3 by more than 2 %.</p>
      <h2>Comparisons</h2>\(table(comparisonTable))
      <p>The interval and p speak of test sets like this one, not of other seeds.</p>
      <h2>Diagnosis</h2><ul>\(diagnosis.map { "<li>\(escaped($0))</li>" }.joined())</ul>
      <h2>Curves and entropies</h2><div class="plots">\(figures.map { "<div>\($0.svg)</div>" }.joined())</div>
      <h2>Conversion</h2>\(triples)
      <h2>Clusters</h2><p>Under each image its entropy in nats.</p>\(montage)
      <h2>Confusion of A3</h2>\(confusion ?? "")
      </body></html>

      """
  }
}
