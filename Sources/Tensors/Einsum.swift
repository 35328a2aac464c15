/// Sums products of elements over the indices that the output does not name, in Einstein's notation: NumPy's and PyTorch's
/// `einsum`.
///
/// ```swift
/// einsum("bij,bjk->bik", a, b)   // products of matrices
/// einsum("ii->i", a)             // a diagonal
/// einsum("...d,d->...", x, w)    // over the last axis of any shape
/// ```
/// Without `->` the output names the indices that come once, in alphabetical order. Factors are taken from the left to the
/// right, each pair as one product of matrices.
/// - Precondition: Each factor has an axis for each of its letters; one letter has one extent, or 1.
public func einsum(_ equation: String, _ factors: Tensor...) -> Tensor {
  let parsed = EinsumEquation(equation, ranks: factors.map(\.rank))
  var extents: [Character: Int] = [:]
  for (labels, factor) in zip(parsed.inputs, factors) {
    for (label, extent) in zip(labels, factor.shape.dimensions) {
      let known = extents[label] ?? 1
      require(
        known == 1 || extent == 1 || known == extent,
        "einsum: an index of '\(equation)' has both extents \(known) and \(extent), shapes \(factors.map(\.shape))")
      extents[label] = known == 1 ? extent : known
    }
  }
  var terms = zip(parsed.inputs, factors).map { labels, factor in
    EinsumTerm(factor.broadcast(to: Shape(labels.map { extents[$0]! })), labels).withDiagonals
  }
  var product = terms.removeFirst()
  while !terms.isEmpty {
    let next = terms.removeFirst()
    product = product.contracted(with: next, keeping: Set(parsed.output + terms.flatMap(\.labels)))
  }
  return product.arranged(as: parsed.output)
}

/// The indices of each factor and of the output.
private struct EinsumEquation {
  var inputs: [[Character]] = []
  var output: [Character] = []

  init(_ equation: String, ranks: [Int]) {
    let text = equation.filter { !$0.isWhitespace }
    let sides = text.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
    let isExplicit = sides.count == 2
    require(!isExplicit || sides[0].hasSuffix("-"), "einsum: '\(equation)' has a '>' that is no '->'")
    let left = isExplicit ? sides[0].dropLast() : sides[0]
    let operands = left.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    require(operands.count == ranks.count, "einsum: '\(equation)' has \(operands.count) factors, not \(ranks.count)")
    var free = 0
    for (operand, rank) in zip(operands, ranks) {
      let letters = operand.filter { $0 != "." }.count
      let hasEllipsis = operand.contains("...")
      require(
        hasEllipsis ? letters <= rank : letters == rank,
        "einsum: '\(operand)' of '\(equation)' does not name the \(rank) axes of its factor")
      if hasEllipsis { free = max(free, rank - letters) }
    }
    // The axes of an ellipsis are aligned at the last one.
    func labels(_ operand: String, _ count: Int) -> [Character] {
      let axes = (free - count..<free).map { Character(UnicodeScalar(0xE000 + UInt32($0))!) }
      let parts = operand.split(separator: "...", maxSplits: 1, omittingEmptySubsequences: false)
      require(
        parts.joined().allSatisfy { $0.isLetter && $0.isASCII },
        "einsum: '\(operand)' of '\(equation)' has other characters than letters and one '...'")
      return parts.count == 2 ? parts[0] + axes + parts[1] : Array(operand)
    }
    for (operand, rank) in zip(operands, ranks) {
      inputs.append(labels(operand, max(0, rank - operand.filter { $0 != "." }.count)))
    }
    let all = inputs.joined()
    if isExplicit {
      output = labels(String(sides[1]), free)
    } else {
      let once = Set(all).filter { label in label.isLetter && all.count { $0 == label } == 1 }
      output = labels("...", free) + once.sorted()
    }
    require(
      Set(output).count == output.count && Set(output).isSubset(of: all),
      "einsum: the output of '\(equation)' names an index twice, or one that no factor has")
  }
}

/// A tensor with a name for each axis.
private struct EinsumTerm {
  var tensor: Tensor
  var labels: [Character]

  init(_ tensor: Tensor, _ labels: [Character]) { (self.tensor, self.labels) = (tensor, labels) }

  private func extent(_ label: Character) -> Int { tensor.shape[labels.firstIndex(of: label)!] }

  /// The diagonal of every pair of axes of one name.
  var withDiagonals: EinsumTerm {
    for (i, label) in labels.enumerated() {
      guard let j = labels[(i + 1)...].firstIndex(of: label) else { continue }
      let rest = labels.indices.filter { $0 != i && $0 != j }
      let n = tensor.shape[i]
      let flat = tensor.permuted(rest + [i, j]).reshaped(to: Shape(rest.map { tensor.shape[$0] } + [n * n]))
      let diagonal = flat.gather((0..<n).map { $0 * (n + 1) }, axis: -1)
      return EinsumTerm(diagonal, rest.map { labels[$0] } + [label]).withDiagonals
    }
    return self
  }

  /// The sum over all axes but those in `kept`.
  private func summed(keeping kept: Set<Character>) -> EinsumTerm {
    let axes = labels.indices.filter { !kept.contains(labels[$0]) }
    return axes.isEmpty ? self : EinsumTerm(tensor.sum(alongAxes: axes), labels.filter(kept.contains))
  }

  /// The tensor with these axes alone, in this order.
  func arranged(as order: [Character]) -> Tensor {
    let term = summed(keeping: Set(order))
    return term.tensor.permuted(order.map { term.labels.firstIndex(of: $0)! })
  }

  /// The product with `other`, summed over the axes that both have and `kept` has not.
  func contracted(with other: EinsumTerm, keeping kept: Set<Character>) -> EinsumTerm {
    let a = summed(keeping: kept.union(other.labels))
    let b = other.summed(keeping: kept.union(labels))
    let batch = a.labels.filter { b.labels.contains($0) && kept.contains($0) }
    let inner = a.labels.filter { b.labels.contains($0) && !kept.contains($0) }
    let left = a.labels.filter { !b.labels.contains($0) }
    let right = b.labels.filter { !a.labels.contains($0) }
    func matrices(_ term: EinsumTerm, _ rows: [Character], _ columns: [Character]) -> Tensor {
      func size(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * term.extent($1) } }
      return term.arranged(as: batch + rows + columns)
        .reshaped(to: Shape(batch.map(term.extent) + [size(rows), size(columns)]))
    }
    let product = matmul(matrices(a, left, inner), matrices(b, inner, right))
    let shape = Shape(batch.map(a.extent) + left.map(a.extent) + right.map(b.extent))
    return EinsumTerm(product.reshaped(to: shape), batch + left + right)
  }
}
