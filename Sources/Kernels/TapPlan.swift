import CKernels

/// The runs of an image whose channels are convolved by themselves or in small groups: rows of pixels of the result that the same
/// taps reach.
///
/// As in a ``ConvolutionPlan`` border runs have fewer taps, and backward-data with a stride has runs for each phase; here they are
/// in the order of the result's rows, which are read and written once.
struct TapPlan {
  private var runs: [en_tap_run] = []
  private var taps: [en_tap] = []
  /// The index of each row's first run, and the number of runs.
  private var firstRuns: [Int] = []
  private let kernelTaps: Int
  private let (fromStep, toStep): (Int, Int)
  /// Scalars of an image of the source, and of the result.
  let (sourceCount, resultCount): (Int, Int)

  /// Rows of the result.
  var rows: Int { firstRuns.count - 1 }

  /// What a pass reads and writes.
  private struct Sides {
    /// For each row and each column of the result the taps that reach it, ascending by what they read.
    var (rows, columns): ([ConvolutionPlan.LineTaps], [ConvolutionPlan.LineTaps])
    /// Pixels between neighbours of a run in the source, and in the result.
    var (fromStep, toStep): (Int, Int)
    var source: (height: Int, width: Int, channels: Int)
    var resultChannels: Int
  }

  /// The pixels of y, and what of x each depends on.
  init(forward c: Convolution) {
    func lines(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.LineTaps] {
      (0..<count).map { i in
        (0..<taps).compactMap { tap in
          let source = i * c.stride + tap * c.dilation - c.padding
          return 0..<side ~= source ? (tap, source) : nil
        }
      }
    }
    self.init(
      c,
      Sides(
        rows: lines(c.outputHeight, c.kernelHeight, c.height), columns: lines(c.outputWidth, c.kernelWidth, c.width),
        fromStep: c.stride, toStep: 1, source: (c.height, c.width, c.inputs), resultChannels: c.outputs))
  }

  /// The pixels of dx, and what of dy each depends on.
  init(backwardData c: Convolution) {
    func lines(_ count: Int, _ taps: Int, _ side: Int) -> [ConvolutionPlan.LineTaps] {
      (0..<count).map { y in
        (0..<taps).reversed().compactMap { tap in
          let (source, rest) = (y + c.padding - tap * c.dilation).quotientAndRemainder(dividingBy: c.stride)
          return rest == 0 && 0..<side ~= source ? (tap, source) : nil
        }
      }
    }
    self.init(
      c,
      Sides(
        rows: lines(c.height, c.kernelHeight, c.outputHeight), columns: lines(c.width, c.kernelWidth, c.outputWidth),
        fromStep: 1, toStep: c.stride, source: (c.outputHeight, c.outputWidth, c.outputs), resultChannels: c.inputs))
  }

  private init(_ c: Convolution, _ sides: Sides) {
    kernelTaps = c.kernelHeight * c.kernelWidth
    (fromStep, toStep) = (sides.fromStep * sides.source.channels, sides.toStep * sides.resultChannels)
    sourceCount = sides.source.height * sides.source.width * sides.source.channels
    resultCount = sides.rows.count * sides.columns.count * sides.resultChannels
    let columnRuns = Self.columnRuns(sides)
    // Rows that the same taps reach share the lists of their runs.
    var shared: [(taps: [Int], lists: [(first: Int, count: Int, leading: Int, row: Int)])] = []
    for (i, rowTaps) in sides.rows.enumerated() {
      let indices = rowTaps.map(\.tap)
      let known = shared.firstIndex { $0.taps == indices }
      if known == nil {
        let lists = columnRuns.map { add(rowTaps, sides.columns[$0.first], sides, kernelWidth: c.kernelWidth) }
        shared.append((indices, lists))
      }
      firstRuns.append(runs.count)
      for (run, list) in zip(columnRuns, shared[known ?? shared.count - 1].lists) {
        let (y, x) = (rowTaps.first?.source ?? 0, sides.columns[run.first].first?.source ?? 0)
        runs.append(
          en_tap_run(
            from: list.count == 0 ? 0 : (y * sides.source.width + x) * sides.source.channels,
            to: (i * sides.columns.count + run.first) * sides.resultChannels, pixels: run.count,
            firstTap: list.first, tapCount: list.count, leadCount: list.leading, rowTaps: list.row))
      }
    }
    firstRuns.append(runs.count)
  }

  /// The runs of a row of the result: their first columns, and how many columns each has.
  private static func columnRuns(_ sides: Sides) -> [(first: Int, count: Int)] {
    var result: [(first: Int, count: Int)] = []
    for phase in 0..<min(sides.toStep, sides.columns.count) {
      var last: [Int]?
      for j in stride(from: phase, to: sides.columns.count, by: sides.toStep) {
        let taps = sides.columns[j].map(\.tap)
        if taps == last { result[result.count - 1].count += 1 } else { result.append((j, 1)) }
        last = taps
      }
    }
    return result
  }

  /// Adds the taps of a run, of which the last read what no run before has read. Where those of a row read neighbours, only
  /// the very last does, and they are in the order of the rows.
  private mutating func add(
    _ rowTaps: ConvolutionPlan.LineTaps, _ columnTaps: ConvolutionPlan.LineTaps, _ sides: Sides, kernelWidth: Int
  ) -> (first: Int, count: Int, leading: Int, row: Int) {
    guard let lowest = (rowTaps.first?.source), let leftmost = columnTaps.first?.source else { return (0, 0, 0, 1) }
    let (highest, rightmost) = (rowTaps.last!.source, columnTaps.last!.source)
    var (following, leading): ([en_tap], [en_tap]) = ([], [])
    for (r, y) in rowTaps {
      for (s, x) in columnTaps {
        let offset = ((y - lowest) * sides.source.width + x - leftmost) * sides.source.channels
        let isLeading = y > highest - sides.fromStep && x > rightmost - sides.fromStep
        let tap = en_tap(offset: offset, tap: r * kernelWidth + s)
        if isLeading { leading.append(tap) } else { following.append(tap) }
      }
    }
    let first = taps.count
    taps += following + leading
    let areNeighbours = zip(columnTaps, columnTaps.dropFirst()).allSatisfy { $1.source - $0.source == sides.fromStep }
    return (first, taps.count - first, leading.count, areNeighbours ? columnTaps.count : 1)
  }

  /// The plan where C can read it, of some rows at a time; valid while ``withPointers(_:)`` runs.
  struct Pointers {
    fileprivate let plan: en_tap_plan
    fileprivate let firstRuns: UnsafePointer<Int>

    /// The runs of `rows`.
    func callAsFunction(_ rows: Range<Int>) -> en_tap_plan {
      var part = plan
      part.runs = plan.runs + firstRuns[rows.lowerBound]
      part.runCount = firstRuns[rows.upperBound] - firstRuns[rows.lowerBound]
      return part
    }
  }

  func withPointers(_ body: (Pointers) -> Void) {
    runs.withUnsafeBufferPointer { runs in
      taps.withUnsafeBufferPointer { taps in
        firstRuns.withUnsafeBufferPointer { firstRuns in
          // Of an array without elements there may be no address.
          guard let base = runs.baseAddress, let rows = firstRuns.baseAddress else { return }
          body(
            Pointers(
              plan: en_tap_plan(
                runs: base, runCount: runs.count, taps: taps.baseAddress, tapCount: taps.count,
                kernelTaps: kernelTaps, fromStep: fromStep, toStep: toStep, xCount: sourceCount, yCount: resultCount),
              firstRuns: rows))
        }
      }
    }
  }
}
