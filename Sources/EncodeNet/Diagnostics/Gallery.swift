import Foundation

/// Pictures of one seed for its report: kept with the run, so that a report needs no data set.
struct Gallery: Sendable, Codable, Equatable {
  /// An image as bytes.
  struct Picture: Sendable, Codable, Equatable {
    var pixels: Data
    var caption: String
  }
  /// A cluster: its representative, then some of its images.
  struct Cluster: Sendable, Codable, Equatable {
    var label: Int
    var pictures: [Picture]
  }
  /// An image, what it was converted into, and the representative of the nearest cluster of its class.
  struct Conversion: Sendable, Codable, Equatable {
    var label: Int
    /// The class that the baseline takes the converted image for.
    var given: Int
    /// The class that the judge takes it for, nil where there is no judge.
    var judged: Int?
    var input: Picture
    var output: Picture
    var target: Picture
  }
  /// Some of a class's images along two principal components of its features.
  struct Map: Sendable, Codable, Equatable {
    var label: Int
    var x: [Double]
    var y: [Double]
    var cluster: [Int]
    /// The positions of representatives among these.
    var representatives: [Int]
  }

  /// `[height, width, channels]`.
  var imageShape: Shape
  /// Which images are converted.
  var images: SeedDiagnostics.Images
  /// The first images of each class.
  var conversions: [Conversion]
  var clusters: [Cluster]
  var maps: [Map]

  /// Whether everything it points to is there.
  func fits(classes: Int) -> Bool {
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
