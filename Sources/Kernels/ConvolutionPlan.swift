/// The indirection buffers of a direct convolution: pixels of the result with the same tap mask form a region, and go through the
/// micro-kernel together.
///
/// At the border some taps fall outside of the image. Border regions have fewer taps than the interior, so nothing is multiplied
/// by a padded zero, and no image is copied to be padded. Backward-data with a stride has a region for each phase.
struct ConvolutionPlan {
  /// Pixels of the result that the same taps reach.
  struct Region {
    /// For each pixel the offset of what its first tap reads, and of the result.
    var from: [Int32] = []
    var to: [Int32] = []
    /// Runs of contiguous scalars: their offsets from the first tap, and the rows of the panels they are multiplied by.
    var segments: [Int32] = []
    var panelRows: [Int32] = []
    /// Scalars in each segment.
    var length = 0

    /// Products with each column of a panel.
    var products: Int { from.count * segments.count * length }
  }
  private(set) var regions: [Region] = []
  /// The offset of each tap's matrix in the weights, in the order of the panels.
  let taps: [Int32]
  /// Rows of a panel.
  let rows: Int

  /// The taps that reach one line of the result, and which line of the source each of them reads; ascending by the latter.
  typealias LineTaps = [(tap: Int, source: Int)]

  /// - Parameters:
  ///   - rows: The taps that reach each row of the result; `columns`: each column.
  ///   - isReversed: Whether what a tap reads descends as the tap ascends, as in backward-data.
  ///   - sourceWidth: Pixels in a row of the source, of `sourceChannels` scalars each, as the result's have `channels`.
  ///   - perGroup: Source channels that a tap reads.
  ///   - tapOffset: The offset of a tap's matrix in the weights.
  init(
    rows rowLines: [LineTaps], columns columnLines: [LineTaps], kernelHeight: Int, kernelWidth: Int, isReversed: Bool,
    sourceWidth: Int, sourceChannels: Int, channels: Int, perGroup: Int,
    tapOffset: (_ row: Int, _ column: Int) -> Int
  ) {
    // A panel has the taps in the order of what they read.
    func place(_ tap: Int, _ count: Int) -> Int { isReversed ? count - 1 - tap : tap }
    var taps = [Int32](repeating: 0, count: kernelHeight * kernelWidth)
    for r in 0..<kernelHeight {
      for s in 0..<kernelWidth {
        taps[place(r, kernelHeight) * kernelWidth + place(s, kernelWidth)] = Int32(tapOffset(r, s))
      }
    }
    self.taps = taps
    rows = taps.count * perGroup
    let columnGroups = Self.groups(columnLines)
    for rowGroup in Self.groups(rowLines) {
      for columnGroup in columnGroups {
        var region = Region(length: perGroup)
        let (rowTaps, columnTaps) = (rowLines[rowGroup[0]], columnLines[columnGroup[0]])
        let columns = columnGroup.map { (index: $0, source: columnLines[$0].first?.source ?? 0) }
        region.from.reserveCapacity(rowGroup.count * columnGroup.count)
        region.to.reserveCapacity(rowGroup.count * columnGroup.count)
        for i in rowGroup {
          let (from, to) = (
            (rowLines[i].first?.source ?? 0) * sourceWidth * sourceChannels, i * columnLines.count * channels
          )
          for (j, x) in columns { region.append(from: from + x * sourceChannels, to: to + j * channels) }
        }
        for (r, y) in rowTaps {
          for (s, x) in columnTaps {
            let pixel = (y - rowTaps[0].source) * sourceWidth + x - columnTaps[0].source
            region.segments.append(Int32(pixel * sourceChannels))
            region.panelRows.append(Int32((place(r, kernelHeight) * kernelWidth + place(s, kernelWidth)) * perGroup))
          }
        }
        region.join(columnTaps.count)
        regions.append(region)
      }
    }
    // The largest first: its panels are still read from memory.
    regions.sort { $0.products > $1.products }
  }

  /// Groups lines that the same taps reach, in the order of the first of each.
  private static func groups(_ lines: [LineTaps]) -> [[Int]] {
    var groups: [[Int]] = []
    for (index, line) in lines.enumerated() {
      let group = groups.firstIndex { lines[$0[0]].elementsEqual(line) { $0.tap == $1.tap } }
      if let group { groups[group].append(index) } else { groups.append([index]) }
    }
    return groups
  }

  /// A ``Region`` of several images, with the same lists; valid while ``withRegions(of:from:to:_:)`` runs.
  struct UnsafeRegion {
    let from: UnsafePointer<Int32>
    let to: UnsafePointer<Int32>
    let segments: UnsafePointer<Int32>
    let panelRows: UnsafePointer<Int32>
    /// Pixels of one image.
    let pixels: Int
    let segmentCount: Int
    let length: Int
  }

  /// Runs `body` with the regions of `images` images, `from` and `to` scalars apart in source and result.
  ///
  /// The lists are in plain memory: threads that read arrays of arrays would contend for their reference counts.
  func withRegions(of images: Int, from: Int, to: Int, _ body: (UnsafeBufferPointer<UnsafeRegion>) -> Void) {
    let size = regions.reduce(0) { $0 + 2 * ($1.from.count * images + $1.segments.count) }
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
      regions.map {
        UnsafeRegion(
          from: repeated($0.from, from), to: repeated($0.to, to), segments: placed($0.segments),
          panelRows: placed($0.panelRows), pixels: $0.from.count, segmentCount: $0.segments.count, length: $0.length)
      }.withUnsafeBufferPointer(body)
    }
  }
}

extension ConvolutionPlan.Region {
  fileprivate mutating func append(from source: Int, to result: Int) {
    from.append(Int32(source))
    to.append(Int32(result))
  }

  /// Joins the `count` segments of each row of taps where they are contiguous in source and panels.
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
