/// A piece of work that is measured, described so that a peer can do the same.
enum Case: Encodable {
  /// Which of a layer's three products.
  enum Pass: String, Encodable, CaseIterable {
    case forward
    case backwardData = "backward-data"
    case backwardWeights = "backward-weights"
  }
  /// A convolution of square images; `side` is that of its input, `padding` half the kernel.
  struct Convolution: Encodable {
    var network: String
    var side: Int
    var inputs: Int
    var outputs: Int
    var kernel = 3
    var stride = 1
    /// The adjoint, which doubles the sides.
    var isTransposed = false
    /// Whether Winograd's filtering may serve.
    var allowsWinograd = true
    var images = 128
  }

  case matrixProduct(m: Int, n: Int, k: Int)
  case convolution(layer: Convolution, pass: Pass)
  /// Batch norm, perhaps a residual, and ReLU, of 128 square images.
  case batchNorm(side: Int, channels: Int, addsResidual: Bool, isBackward: Bool)
  /// A step on square images.
  case training(model: Model, batch: Int, side: Int = 32)
  /// Training on augmented images as they come from a data set.
  case epoch(model: Model, batch: Int)
  case inference(model: Model, batch: Int, side: Int = 32)
  /// Recording so many additions of one number, and walking them back.
  case tape(operations: Int)
  case clustering(images: Int, features: Int, clusters: Int)
  /// From JPEGs to batches for training, of which `side` is that of the images.
  case images(side: Int, count: Int, folder: String)
  /// A step of an optimizer on so many parameters.
  case update(optimizer: OptimizerKind, parameters: Int)
  /// One operation by itself.
  case operation(Operation)

  var name: String {
    switch self {
    case .matrixProduct(let m, let n, let k): "gemm \(m)x\(n)x\(k)"
    case .convolution(let c, let pass):
      (c.isTransposed ? "conv-transpose" : "conv") + "\(c.kernel)x\(c.kernel) \(c.network) "
        + "\(c.inputs)-\(c.outputs)@\(c.side)\(c.stride == 1 ? "" : " stride \(c.stride)") \(pass.rawValue)"
        + (c.allowsWinograd ? "" : " direct") + (c.images == 128 ? "" : " batch \(c.images)")
    case .batchNorm(let side, let channels, let addsResidual, let isBackward):
      "batch-norm-relu\(addsResidual ? "-residual" : "") \(channels)@\(side) \(isBackward ? "backward" : "forward")"
    case .training(let model, let batch, let side):
      model.title(side) + "-train" + (batch == 128 ? "" : "-batch\(batch)")
    case .epoch(let model, _): "\(model.rawValue)-epoch"
    case .inference(let model, let batch, let side): model.title(side) + "-infer-batch\(batch)"
    case .tape(let operations): "tape \(operations) operations"
    case .clustering(let images, let features, let clusters): "k-means \(images)x\(features) in \(clusters)"
    case .images(let side, _, _): "images \(side)"
    case .update(let optimizer, let parameters): "\(optimizer.rawValue)-step \(parameters) parameters"
    case .operation(let operation): operation.title
    }
  }

  /// What is counted while the work is done once.
  enum Amount {
    /// Of arithmetic, as the definition has them: Winograd's filtering may pass the machine's peak.
    case operations(Double)
    /// To and from memory at the least.
    case bytes(Double)
    case images(Int)
    case times(Int)
  }
  var amount: Amount {
    switch self {
    case .matrixProduct(let m, let n, let k): .operations(2 * Double(m) * Double(n) * Double(k))
    case .convolution(let c, _): .operations(c.operations)
    case .batchNorm(let side, let channels, let addsResidual, let isBackward):
      .bytes(Double(4 * 128 * side * side * channels * ((isBackward ? 5 : 3) + (addsResidual ? 1 : 0))))
    case .training(_, let batch, _), .inference(_, let batch, _): .images(batch)
    case .epoch(_, let batch): .images(batch * Model.epochSteps)
    case .tape(let operations): .times(operations)
    case .clustering(let images, _, _): .images(images)
    case .images(_, let count, _): .images(count)
    case .update(let optimizer, let parameters): .bytes(Double(4 * parameters * optimizer.accesses))
    case .operation(let operation): .bytes(operation.bytes)
    }
  }

  /// Sets the work up; what is returned does it once.
  func prepare() -> () -> Void {
    switch self {
    case .matrixProduct(let m, let n, let k): multiplying(m, n, k)
    case .convolution(let c, let pass): convolving(c, pass)
    case .batchNorm(let side, let channels, let addsResidual, let isBackward):
      normalizing(side, channels, addsResidual: addsResidual, isBackward: isBackward)
    case .training(let model, let batch, let side): model.training(batch: batch, side: side)
    case .epoch(let model, let batch): model.epoch(batch: batch)
    case .inference(let model, let batch, let side): model.inference(batch: batch, side: side)
    case .tape(let operations): recording(operations)
    case .clustering(let images, let features, let clusters): dividing(images, features, clusters)
    case .images(let side, let count, let folder): readingImages(side: side, count: count, folder: folder)
    case .update(let optimizer, let parameters): optimizer.updating(parameters)
    case .operation(let operation): operation.prepare()
    }
  }

  /// Everything that is measured, in the order of the report.
  static var sections: [(title: String, cases: [Case])] {
    [
      ("Matrix products, m × n × k", matrixProducts),
      ("Convolutions, batch 128: share of the peak as if by the definition", convolutions),
      ("Batch norm and ReLU, batch 128: share of the memory's rate", batchNorms),
      ("Whole models", models),
      ("Operations: share of the memory's rate", Operation.cases),
      ("Around them", around),
      ("Reading a folder of JPEGs", photographs),
    ]
  }
}
