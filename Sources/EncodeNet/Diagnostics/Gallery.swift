import Foundation

/// Pictures of one seed for its report: saved with the run, so that a report needs no data set.
package struct Gallery: Sendable, Codable, Equatable {
  package struct Picture: Sendable, Codable, Equatable {
    package var pixels: Data
    package var caption: String
  }
  /// A cluster: its representative, then images of it.
  package struct Cluster: Sendable, Codable, Equatable {
    package var label: Int
    package var pictures: [Picture]
  }
  /// An image, what it was converted into, and the representative of the nearest cluster of its class.
  package struct Conversion: Sendable, Codable, Equatable {
    package var label: Int
    /// The class that the baseline takes the converted image for.
    package var given: Int
    /// The class that the judge takes it for, nil where there is no judge.
    package var judged: Int?
    package var input: Picture
    package var output: Picture
    package var target: Picture
  }
  /// Some of a class's images along two principal components of its features.
  package struct Map: Sendable, Codable, Equatable {
    package var label: Int
    package var x: [Double]
    package var y: [Double]
    package var cluster: [Int]
    /// The positions of representatives among these.
    package var representatives: [Int]
  }

  /// `[height, width, channels]` of every picture.
  package var imageShape: Shape
  package var images: SeedDiagnostics.Images
  /// The first images of each class.
  package var conversions: [Conversion]
  package var clusters: [Cluster]
  package var maps: [Map]

  /// The longer side of a picture: those of larger images are reduced, so that a page with some hundred of them stays small.
  package static let largestSide = 64

  /// The shape of the pictures of images of `shape`.
  package static func pictureShape(for shape: Shape) -> Shape {
    let longer = max(shape[0], shape[1])
    guard longer > largestSide else { return shape }
    return [max(1, shape[0] * largestSide / longer), max(1, shape[1] * largestSide / longer), shape[2]]
  }

  /// One converted image of each class as a PNG: in columns the classes, in rows image, converted image, representative; nil
  /// where there is nothing that a PNG can show.
  package func sheet(enlargedTo size: Int = 96, gap: Int = 6) -> [UInt8]? {
    var seen: Set<Int> = []
    let shown = conversions.filter { seen.insert($0.label).inserted }
    guard !shown.isEmpty, imageShape.rank == 3, imageShape[2] == 1 || imageShape[2] == 3,
      shown.allSatisfy({ conversion in
        [conversion.input, conversion.output, conversion.target].allSatisfy { $0.pixels.count == imageShape.count }
      }
      )
    else { return nil }
    let (height, width, channels) = (imageShape[0], imageShape[1], imageShape[2])
    let scale = max(1, size / max(height, width))
    let (cellHeight, cellWidth) = (height * scale + gap, width * scale + gap)
    let sheet: Shape = [3 * cellHeight + gap, shown.count * cellWidth + gap, 3]
    var pixels = [UInt8](repeating: 255, count: sheet.count)
    for (column, conversion) in shown.enumerated() {
      for (row, picture) in [conversion.input, conversion.output, conversion.target].enumerated() {
        let image = [UInt8](picture.pixels)
        for y in 0..<height * scale {
          for x in 0..<width * scale {
            let from = (y / scale * width + x / scale) * channels
            let to = ((gap + row * cellHeight + y) * sheet[1] + gap + column * cellWidth + x) * 3
            for channel in 0..<3 { pixels[to + channel] = image[from + min(channel, channels - 1)] }
          }
        }
      }
    }
    return DecodedImage(pixels: pixels, shape: sheet).png()
  }

  /// Whether everything it points to is there.
  package func fits(classes: Int) -> Bool {
    let classes = 0..<classes
    return clusters.allSatisfy { classes.contains($0.label) }
      && conversions.allSatisfy {
        classes.contains($0.label) && classes.contains($0.given) && classes.contains($0.judged ?? 0)
      }
      && maps.allSatisfy { map in
        classes.contains(map.label) && map.y.count == map.x.count && map.cluster.count == map.x.count
          && map.cluster.allSatisfy { $0 >= 0 } && map.representatives.allSatisfy(map.x.indices.contains)
      }
  }
}
