import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// That Python opens what this library writes, and the other way round.
@Suite(
  .enabled(if: Python.path != nil, "ENCODENET_PYTHON names no Python with numpy, onnxruntime, safetensors and torch"))
struct InteropTests {
  private static func networks() -> [(name: String, layer: any Layer, input: Shape)] {
    var g = SplittableGenerator(seed: 3)
    let image: Shape = [12, 10, 3]
    var networks: [(String, any Layer, Shape)] = [
      ("vgg", VGG16(classes: 5, inputShape: image, widthMultiplier: 0.1, using: &g), image),
      ("lenet", LeNet5(classes: 4, inputShape: [16, 16, 1], using: &g), [16, 16, 1]),
      ("mobilenet", MobileNetV2(classes: 4, inputShape: [32, 24, 3], widthMultiplier: 0.1, using: &g), [32, 24, 3]),
      ("alexnet", AlexNet(classes: 4, inputShape: [32, 32, 3], widthMultiplier: 0.1, using: &g), [32, 32, 3]),
    ]
    for variation in BlockVariation.allCases where variation != .asymmetricBranches {
      for shortcut in ResNet.Shortcut.allCases {
        networks.append(
          (
            "resnet-\(variation)-\(shortcut)",
            ResNet(depth: 8, classes: 3, inputShape: image, shortcut: shortcut, variation: variation, using: &g), image
          ))
      }
    }
    for depth in ImageNetResNet.Depth.allCases {
      for variation in [BlockVariation.plain, .squeezeExcitation] {
        networks.append(
          (
            "imagenet-resnet\(depth.rawValue)-\(variation)",
            ImageNetResNet(
              depth: depth, classes: 3, inputShape: [40, 36, 3], widthMultiplier: 0.1, variation: variation, using: &g),
            [40, 36, 3]
          ))
      }
    }
    for split in ["layer3", "pool"] {
      let model = ResNet(depth: 8, classes: 3, inputShape: image, using: &g)
      let encoder = model.split(at: split).features
      networks.append(
        (
          "gcae-\(split)",
          Sequential([encoder, Decoder(encoder: encoder, view: .pooled, imageShape: image, using: &g)]), image
        ))
    }
    let mixed = Sequential([
      Conv2d(3, 4, kernelSize: 3, stride: 2, padding: 2, dilation: 2, using: &g), LeakyReLU(), Upsample(scale: 2),
      GELU(), ReLU6(),
      BatchNorm2d(4), AveragePool2d(2, padding: 1), SiLU(), Upsample(scale: 3, mode: .bilinear), Tanh(),
      Conv2d(4, 6, kernelSize: 1, groups: 2, using: &g), Residual(Sequential([BatchNorm2d(6), Sigmoid()])),
      Dropout(seed: 1),
      ConvTranspose2d(6, 4, kernelSize: 2, stride: 2, groups: 2, using: &g), MaxPool2d(3, stride: 2, padding: 1),
      Flatten(),
    ])
    return networks + [("mixed", mixed, image)]
  }

  @Test func onnxRuntimeGivesOurOutputs() throws {
    var g = SplittableGenerator(seed: 4)
    try withFolder { folder in
      for (name, layer, shape) in Self.networks() {
        // Running statistics that are not those of the beginning.
        for _ in 0..<2 { _ = layer(.normal(Shape([4] + shape.dimensions), using: &g) + 0.5) }
        let x = Tensor.uniform(Shape([3] + shape.dimensions), using: &g)
        let channels = (0..<shape[2]).map { 0.3 + 0.1 * Double($0) }
        try ONNX.save(
          layer, imageShape: shape, mean: channels, deviation: channels,
          to: folder.appendingPathComponent("\(name).onnx"))
        let scale = Tensor(channels.map { Scalar($0) }, shape: [shape[2]])
        let y = layer.evaluating { layer((x - scale) / scale) }
        func nchw(_ t: Tensor) -> Tensor { t.rank == 4 ? t.permuted([0, 3, 1, 2]) : t }
        try NumPy.save(["x": nchw(x), "y": nchw(y)], to: folder.appendingPathComponent("\(name).npz"))
      }
      try Python.run(
        """
        import glob, numpy, onnxruntime
        files = sorted(glob.glob("*.onnx"))
        assert len(files) == \(Self.networks().count), files
        for file in files:
            case = numpy.load(file[:-4] + "npz")
            y = onnxruntime.InferenceSession(file).run(None, {"images": case["x"].astype("f4")})[0]
            assert y.shape == case["y"].shape, (file, y.shape, case["y"].shape)
            worst = abs(y - case["y"]).max() / max(1, abs(case["y"]).max())
            assert worst < 1e-5, (file, worst)
        """, in: folder)
    }
  }

  private static func ownClasses() -> [(name: String, layer: any Layer, input: Shape)] {
    var g = SplittableGenerator(seed: 6)
    let image: Shape = [6, 5, 4]
    return [
      ("own", OwnNetwork(using: &g), image),
      ("own-inside", Sequential([OwnNetwork(using: &g), Linear(3, 2, using: &g)]), image),
      ("adaptive", Sequential([AdaptiveAveragePool2d(4, 3), AdaptiveMaxPool2d(3, 2)]), image),
      (
        "resize", Sequential([Resize(height: 9, width: 3), Resize(height: 4, width: 8, interpolation: .nearest)]), image
      ),
      (
        "pools",
        Sequential([
          MaxPool2d(2, stride: 2, ceilMode: true), AveragePool2d(2, stride: 2, padding: 1, ceilMode: true),
          GroupNorm(2, 4),
          LayerNorm(4), Linear(4, 3, using: &g),
        ]), image
      ),
      (
        "margins",
        Sequential([
          Conv2d(4, 3, kernelSize: (2, 3), padding: .same, using: &g),
          Conv2d(3, 2, kernelSize: 3, padding: .reflect(height: 2, width: 1), using: &g), BatchNorm2d(2),
          ConvTranspose2d(2, 2, kernelSize: (1, 2), using: &g),
        ]), image
      ),
      (
        "tokens",
        Sequential([
          Embedding(3, 8, using: &g), Residual(MultiHeadAttention(8, heads: 2, isCausal: true, using: &g)),
          LayerNorm(8),
          Residual(Sequential([Linear(8, 16, using: &g), GELU(), Linear(16, 8, bias: false, using: &g)])), Flatten(),
          GroupNorm(4, 40), Linear(40, 3, using: &g),
        ]), [5]
      ),
      ("tokens-own", OwnTokens(using: &g), [5]),
    ]
  }

  @Test func onnxRuntimeRunsSequencesAndClassesOfOnesOwn() throws {
    var g = SplittableGenerator(seed: 4)
    try withFolder { folder in
      for (name, layer, shape) in Self.ownClasses() {
        let x = (Tensor.uniform(Shape([3] + shape.dimensions), using: &g) * 3)
        let input = name.hasPrefix("tokens") ? floor(x) : x
        for _ in 0..<2 { _ = layer(input) }
        try ONNX.save(layer, imageShape: shape, to: folder.appendingPathComponent("\(name).onnx"))
        let y = layer.evaluating { layer(input) }
        func nchw(_ t: Tensor) -> Tensor { t.rank == 4 ? t.permuted([0, 3, 1, 2]) : t }
        try NumPy.save(["x": nchw(input), "y": nchw(y)], to: folder.appendingPathComponent("\(name).npz"))
      }
      try Python.run(
        """
        import glob, numpy, onnx, onnxruntime
        files = sorted(glob.glob("*.onnx"))
        assert len(files) == \(Self.ownClasses().count), files
        for file in files:
            onnx.checker.check_model(file)
            case = numpy.load(file[:-4] + "npz")
            y = onnxruntime.InferenceSession(file).run(None, {"images": case["x"].astype("f4")})[0]
            assert y.shape == case["y"].shape, (file, y.shape, case["y"].shape)
            worst = abs(y - case["y"]).max() / max(1, abs(case["y"]).max())
            assert worst < 1e-5, (file, worst)
        nodes = [node.op_type for node in onnx.load("own.onnx").graph.node]
        assert "BatchNormalization" in nodes and nodes.count("Conv") == 3, nodes
        """, in: folder)
    }
  }

  @Test func pyTorchLoadsTheStateOfLayersOfSequences() throws {
    var g = SplittableGenerator(seed: 8)
    func layers() -> Sequential {
      Sequential {
        Embedding(7, 6, using: &g)
        MultiHeadAttention(6, heads: 2, using: &g)
        LayerNorm(6)
        Linear(6, 4, using: &g)
        GroupNorm(2, 4)
        Conv2d(4, 3, kernelSize: (1, 3), padding: .same, using: &g)
      }
    }
    let model = layers()
    try withFolder { folder in
      try model.save(to: folder.appendingPathComponent("ours.safetensors"))
      try Python.run(
        """
        import safetensors.torch, torch
        from torch import nn
        state = safetensors.torch.load_file("ours.safetensors")
        model = nn.Sequential(nn.Embedding(7, 6), nn.MultiheadAttention(6, 2), nn.LayerNorm(6), nn.Linear(6, 4),
                              nn.GroupNorm(2, 4), nn.Conv2d(4, 3, (1, 3), padding="same")).to(next(iter(state.values())).dtype)
        model.load_state_dict(state)
        torch.save(model.state_dict(), "theirs.pt")
        """, in: folder)
      let other = layers()
      try other.load(from: folder.appendingPathComponent("theirs.pt"))
      #expect(other.parameters.map(\.wrappedValue.scalars) == model.parameters.map(\.wrappedValue.scalars))
    }
  }

  @Test func safetensorsAndNumPyGoBothWays() throws {
    var g = SplittableGenerator(seed: 5)
    let model = ResNet(depth: 8, classes: 3, inputShape: [8, 8, 3], using: &g)
    try withFolder { folder in
      try model.save(to: folder.appendingPathComponent("ours.safetensors"), metadata: ["a": "b"])
      try NumPy.save(model.stateDictionary, to: folder.appendingPathComponent("ours.npz"))
      try Python.run(
        """
        import numpy, safetensors.torch, torch
        state = safetensors.torch.load_file("ours.safetensors")
        other = numpy.load("ours.npz")
        assert set(state) == set(other.files)
        for name in state: assert (state[name].numpy() == other[name]).all(), name
        # What PyTorch makes of it, with PyTorch's order of axes.
        conv = torch.nn.Conv2d(3, 16, 3, padding=1, bias=False, dtype=state["conv1.weight"].dtype)
        conv.load_state_dict({"weight": state["conv1.weight"]})
        safetensors.torch.save_file({k: v + 1 for k, v in state.items()}, "theirs.safetensors", {"format": "pt"})
        torch.save({"state_dict": {"module." + k: v + 1 for k, v in state.items()}}, "theirs.pt")
        numpy.savez_compressed("theirs.npz", **{k: v.numpy() + 1 for k, v in state.items()})
        """, in: folder)
      let wanted = model.stateDictionary.mapValues { ($0 + 1).scalars }
      for file in ["theirs.safetensors", "theirs.pt", "theirs.npz"] {
        #expect(try loadState(from: folder.appendingPathComponent(file)).mapValues(\.scalars) == wanted, "\(file)")
      }
    }
  }
}

/// A class of one's own for sequences.
private final class OwnTokens: Layer {
  let table: Embedding
  let attention: MultiHeadAttention
  let head: Linear
  init(using g: inout SplittableGenerator) {
    table = Embedding(3, 8, using: &g)
    attention = MultiHeadAttention(8, heads: 2, using: &g)
    head = Linear(40, 3, using: &g)
  }
  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = table(x)
    return head((y + attention(y)).reshaped(to: [x.shape[0], 40]))
  }
}

/// A class of one's own with branches, a sum, parameters and functions.
private final class OwnNetwork: Layer {
  let conv: Conv2d
  let norm = BatchNorm2d(4)
  let branch: Conv2d
  let narrow: Conv2d
  let shared = BatchNorm2d(4)
  let head: Linear
  @Parameter var scale = Tensor([0.5, 1, 2, 3], shape: [4])

  init(using g: inout SplittableGenerator) {
    conv = Conv2d(4, 4, kernelSize: 3, padding: 1, bias: false, using: &g)
    branch = Conv2d(4, 4, kernelSize: 1, using: &g)
    narrow = Conv2d(8, 4, kernelSize: (3, 1), padding: .same, using: &g)
    head = Linear(8, 3, using: &g)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = norm(conv(x), adding: x, then: ReLU())
    let b = branch(y)
    // A convolution with another use than the batch norm after it.
    let joined = Tensor.concatenated([shared(b), sigmoid(b) * scale - 0.5], axis: 3)
    let z = relu(narrow(joined)) + y / 2
    let pooled = Tensor.concatenated([globalAveragePool2d(z), z.sum(alongAxes: [1, 2])], axis: 1)
    return head(pooled)
  }
}
