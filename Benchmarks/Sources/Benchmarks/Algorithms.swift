import EncodeNet
import Foundation

/// The table that chooses an algorithm for a convolution, what it chooses for the layers here, and what it is made of: how much
/// longer the definition takes than Winograd's filtering on small images, in turns.
func printAlgorithms() {
  print("The first of these rules that fits decides, else the definition does:")
  for rule in Computation.convolutionRules { print("  \(rule)") }
  print("")
  for one in Case.convolutions {
    guard case .convolution(let layer, .forward) = one, layer.allowsWinograd, !layer.isTransposed else { continue }
    let algorithm = Computation.convolutionAlgorithm(
      images: [128, layer.side, layer.side, layer.inputs],
      weight: [layer.kernel, layer.kernel, layer.inputs, layer.outputs], stride: layer.stride, padding: layer.kernel / 2
    )
    print("\(one.name.padding(toLength: 56, withPad: " ", startingAt: 0))\(algorithm.rawValue)")
  }
  let channels = [16, 64, 256]
  print(
    "\nTime of direct ÷ winograd4x4, 3×3 forward, 128 images; channels \(channels.map(String.init).joined(separator: ", ")):"
  )
  let rules = Computation.convolutionRules
  defer { Computation.convolutionRules = rules }
  for side in 2...8 {
    let ratios = channels.map { channels in
      var generator = SplittableGenerator(seed: 1)
      let x = Tensor.normal([128, side, side, channels], using: &generator)
      let w = Tensor.normal([3, 3, channels, channels], using: &generator)
      let pairs = (0..<5).map { _ in
        [[], [ConvolutionRule(.winograd4x4)]].map { rules in
          Computation.convolutionRules = rules
          return Timing(seconds: 0.05) { _ = conv2d(x, w, padding: 1) }.median
        }
      }
      return pairs.map { $0[0] / $0[1] }.sorted()[2]
    }
    print("  \(side)×\(side)  " + ratios.map { String(format: "%.2f", $0) }.joined(separator: "  "))
  }
}
