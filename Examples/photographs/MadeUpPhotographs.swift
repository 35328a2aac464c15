import Foundation
import Reports

/// Writes small pictures of several sizes, in two formats, into a folder for each class, as photographs would lie there.
func madeUpPhotographs() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("encodenet-photographs/images")
  var generator = SplittableGenerator(seed: 1)
  for (name, ground) in [("meadows", [70, 150, 60]), ("seas", [40, 90, 160]), ("sunsets", [90, 50, 40])] {
    let inside = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
    for index in 0..<24 {
      let (height, width) = (Int.random(in: 18...60, using: &generator), Int.random(in: 18...60, using: &generator))
      let horizon = Int.random(in: height / 4...height / 2, using: &generator)
      let sky = name == "sunsets" ? [240, 140, 60] : [150, 190, 240]
      let pixels = (0..<height * width * 3).map { place -> UInt8 in
        let value = (place / 3 / width < horizon ? sky : ground)[place % 3]
        return UInt8(max(0, min(255, value + Int.random(in: -30...30, using: &generator))))
      }
      let image = DecodedImage(pixels: pixels, shape: [height, width, 3])
      let isPNG = index % 3 > 0
      let bytes = isPNG ? image.png() : Array("P6 \(width) \(height) 255\n".utf8) + pixels
      try Data(bytes).write(to: inside.appendingPathComponent("\(index).\(isPNG ? "png" : "ppm")"))
    }
  }
  return folder
}
