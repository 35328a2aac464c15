import Foundation

extension ExperimentReport {
  /// This document as one page that needs nothing else.
  func html(_ gallery: Gallery?) -> String {
    let gallery = gallery.flatMap { $0.fits(classes: classNames.count) ? $0 : nil }
    let drawings = figures
    func plots(_ names: String...) -> String {
      let shown = names.compactMap { name in drawings.first { $0.name == name }?.svg }
      return shown.isEmpty ? "" : "<div class=plots>\(shown.map { "<div>\($0)</div>" }.joined())</div>"
    }
    let all = [
      section("Arms", armTable.html { $0[0] == primary?.first }, below: Self.howBudgetsAreCounted),
      section("In short", "<ul>\(diagnosis.map { "<li>\(escaped($0))</li>" }.joined())</ul>"),
      section(
        "Figures",
        plots("accuracy", "differences", "validation-accuracy", "cost", hasManyClasses ? "" : "classes", "reliability")),
      comparisonSections, classSection(plots("classes", "class-accuracy")), conversionSection(plots("entropies")),
      gallery.map(clusterPictures) ?? "", clusterSection, gallery.map(mapSection) ?? "",
      section(
        "Quality", qualityTable.html(),
        note:
          "Accuracy on corrupted test images, and on the quartiles of the test images by the first arm's entropy, lowest first."
      ),
      hasManyClasses ? "" : section("Confusion", confusions()), section("Inference", inferenceTable.html()),
    ]
    return """
      <!doctype html><html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1"><title>EncodeNet on \(escaped(run.data))</title>
      <style>\(Self.style)</style></head><body>
      <header><p class=kicker>EncodeNet, measured</p><h1>\(escaped(configuration.model)) on \(escaped(run.data))</h1>
      <div class=answers>\(answers.map(answer).joined())</div>
      \(gallery.map(conversions) ?? "")</header>
      \(all.joined(separator: "\n"))
      <footer><p class=quiet>\(escaped(subject))</p></footer></body></html>

      """
  }

  /// A headed part of the page, with words above and below; nothing where there is nothing in it.
  private func section(_ title: String, _ body: String, note: String = "", below: String = "") -> String {
    func quiet(_ text: String) -> String { text.isEmpty ? "" : "<p class=quiet>\(escaped(text))</p>" }
    return body.isEmpty ? "" : "<section><h2>\(escaped(title))</h2>\(quiet(note))\(body)\(quiet(below))</section>"
  }

  private var comparisonSections: String {
    guard !comparisons.isEmpty else { return "" }
    let all = comparisonTable(.primary, .alternatives).html { cells in
      primary.map { cells.contains("\($0.first) − \($0.second)") } ?? false
    }
    let parts = comparisons.contains { $0.family == .attribution } ? comparisonTable(.attribution).html() : ""
    return section("Comparisons", all, below: Self.howToRead) + section("What each part is worth", parts)
  }

  private func conversionSection(_ plots: String) -> String {
    guard seeds.contains(where: { $0.diagnostics != nil }) else { return "" }
    return section(
      "Conversion", conversionTable.html() + outcomeTable.html() + plots, note: Self.howConversionIsJudged)
  }

  private var clusterSection: String {
    let diagnostics = seeds.first { $0.diagnostics != nil }?.diagnostics
    return section(
      "Clusters in numbers",
      diagnostics.map { hasManyClasses ? titled(clusterSummary($0)) : clusterTable($0).html() } ?? "")
  }

  private func titled(_ tables: [(title: String, table: ReportTable)]) -> String {
    tables.map { "<h3>\(escaped($0.title))</h3>\($0.table.html())" }.joined()
  }

  /// The classes, where they are too many for a row or a bar each.
  private func classSection(_ plots: String) -> String {
    guard hasManyClasses else { return "" }
    return section(
      "Classes",
      classQuantiles.html() + plots + titled(extremeClasses + [("Most confused, all seeds", confusedPairs)]),
      note: classWords, below: "report.json has every class.")
  }

  /// "The first 10 classes", as far as not all are shown.
  private func shown(_ labels: some Sequence<Int>) -> String {
    let count = Set(labels).count
    return count < classNames.count ? " \(count) of the \(classNames.count) classes." : ""
  }

  private func mapSection(_ gallery: Gallery) -> String {
    let maps = gallery.maps.map { "<div>\($0.svg(className($0.label)))</div>" }.joined()
    return section(
      "Maps of the classes", "<div class=\"plots small\">\(maps)</div>",
      note: "Two principal components of the baseline's features; colours are clusters, rings are representatives."
        + shown(gallery.maps.map(\.label)))
  }

  private func image(_ picture: Gallery.Picture, _ shape: Shape, isChosen: Bool = false) -> String {
    guard shape.rank == 3, shape[2] == 1 || shape[2] == 3, picture.pixels.count == shape.count else { return "" }
    let png = Data(DecodedImage(pixels: Array(picture.pixels), shape: shape).png()).base64EncodedString()
    return
      "<figure\(isChosen ? " class=chosen" : "")><img alt=\"\(escaped(picture.caption))\" src=\"data:image/png;base64,\(png)\">"
      + "<figcaption>\(escaped(picture.caption))</figcaption></figure>"
  }

  /// No further class is shown once its pictures take so many bytes.
  private static let clusterPictureBytes = 1_500_000

  private func clusterPictures(_ gallery: Gallery) -> String {
    var (classes, labels, bytes): ([String], [Int], Int) = ([], [], 0)
    for (label, clusters) in Dictionary(grouping: gallery.clusters, by: \.label).sorted(by: { $0.key < $1.key })
    where bytes < Self.clusterPictureBytes {
      let groups = clusters.map { cluster in
        "<div class=group>"
          + cluster.pictures.enumerated().map { image($1, gallery.imageShape, isChosen: $0 == 0) }.joined() + "</div>"
      }.joined()
      classes.append("<h3>\(escaped(className(label, 80)))</h3><div class=groups>\(groups)</div>")
      (labels, bytes) = (labels + [label], bytes + groups.utf8.count)
    }
    return section(
      "Clusters", classes.joined(),
      note: "The representative is framed; below each image the baseline's entropy in nats." + shown(labels))
  }

  private func answer(_ answer: Answer) -> String {
    "<div class=\"answer \(answer.outcome.rawValue)\"><h2>\(escaped(answer.question))</h2>"
      + "<strong>\(escaped(answer.figure))</strong><p>\(escaped(answer.words))</p></div>"
  }

  /// The first images of each class, a row a class: image, converted, representative.
  private func conversions(_ gallery: Gallery) -> String {
    guard !gallery.conversions.isEmpty else { return "" }
    func figure(_ picture: Gallery.Picture, _ caption: String, _ isRight: Bool? = nil) -> String {
      var picture = picture
      picture.caption = caption.isEmpty ? picture.caption : caption
      let html = image(picture, gallery.imageShape)
      return isRight.map { "<div class=\($0 ? "right" : "wrong")>\(html)</div>" } ?? html
    }
    let rows = Dictionary(grouping: gallery.conversions, by: \.label).sorted { $0.key < $1.key }.map { label, all in
      "<div class=conversions><h3 title=\"\(escaped(classNames[label]))\">\(escaped(className(label, 24)))</h3>"
        + all.map { conversion in
          // Where there is a judge its word counts: the baseline may be part of the loss.
          let given = conversion.judged ?? conversion.given
          return "<div class=group>" + figure(conversion.input, "") + "<span>→</span>"
            + figure(conversion.output, given == label ? "✓" : className(given, 14), given == label) + "<span>→</span>"
            + figure(conversion.target, "") + "</div>"
        }.joined() + "</div>"
    }
    let seer = gallery.conversions[0].judged == nil ? "the baseline" : "the judge"
    return
      "<div class=rows>\(rows.joined())</div><p class=quiet>Image → converted → representative: the first \(gallery.images.rawValue) images of each "
      + "class, what they are converted into, and the representative of the nearest cluster of their class. Below a "
      + "converted image ✓, or the class that \(seer) takes it for.\(shown(gallery.conversions.map(\.label)))</p>"
  }

  /// The confusion of the two arms of the primary comparison.
  private func confusions() -> String {
    [primary?.second, primary?.first].compactMap { $0.flatMap(arm) }.map { arm in
      func head(_ label: Int, _ columns: Int, _ kind: String) -> String {
        "<th\(kind) title=\"\(escaped(classNames[label]))\">\(escaped(className(label, columns)))</th>"
      }
      let names = "<th>true \\ given</th>" + classNames.indices.map { head($0, 14, " class=n") }.joined()
      let rows = arm.confusion.enumerated().map { row, counts in
        let all = Double(max(counts.reduce(0, +), 1))
        let cells = counts.enumerated().map { column, count in
          let shade = count == 0 ? 0 : 0.12 + 0.6 * Double(count) / all
          let colour = row == column ? "47,111,208" : "208,72,106"
          return
            "<td class=n style=\"background:rgba(\(colour),\(fixed(shade, 2)))\">\(count == 0 ? "" : "\(count)")</td>"
        }.joined()
        return "<tr>\(head(row, 24, ""))\(cells)</tr>"
      }.joined()
      return
        "<h3>\(escaped(arm.id)), \(escaped(arm.name)), all seeds</h3><div class=scroll><table class=confusion><thead><tr>\(names)"
        + "</tr></thead><tbody>\(rows)</tbody></table></div>"
    }.joined()
  }

  static let style = """
    :root { color-scheme: light dark; --ink: #1c2330; --quiet: #687083; --line: #d9dee7; --card: #f6f8fb; --accent: #2f6fd0; --ground: #fff; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e4e8f0; --quiet: #98a1b3; --line: #2c3444; --card: #171d28; --ground: #10141c; } }
    * { box-sizing: border-box; }
    body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 68rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
    .kicker { text-transform: uppercase; letter-spacing: .08em; font-size: .75rem; color: var(--accent); margin: 0; font-weight: 600; }
    h1 { font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; margin: .2rem 0 1rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; } h3 { font-size: .95rem; margin: 1.4rem 0 .5rem; }
    .quiet { color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; max-width: 60rem; }
    .answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem; }
    .answer { border-top: 4px solid var(--quiet); padding: .7rem 1rem; background: var(--card); border-radius: 0 0 8px 8px; font-size: .9rem; }
    .answer, h3, li { overflow-wrap: anywhere; } .answer h2 { font-size: 1rem; margin: 0; } .answer strong { font-size: 1.5rem; } .answer p { margin: .2rem 0 0; }
    .yes { border-color: #2f9e6b; } .partly { border-color: #d9a021; } .no { border-color: #d0486a; }
    .rows { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 31rem), 1fr)); gap: .2rem 1.5rem; margin-top: 1.2rem; }
    .conversions { display: flex; align-items: center; gap: .3rem .9rem; overflow-x: auto; } .conversions h3 { width: 4.4rem; font-size: .8rem; flex: none; margin: 0; overflow-wrap: anywhere; }
    .conversions .group { flex-wrap: nowrap; align-items: center; gap: .2rem; } .conversions span { color: var(--quiet); margin-bottom: 1rem; }
    .conversions img { width: 3.4rem; height: 3.4rem; } .conversions figure { width: 3.5rem; font-size: .65rem; } .conversions > .group > figure figcaption { display: none; }
    .right figcaption { color: #2f9e6b; } .wrong figcaption { color: #d0486a; }
    .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .875rem; min-width: 40%; }
    th, td { padding: .4rem .55rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
    th { font-weight: 600; color: var(--quiet); } .n { text-align: right; } .main td { background: #2f6fd01c; font-weight: 600; }
    .confusion td { min-width: 2.2rem; border: 0; }
    .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); gap: 1.5rem 2rem; margin-top: 1rem; }
    .plots.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr)); gap: 1rem; }
    .plots svg { width: 100%; height: auto; display: block; }
    ul { padding-left: 1.2rem; } li { margin: .2rem 0; }
    .groups { display: flex; flex-wrap: wrap; gap: 1rem 2rem; } .group { display: flex; flex-wrap: wrap; gap: .45rem; }
    figure { margin: 0; text-align: center; font-size: .7rem; line-height: 1.3; color: var(--quiet); max-width: 5.5rem; }
    img { display: block; margin: 0 auto .2rem; width: 3.8rem; height: 3.8rem; object-fit: contain; image-rendering: pixelated; border-radius: 4px; }
    .chosen img { outline: 3px solid var(--accent); outline-offset: 1px; }
    """
}
