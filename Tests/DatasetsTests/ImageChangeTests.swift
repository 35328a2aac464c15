import TestSupport
import Testing

@testable import Datasets

/// Changes with fixed parameters against those of Pillow, which `Scripts/fixtures_torchvision.py` keeps.
struct ImageChangeTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      let name: String
      let channels: Int
      let values: [Double]
      let pixels: [UInt8]
    }
    let height: Int
    let width: Int
    let fill: [UInt8]
    let images: [String: [UInt8]]
    let cases: [Case]
  }

  /// `image` after `changes`.
  static func changed(_ image: [UInt8], _ shape: Shape, by changes: [ImageChange], colour: [UInt8]) -> [UInt8] {
    let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * image.count)
    defer { scratch.deallocate() }
    var (result, workspace) = (scratch, scratch + image.count)
    result.update(from: image, count: image.count)
    for change in changes { change.apply(to: &result, workspace: &workspace, shape: shape, colour: colour) }
    return Array(UnsafeBufferPointer(start: result, count: image.count))
  }

  private func change(_ name: String, _ v: [Double]) throws -> [ImageChange] {
    switch name {
    case "identity": []
    case "resizedCrop":
      [.enlarge(rows: Int(v[0])..<Int(v[0] + v[2]), columns: Int(v[1])..<Int(v[1] + v[3]))]
    case "brightness": [.brightness(v[0])]
    case "contrast": [.contrast(v[0])]
    case "saturation": [.saturation(v[0])]
    case "sharpness": [.sharpness(v[0])]
    case "hue": [.hue(v[0])]
    case "posterize": [.posterize(bits: Int(v[0]))]
    case "solarize": [.solarize(from: v[0])]
    case "autoContrast": [.autoContrast]
    case "equalize": [.equalize]
    case "shearX": [.shear(slope: v[0], isDown: false)]
    case "shearY": [.shear(slope: v[0], isDown: true)]
    case "rotate": [.rotate(degrees: v[0])]
    case "translate": [.move(right: Int(v[0]), down: Int(v[1]))]
    default: try #require(nil, "no change for the fixture '\(name)'")
    }
  }

  @Test func everyChangeIsPillows() throws {
    let fixture: Fixture = try fixture("changes", in: .module)
    #expect(fixture.cases.count == 76)
    for c in fixture.cases {
      let image = try #require(fixture.images["\(c.channels)"])
      let shape: Shape = [fixture.height, fixture.width, c.channels]
      let found = Self.changed(
        image, shape, by: try change(c.name, c.values), colour: Array(fixture.fill.prefix(c.channels)))
      let differences = zip(found, c.pixels).map { abs(Int($0) - Int($1)) }
      // Pillow rounds a resized image after each axis, and in hue's case torchvision's arithmetic on tensors is compared.
      let tolerance = ["resizedCrop", "hue"].contains(c.name) ? 1 : 0
      #expect(
        differences.allSatisfy { $0 <= tolerance },
        "\(c.name) \(c.values), \(c.channels) channels: \(differences.count { $0 > tolerance }) bytes differ, by up to \(differences.max()!)"
      )
    }
  }

  @Test func aCropOfTheWholeImageIsTheImage() {
    let image = (0..<60).map { UInt8($0 * 4) }
    for shape: Shape in [[5, 4, 3], [1, 20, 3], [60, 1, 1], [4, 3, 5]] {
      let whole = ImageChange.enlarge(rows: 0..<shape[0], columns: 0..<shape[1])
      let black = [UInt8](repeating: 0, count: shape[2])
      #expect(Self.changed(image, shape, by: [whole], colour: black) == image)
    }
  }

  @Test func changesOfColourLeaveImagesThatAreNotOfThreeChannels() {
    let image = (0..<60).map { UInt8($0 * 4) }
    for channels in [1, 4, 5] {
      #expect(
        Self.changed(
          image, [60 / channels, 1, channels], by: [.saturation(0), .hue(0.3)],
          colour: [UInt8](repeating: 0, count: channels)) == image)
    }
  }

  @Test func flatAndTinyImagesPassEveryOperation() {
    for shape: Shape in [[1, 1, 1], [1, 1, 3], [2, 2, 3], [1, 9, 4]] {
      let image = [UInt8](repeating: 77, count: shape.count)
      for operation in AugmentationOperation.allCases {
        for (strength, sign) in [(0.0, 1.0), (1, 1), (1, -1)] {
          guard let change = operation.change(strength, sign: sign, .wide, shape[0], shape[1]) else { continue }
          let colour = [UInt8](repeating: 77, count: shape[2])
          let result = Self.changed(image, shape, by: [change], colour: colour)
          switch change {
          case .brightness, .posterize, .solarize: #expect(Set(result).count == 1, "\(change)")
          default: #expect(result == image, "\(change) of \(shape)")
          }
        }
      }
    }
  }
}
