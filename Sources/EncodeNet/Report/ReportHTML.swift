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
    func table(_ table: (names: [String], rows: [[String]]), textColumns: Int) -> String {
      func row(_ cells: [String], _ tag: String) -> String {
        let cells = cells.enumerated().map { column, cell in
          "<\(tag)\(column < textColumns ? "" : " class=n")>\(escaped(cell))</\(tag)>"
        }.joined()
        return "<tr\(tag == "td" && cells.hasPrefix("<td>A3</td>") ? " class=main" : "")>\(cells)</tr>"
      }
      return "<div class=scroll><table>\(row(table.names, "th"))\(table.rows.map { row($0, "td") }.joined())"
        + "</table></div>"
    }
    func image(_ pixels: [UInt8], _ caption: String, isChosen: Bool = false) -> String {
      let channels = data.imageShape[2]
      guard channels == 1 || channels == 3 else { return "" }
      let png = Data(DecodedImage(pixels: pixels, shape: data.imageShape).png()).base64EncodedString()
      return
        "<figure\(isChosen ? " class=chosen" : "")><img alt=\"\(escaped(caption))\" src=\"data:image/png;base64,\(png)\">"
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
        return "<div class=group>" + image(trained(chosen), entropy(chosen), isChosen: true)
          + one.clusters[cluster].filter { $0 != chosen }.prefix(5).map { image(trained($0), entropy($0)) }.joined()
          + "</div>"
      }.joined()
      return "<h3>\(escaped(classNames[one.label]))</h3><div class=groups>\(groups)</div>"
    }.joined()
    let triples = examples.map { example in
      let bytes = DecodedImage(example.output).pixels
      return "<div class=group>" + image(trained(example.index), "input") + image(bytes, "converted")
        + image(trained(example.target), "representative") + "</div>"
    }.joined()
    let confusion = arms.first { $0.id == "A3" }.map { arm in
      let head = "<th>true \\ given</th>" + classNames.map { "<th class=n>\(escaped($0))</th>" }.joined()
      let rows = arm.confusion.enumerated().map { row, counts in
        let all = Double(max(counts.reduce(0, +), 1))
        let cells = counts.enumerated().map { column, count in
          let shade = count == 0 ? 0 : 0.15 + 0.6 * Double(count) / all
          let colour = row == column ? "47,111,208" : "208,80,47"
          return
            "<td class=n style=\"background:rgba(\(colour),\(fixed(shade, 2)))\">\(count == 0 ? "" : "\(count)")</td>"
        }.joined()
        return "<tr><th>\(escaped(classNames[row]))</th>\(cells)</tr>"
      }.joined()
      return "<div class=scroll><table class=confusion><tr>\(head)</tr>\(rows)</table></div>"
    }
    return """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1"><title>EncodeNet on \(escaped(self.data))</title>
      <style>
      :root { color-scheme: light dark; --accent: #2f6fd0; }
      body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
      h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
      h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
      .quiet { color: #777; font-size: .875rem; overflow-wrap: anywhere; }
      .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
      th, td { padding: .35rem .65rem; border-bottom: 1px solid #8884; text-align: left; white-space: nowrap; }
      th { font-weight: 600; } tr > th { color: #777; } .n { text-align: right; } .main td { background: #2f6fd014; }
      .confusion td { min-width: 1.6rem; border: 0; }
      .verdict { border-left: 4px solid var(--accent); padding: .6rem 1rem; background: #2f6fd018; border-radius: 0 6px 6px 0; }
      .plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; }
      .groups { display: flex; flex-wrap: wrap; gap: .8rem 1.6rem; }
      .group { display: flex; flex-wrap: wrap; gap: .4rem; }
      figure { margin: 0; text-align: center; font-size: .7rem; line-height: 1.3; color: #777; }
      img { display: block; margin: 0 auto .15rem; width: 3.6rem; height: 3.6rem; object-fit: contain; image-rendering: pixelated; border-radius: 3px; }
      .chosen img { outline: 3px solid var(--accent); outline-offset: 1px; }
      </style></head><body>
      <h1>EncodeNet on \(escaped(self.data))</h1><p class="quiet">\(escaped(subject))</p>
      <p class="verdict">\(escaped(verdict))</p>
      <h2>Arms</h2>\(table(armTable, textColumns: 2))
      <p class="quiet">All arms have the network of the baseline at inference. The budget is in full-backprop-equivalent
      epochs; an arm marked unequal differs from A3 by more than 2 %.</p>
      <h2>Comparisons</h2>\(table(comparisonTable, textColumns: 1))
      <p class="quiet">In points of accuracy. The interval and p speak of test sets like this one, not of other seeds.</p>
      <h2>Diagnosis</h2><ul>\(diagnosis.map { "<li>\(escaped($0))</li>" }.joined())</ul>
      <h2>Curves and entropies</h2><div class="plots">\(figures.map { "<div>\($0.svg)</div>" }.joined())</div>
      <h2>Conversion</h2><p class="quiet">Training images, what the autoencoder makes of them, and what it should make:
      the representative of their cluster.</p><div class="groups">\(triples)</div>
      <h2>Clusters</h2><p class="quiet">Each group is a cluster, its representative framed; under each image its entropy in
      nats.</p>\(montage)
      <h2>Confusion of A3</h2>\(confusion ?? "")
      </body></html>

      """
  }
}
