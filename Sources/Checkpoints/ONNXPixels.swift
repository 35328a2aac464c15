import Layers

/// What makes images of bytes and of any size ready for a network.
extension ONNXGraph {
  /// Adds the normalisation of floats `[batch, channels, height, width]`: subtract the mean, divide by the standard deviation.
  mutating func normalized(_ x: String, _ mean: [Double], _ deviation: [Double]) -> String {
    let centred = node("Sub", [x, constant(perChannel(mean))])
    return node("Div", [centred, constant(perChannel(deviation))])
  }

  /// Adds the normalisation of bytes `[batch, channels, height, width]`, to the bit as `Batches` has it: byte · scale + shift.
  mutating func normalized(bytes x: String, _ mean: [Double], _ deviation: [Double]) -> String {
    let scales = deviation.isEmpty ? [1.0 / 255] : deviation.map { 1 / (255 * $0) }
    let shifts = zip(mean, deviation).map { -$0 / $1 }
    let scaled = node("Mul", [cast(x, .float), constant(perChannel(scales))])
    return shifts.isEmpty ? scaled : node("Add", [scaled, constant(perChannel(shifts))])
  }

  private func perChannel(_ values: [Double]) -> Tensor {
    Tensor(values.map { Scalar($0) }, shape: [values.count, 1, 1])
  }

  /// Adds the scaling of bytes `[batch, height, width, 3]` to `[batch, channels, height, width]` of `shape`, which is
  /// `[height, width, channels]`.
  mutating func scaled(_ images: String, _ fit: ONNX.Fit, to shape: Shape) -> String {
    let extents = node("Shape", [images])
    let batch = node("Gather", [extents, constant([0])])
    let (height, width) = (node("Gather", [extents, constant([1])]), node("Gather", [extents, constant([2])]))
    let x = node("Transpose", [images], [("perm", .integers([0, 3, 1, 2]))])
    let (rows, columns) = sides(fit, height, width, of: shape)
    let sizes = node("Concat", [batch, constant([3]), rows, columns], [("axis", .integer(0))])
    // The widened triangle of Pillow: what lies outside of the image does not count.
    var y = node(
      "Resize", [x, "", "", sizes],
      [
        ("mode", .text("linear")), ("antialias", .integer(1)), ("exclude_outside", .integer(1)),
        ("coordinate_transformation_mode", .text("half_pixel")),
      ])
    switch fit {
    case .stretch: break
    case .resize:
      let scaled = node("Concat", [rows, columns], [("axis", .integer(0))])
      let start = half(node("Sub", [scaled, constant([shape[0], shape[1]])]))
      let end = node("Add", [start, constant([shape[0], shape[1]])])
      y = node("Slice", [y, start, end, constant([2, 3])])
    case .pad:
      let scaled = node("Concat", [rows, columns], [("axis", .integer(0))])
      let missing = node("Sub", [constant([shape[0], shape[1]]), scaled])
      let before = half(missing)
      let after = node("Sub", [missing, before])
      let none = constant([0, 0])
      y = node("Pad", [y, node("Concat", [none, before, none, after], [("axis", .integer(0))])])
    }
    if shape[2] == 1 { y = grey(y) }
    // The sizes that the network counts on.
    return node("Reshape", [y, constant([-1, shape[2], shape[0], shape[1]])])
  }

  /// The height and width of the whole image, scaled, as `ImagePreparation` finds them.
  private mutating func sides(
    _ fit: ONNX.Fit, _ height: String, _ width: String, of shape: Shape
  ) -> (rows: String, columns: String) {
    let wanted = (height: constant([shape[0]]), width: constant([shape[1]]))
    switch fit {
    case .stretch: return (wanted.height, wanted.width)
    case .resize:
      // In whole numbers: each side covers its own, and one of them the other's share.
      let rows = node("Div", [node("Mul", [wanted.width, height]), width])
      let columns = node("Div", [node("Mul", [wanted.height, width]), height])
      return (node("Max", [wanted.height, rows]), node("Max", [wanted.width, columns]))
    case .pad:
      return (
        share(of: wanted.width, height, width, atMost: wanted.height),
        share(of: wanted.height, width, height, atMost: wanted.width)
      )
    }
  }

  /// `side · a / b`, rounded to whole numbers, at least 1.
  private mutating func share(of side: String, _ a: String, _ b: String, atMost limit: String) -> String {
    let ratio = node("Div", [cast(a, .double), cast(b, .double)])
    let rounded = cast(node("Round", [node("Mul", [ratio, cast(side, .double)])]), .int64)
    return node("Min", [limit, node("Max", [constant([1]), rounded])])
  }

  /// Half of whole numbers, halves to even.
  private mutating func half(_ x: String) -> String {
    let half = [0.5].withUnsafeBytes { Array($0) }
    return cast(node("Round", [node("Mul", [cast(x, .double), constant([], .double, half)])]), .int64)
  }

  /// One channel of bytes out of three, by Rec. 601 in whole numbers.
  private mutating func grey(_ x: String) -> String {
    func integers(_ values: [Int32], _ shape: [Int]) -> String {
      constant(shape, .int32, values.map(\.littleEndian).withUnsafeBytes { Array($0) })
    }
    let weighted = node("Mul", [cast(x, .int32), integers([299, 587, 114], [3, 1, 1])])
    let sum = node("ReduceSum", [weighted, constant([1])], [("keepdims", .integer(1))])
    return node("Div", [node("Add", [sum, integers([500], [])]), integers([1000], [])])
  }

  private mutating func cast(_ x: String, _ type: ElementType) -> String {
    node("Cast", [x], [("to", .integer(type.rawValue))])
  }
}
