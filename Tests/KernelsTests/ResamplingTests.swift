import Testing

@testable import Kernels

@Suite("Resampling") struct ResamplingTests {
  /// Maps with none, one, two and more shares in an output, outputs that repeat, and runs of neighbours.
  private static let maps: [AxisMap] = [
    AxisMap(selecting: [2, 1, 0, 1, 2, 3, 4, 3, 3], of: 5),
    AxisMap(selecting: [0, 1, 2, 3, 4], of: 5),
    AxisMap(from: 5, to: 7) { output, add in
      for input in 0..<min(output, 5) { add(input, Scalar(output + input) / 8) }
    },
    AxisMap(from: 5, to: 4) { output, add in
      add(output / 2, 0.25)
      add(output / 2 + 1, 0.75)
    },
    AxisMap(from: 5, to: 6) { output, add in add(output / 2, 1) },
  ]

  @Test(arguments: [1, 2, 3, 5, 16, 17, 32, 64]) func everyPixelIsTheSumOfItsShares(channels: Int) {
    for rows in Self.maps {
      for columns in Self.maps {
        for (rows, columns) in [(rows, columns), (rows.transposed, columns), (rows, columns.transposed)] {
          for threads in [1, 3] {
            Parallel.withThreads(threads) { check(rows, columns, channels) }
          }
        }
      }
    }
  }

  private func check(_ rows: AxisMap, _ columns: AxisMap, _ channels: Int) {
    let (images, width, outWidth) = (2, columns.inputCount, columns.outputCount)
    let x = (0..<images * rows.inputCount * width * channels).map { Scalar($0 * 37 % 101) / 16 - 3 }
    let size = rows.outputCount * outWidth * channels
    var wanted = [Scalar](repeating: 0, count: images * size)
    for image in 0..<images {
      rows.forEachShare { i, row, u in
        columns.forEachShare { j, column, v in
          for c in 0..<channels {
            wanted[image * size + (i * outWidth + j) * channels + c] +=
              u * v * x[((image * rows.inputCount + row) * width + column) * channels + c]
          }
        }
      }
    }
    var y = [Scalar](repeating: .nan, count: images * size + 1)
    Resampling(rows: rows, columns: columns)(images: images, channels: channels, from: x, to: &y)
    #expect(y.last!.isNaN)
    let error = zip(y, wanted).map { abs($0 - $1) }.max() ?? 0
    #expect(
      error < 1e-4, "\(rows.inputCount) to \(rows.outputCount) rows, \(width) to \(outWidth) columns of \(channels)")
  }

  @Test func twiceTransposedIsTheSame() {
    for map in Self.maps {
      var (shares, others): ([String], [String]) = ([], [])
      map.forEachShare { shares.append("\($0) \($1) \($2)") }
      map.transposed.transposed.forEachShare { others.append("\($0) \($1) \($2)") }
      #expect(shares == others)
    }
  }
}
