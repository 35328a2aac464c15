/// Which scalars meet in a convolution by the definition: pixels of the result that are reached by the same taps form a class,
/// and go through the micro-kernel together.
///
/// At the border some taps fall outside of the image. Pixels there are classes of their own, with fewer taps, so nothing is
/// multiplied by a padded zero, and no image is copied to be padded. The adjoint of a convolution with a stride falls into
/// classes the same way: what other derivations call its phases.
struct ConvolutionPlan {
  /// Pixels of the result that the same taps reach.
  struct Class {
    /// For each pixel, where its first tap reads, and where the result goes.
    var from: [Int32] = []
    var to: [Int32] = []
    /// Runs of scalars that lie together: their offsets from the first tap, and the rows of the panels they meet.
    var segments: [Int32] = []
    var panelRows: [Int32] = []
    /// Scalars in each segment.
    var length = 0

    /// Products with each column of a panel.
    var products: Int { from.count * segments.count * length }
  }
  private(set) var classes: [Class] = []
  /// Where each tap's matrix begins in the weights, in the order of the panels.
  let taps: [Int32]
  /// Rows of a panel.
  let rows: Int

  /// The taps that reach one line of the result, and which line of the source each of them reads; ascending by the latter.
  typealias Reach = [(tap: Int, source: Int)]

  /// - Parameters:
  ///   - down: How the taps reach each row of the result; `across`: each column.
  ///   - sourceWidth: Pixels in a row of the source, of `sourceChannels` scalars each, as the result's have `channels`.
  ///   - perGroup: Source channels that a tap reads.
  ///   - tapOffset: Where a tap's matrix begins in the weights.
  init(
    down: [Reach], across: [Reach], kernelHeight: Int, kernelWidth: Int, isAdjoint: Bool, sourceWidth: Int,
    sourceChannels: Int, channels: Int, perGroup: Int, tapOffset: (_ row: Int, _ column: Int) -> Int
  ) {
    // In a panel the taps follow each other as what they read does.
    func place(_ tap: Int, _ count: Int) -> Int { isAdjoint ? count - 1 - tap : tap }
    var taps = [Int32](repeating: 0, count: kernelHeight * kernelWidth)
    for r in 0..<kernelHeight {
      for s in 0..<kernelWidth {
        taps[place(r, kernelHeight) * kernelWidth + place(s, kernelWidth)] = Int32(tapOffset(r, s))
      }
    }
    self.taps = taps
    rows = taps.count * perGroup
    let columnGroups = Self.groups(across)
    for rowGroup in Self.groups(down) {
      for columnGroup in columnGroups {
        var one = Class(length: perGroup)
        let (rowTaps, columnTaps) = (down[rowGroup[0]], across[columnGroup[0]])
        let columns = columnGroup.map { (index: $0, source: across[$0].first?.source ?? 0) }
        one.from.reserveCapacity(rowGroup.count * columnGroup.count)
        one.to.reserveCapacity(rowGroup.count * columnGroup.count)
        for i in rowGroup {
          let (from, to) = ((down[i].first?.source ?? 0) * sourceWidth * sourceChannels, i * across.count * channels)
          for (j, x) in columns { one.append(from: from + x * sourceChannels, to: to + j * channels) }
        }
        for (r, y) in rowTaps {
          for (s, x) in columnTaps {
            let pixel = (y - rowTaps[0].source) * sourceWidth + x - columnTaps[0].source
            one.segments.append(Int32(pixel * sourceChannels))
            one.panelRows.append(Int32((place(r, kernelHeight) * kernelWidth + place(s, kernelWidth)) * perGroup))
          }
        }
        one.join(columnTaps.count)
        classes.append(one)
      }
    }
    // The most work first: panels come from memory meanwhile.
    classes.sort { $0.products > $1.products }
  }

  /// Lines that the same taps reach, in the order of the first of each.
  private static func groups(_ lines: [Reach]) -> [[Int]] {
    var groups: [[Int]] = []
    for (index, line) in lines.enumerated() {
      let group = groups.firstIndex { lines[$0[0]].elementsEqual(line) { $0.tap == $1.tap } }
      if let group { groups[group].append(index) } else { groups.append([index]) }
    }
    return groups
  }

  /// A ``Class`` of some images at once, whose lists have the same names; valid as long as ``withClasses(of:from:to:_:)`` runs.
  struct UnsafeClass {
    let from: UnsafePointer<Int32>
    let to: UnsafePointer<Int32>
    let segments: UnsafePointer<Int32>
    let panelRows: UnsafePointer<Int32>
    /// Pixels of one image.
    let pixels: Int
    let segmentCount: Int
    let length: Int
  }

  /// Runs `body` with the classes of `images`, which lie so far from each other.
  ///
  /// They lie in plain memory: threads that take an array from an array count their references to it, and would pass that
  /// count to and fro with every piece of work.
  func withClasses(of images: Int, from: Int, to: Int, _ body: (UnsafeBufferPointer<UnsafeClass>) -> Void) {
    let size = classes.reduce(0) { $0 + 2 * ($1.from.count * images + $1.segments.count) }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: size) { memory in
      var next = memory.baseAddress
      func placed(_ numbers: [Int32]) -> UnsafePointer<Int32> {
        let start = next!
        start.initialize(from: numbers, count: numbers.count)
        next! += numbers.count
        return UnsafePointer(start)
      }
      func repeated(_ offsets: [Int32], _ step: Int) -> UnsafePointer<Int32> {
        let start = placed(offsets)
        for n in 1..<max(images, 1) {
          for (i, offset) in offsets.enumerated() { (next! + i).initialize(to: offset + Int32(n * step)) }
          next! += offsets.count
        }
        return start
      }
      classes.map {
        UnsafeClass(
          from: repeated($0.from, from), to: repeated($0.to, to), segments: placed($0.segments),
          panelRows: placed($0.panelRows), pixels: $0.from.count, segmentCount: $0.segments.count, length: $0.length)
      }.withUnsafeBufferPointer(body)
    }
  }
}

extension ConvolutionPlan.Class {
  fileprivate mutating func append(from source: Int, to result: Int) {
    from.append(Int32(source))
    to.append(Int32(result))
  }

  /// Makes one segment of the `count` segments of each row of taps where they lie side by side, in source and panels alike.
  fileprivate mutating func join(_ count: Int) {
    let isJoined = (0..<segments.count).allSatisfy {
      $0 % count == 0 || (segments[$0] - segments[$0 - 1] == length && panelRows[$0] - panelRows[$0 - 1] == length)
    }
    guard isJoined, count > 1 else { return }
    segments = Swift.stride(from: 0, to: segments.count, by: count).map { segments[$0] }
    panelRows = Swift.stride(from: 0, to: panelRows.count, by: count).map { panelRows[$0] }
    length *= count
  }
}
