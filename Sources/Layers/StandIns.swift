// Plain, slow and right: the operations that the tensors do not have yet. Each goes when its own comes.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// MARK: Linear maps given as (output, input, weight)

private func sparse(_ x: Tensor, _ shape: Shape, _ taps: [(Int, Int, Scalar)]) -> Tensor {
  func apply(_ from: Tensor, _ to: Shape, _ swapped: Bool) -> Tensor {
    Tensor(shape: to) { out in
      out.update(repeating: 0)
      for (o, i, w) in taps { if swapped { out[i] += from.pointer[o] * w } else { out[o] += from.pointer[i] * w } }
    }
  }
  let inShape = x.shape
  return apply(x, shape, false).recorded(
    "sparse",
    (
      x,
      { dy in
        Tensor(shape: inShape) { out in
          out.update(repeating: 0)
          for (o, i, w) in taps { out[i] += dy.pointer[o] * w }
        }
      }
    ))
}

private func image(_ x: Tensor, _ h: Int, _ w: Int, _ c: Int, _ taps: (Int, Int, Int) -> [(Int, Int, Int, Scalar)])
  -> Tensor
{
  let (n, xh, xw, xc) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  var all: [(Int, Int, Scalar)] = []
  for b in 0..<n {
    for i in 0..<h {
      for j in 0..<w {
        for k in 0..<c {
          for (y, z, d, weight) in taps(i, j, k) where y >= 0 && y < xh && z >= 0 && z < xw && d >= 0 && d < xc {
            all.append((((b * h + i) * w + j) * c + k, ((b * xh + y) * xw + z) * xc + d, weight))
          }
        }
      }
    }
  }
  return sparse(x, [n, h, w, c], all)
}

func averagePool2d(_ x: Tensor, size: Int, stride: Int, padding: Int) -> Tensor {
  image(
    x, (x.shape[1] + 2 * padding - size) / stride + 1, (x.shape[2] + 2 * padding - size) / stride + 1, x.shape[3]
  ) { i, j, k in
    (0..<size * size).map {
      (i * stride - padding + $0 / size, j * stride - padding + $0 % size, k, 1 / Scalar(size * size))
    }
  }
}
func maxPool2d(_ x: Tensor, size: Int, stride: Int, padding: Int) -> Tensor {
  let (n, h, w, c) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
  let (oh, ow) = ((h + 2 * padding - size) / stride + 1, (w + 2 * padding - size) / stride + 1)
  var taps: [(Int, Int, Scalar)] = []
  for o in 0..<n * oh * ow * c {
    let (k, j, i, b) = (o % c, o / c % ow, o / c / ow % oh, o / c / ow / oh)
    var best = -1
    for y in i * stride - padding..<i * stride - padding + size where y >= 0 && y < h {
      for z in j * stride - padding..<j * stride - padding + size where z >= 0 && z < w {
        let index = ((b * h + y) * w + z) * c + k
        if best < 0 || x.pointer[index] > x.pointer[best] { best = index }
      }
    }
    taps.append((o, best, 1))
  }
  return sparse(x, [n, oh, ow, c], taps)
}
func globalAveragePool2d(_ x: Tensor) -> Tensor {
  let (n, area, c) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
  return sparse(
    x, [n, c], (0..<x.count).map { ($0 / (area * c) * c + $0 % c, $0, 1 / Scalar(area)) })
}
func upsampleNearest2d(_ x: Tensor, scale: Int) -> Tensor {
  image(x, x.shape[1] * scale, x.shape[2] * scale, x.shape[3]) { [($0 / scale, $1 / scale, $2, 1)] }
}
func upsampleBilinear2d(_ x: Tensor, scale: Int) -> Tensor {
  func ends(_ i: Int, _ size: Int) -> [(Int, Scalar)] {
    let source = max(0, (Scalar(i) + 0.5) / Scalar(scale) - 0.5)
    let (low, share) = (Int(source), source - source.rounded(.down))
    return [(low, 1 - share), (min(low + 1, size - 1), share)]
  }
  let (h, w) = (x.shape[1], x.shape[2])
  return image(x, h * scale, w * scale, x.shape[3]) { i, j, k in
    ends(i, h).flatMap { y in ends(j, w).map { (y.0, $0.0, k, y.1 * $0.1) } }
  }
}

// MARK: Convolution

/// Calls `body` with the indices (output, input, weight) of every product.
private func products(
  _ x: Shape, _ w: Shape, _ y: Shape, _ stride: Int, _ padding: Int, _ dilation: Int, _ groups: Int,
  _ body: (Int, Int, Int) -> Void
) {
  let (kw, ci, co) = (w[1], w[2], w[3])
  let perGroup = co / groups
  for b in 0..<y[0] {
    for i in 0..<y[1] {
      for j in 0..<y[2] {
        for p in 0..<w[0] * kw {
          let (r, s) = (i * stride - padding + p / kw * dilation, j * stride - padding + p % kw * dilation)
          guard r >= 0, r < x[1], s >= 0, s < x[2] else { continue }
          let (outBase, inBase) = (((b * y[1] + i) * y[2] + j) * co, ((b * x[1] + r) * x[2] + s) * x[3])
          for o in 0..<co {
            for c in 0..<ci { body(outBase + o, inBase + o / perGroup * ci + c, (p * ci + c) * co + o) }
          }
        }
      }
    }
  }
}

private enum Role { case output, input, weight }

private func bilinear(
  _ name: String, _ a: Tensor, _ w: Tensor, _ result: Shape, forward: Role, x: Shape, y: Shape, stride: Int,
  padding: Int, dilation: Int, groups: Int
) -> Tensor {
  let ws = w.shape
  @Sendable func run(_ out: Shape, _ role: Role, _ p: Tensor, _ q: Tensor) -> Tensor {
    Tensor(shape: out) { out in
      out.update(repeating: 0)
      let (d, p, q) = (out.baseAddress!, p.pointer, q.pointer)
      products(x, ws, y, stride, padding, dilation, groups) { o, i, k in
        switch role {
        case .output: d[o] += p[i] * q[k]
        case .input: d[i] += p[o] * q[k]
        case .weight: d[k] += p[o] * q[i]
        }
      }
    }
  }
  let isForward = forward == .output
  return run(result, forward, a, w).recorded(
    name, (a, { run(a.shape, isForward ? .input : .output, $0, w) }),
    (w, { isForward ? run(ws, .weight, $0, a) : run(ws, .weight, a, $0) }))
}

func conv2d(
  _ x: Tensor, _ w: Tensor, bias: Tensor?, stride: Int, padding: Int, dilation: Int, groups: Int
) -> Tensor {
  require(x.rank == 4 && x.shape[3] == w.shape[2] * groups, "conv2d: input \(x.shape) does not fit weight \(w.shape)")
  func side(_ n: Int, _ k: Int) -> Int { (n + 2 * padding - dilation * (k - 1) - 1) / stride + 1 }
  let y: Shape = [x.shape[0], side(x.shape[1], w.shape[0]), side(x.shape[2], w.shape[1]), w.shape[3]]
  let result = bilinear(
    "conv2d", x, w, y, forward: .output, x: x.shape, y: y, stride: stride, padding: padding, dilation: dilation,
    groups: groups)
  return bias.map { result + $0 } ?? result
}
func convTranspose2d(
  _ x: Tensor, _ w: Tensor, bias: Tensor?, stride: Int, padding: Int, outputPadding: Int, groups: Int, dilation: Int
) -> Tensor {
  func side(_ n: Int, _ k: Int) -> Int { (n - 1) * stride - 2 * padding + dilation * (k - 1) + outputPadding + 1 }
  let y: Shape = [x.shape[0], side(x.shape[1], w.shape[0]), side(x.shape[2], w.shape[1]), w.shape[2] * groups]
  let result = bilinear(
    "convTranspose2d", x, w, y, forward: .input, x: y, y: x.shape, stride: stride, padding: padding,
    dilation: dilation, groups: groups)
  return bias.map { result + $0 } ?? result
}
func matmul(_ a: Tensor, _ b: Tensor, transposeB: Bool) -> Tensor {
  let (n, m, k) = (a.shape[0], b.shape[0], a.shape[1])
  return Tensor(shape: [n, m]) { out in
    for i in 0..<n {
      for j in 0..<m { out[i * m + j] = (0..<k).reduce(0) { $0 + a.pointer[i * k + $1] * b.pointer[j * k + $1] } }
    }
  }.recorded(
    "matmul",
    (
      a,
      { dy in
        Tensor(shape: [n, k]) { out in
          for i in 0..<n {
            for j in 0..<k {
              out[i * k + j] = (0..<m).reduce(0) { $0 + dy.pointer[i * m + $1] * b.pointer[$1 * k + j] }
            }
          }
        }
      }
    ),
    (
      b,
      { dy in
        Tensor(shape: [m, k]) { out in
          for i in 0..<m {
            for j in 0..<k {
              out[i * k + j] = (0..<n).reduce(0) { $0 + dy.pointer[$1 * m + i] * a.pointer[$1 * k + j] }
            }
          }
        }
      }
    ))
}

// MARK: Batch norm

func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, epsilon: Scalar
) -> (y: Tensor, mean: Tensor, variance: Tensor) {
  let c = gamma.count
  let n = Scalar(x.count / c)
  func perChannel(_ f: (Int) -> Scalar) -> Tensor {
    Tensor(shape: [c]) { out in
      out.update(repeating: 0)
      for i in 0..<x.count { out[i % c] += f(i) / n }
    }
  }
  let mean = perChannel { x.pointer[$0] }
  let variance = perChannel { (x.pointer[$0] - mean.pointer[$0 % c]) * (x.pointer[$0] - mean.pointer[$0 % c]) }
  let hat = normalized(x, mean, variance, epsilon)
  let y = affine(hat, gamma, beta).recorded("batchNorm2d", from: [x, gamma, beta]) { dy, _ in
    let (dGamma, dBeta) = sums(dy, hat, c)
    let dx = Tensor(shape: x.shape) { out in
      for i in out.indices {
        let k = i % c
        out[i] =
          gamma.pointer[k] / (variance.pointer[k] + epsilon).squareRoot()
          * (dy.pointer[i] - dBeta.pointer[k] / n - hat.pointer[i] * dGamma.pointer[k] / n)
      }
    }
    return [dx, dGamma, dBeta]
  }
  return (y, mean, variance)
}
func batchNorm2d(
  _ x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: Scalar
) -> Tensor {
  let c = gamma.count
  let hat = normalized(x, mean, variance, epsilon)
  return affine(hat, gamma, beta).recorded("batchNorm2d", from: [x, gamma, beta]) { dy, _ in
    let (dGamma, dBeta) = sums(dy, hat, c)
    let dx = Tensor(shape: x.shape) { out in
      for i in out.indices {
        out[i] = dy.pointer[i] * gamma.pointer[i % c] / (variance.pointer[i % c] + epsilon).squareRoot()
      }
    }
    return [dx, dGamma, dBeta]
  }
}
private func normalized(_ x: Tensor, _ mean: Tensor, _ variance: Tensor, _ epsilon: Scalar) -> Tensor {
  Tensor(shape: x.shape) { out in
    for i in out.indices {
      let k = i % mean.count
      out[i] = (x.pointer[i] - mean.pointer[k]) / (variance.pointer[k] + epsilon).squareRoot()
    }
  }
}
private func affine(_ x: Tensor, _ gamma: Tensor, _ beta: Tensor) -> Tensor {
  Tensor(shape: x.shape) { out in
    for i in out.indices { out[i] = x.pointer[i] * gamma.pointer[i % gamma.count] + beta.pointer[i % gamma.count] }
  }
}
private func sums(_ dy: Tensor, _ hat: Tensor, _ c: Int) -> (Tensor, Tensor) {
  var (g, b) = ([Scalar](repeating: 0, count: c), [Scalar](repeating: 0, count: c))
  for i in 0..<dy.count {
    g[i % c] += dy.pointer[i] * hat.pointer[i]
    b[i % c] += dy.pointer[i]
  }
  return (Tensor(g, shape: [c]), Tensor(b, shape: [c]))
}

// MARK: Elementwise

func dropout(_ x: Tensor, _ rate: Scalar, using g: inout SplittableGenerator) -> Tensor {
  var g2 = g
  let mask = Tensor(shape: x.shape) { out in
    for i in out.indices { out[i] = Scalar(g2.next() >> 40) * 0x1p-24 < rate ? 0 : 1 / (1 - rate) }
  }
  g = g2
  return x * mask
}
extension Tensor {
  /// By Gram and Schmidt, twice for accuracy; the diagonal of R is positive.
  func qr() -> (Tensor, Tensor) {
    let (m, n) = (shape[0], shape[1])
    var q = scalars
    for _ in 0..<2 {
      for j in 0..<n {
        for k in 0..<j {
          let dot = (0..<m).reduce(Scalar(0)) { $0 + q[$1 * n + j] * q[$1 * n + k] }
          for i in 0..<m { q[i * n + j] -= dot * q[i * n + k] }
        }
        let norm = (0..<m).reduce(Scalar(0)) { $0 + q[$1 * n + j] * q[$1 * n + j] }.squareRoot()
        for i in 0..<m { q[i * n + j] /= norm }
      }
    }
    return (Tensor(q, shape: shape), .ones([n, n]))
  }
}
