import CKernels

extension Rows {
  /// places[row][i] = where the i-th element of a row in order stands; equals by their places, NaN the largest.
  package func sortedPlaces(
    descending: Bool, _ x: UnsafePointer<Scalar>, into places: UnsafeMutablePointer<Int>
  ) {
    withUnsafeTemporaryAllocation(of: RankedDescriptor.self, capacity: 2 * width) { room in
      for row in 0..<count {
        en_sorted_places(width, descending ? 1 : 0, x + row * width, room.baseAddress, places + row * width)
      }
    }
  }

  /// places[row][i] = where the i-th of the `k` largest of a row stands, largest first; equals by their places, NaN the largest.
  package func largestPlaces(_ k: Int, _ x: UnsafePointer<Scalar>, into places: UnsafeMutablePointer<Int>) {
    withUnsafeTemporaryAllocation(of: RankedDescriptor.self, capacity: k) { room in
      for row in 0..<count { en_largest_places(width, k, x + row * width, room.baseAddress, places + row * k) }
    }
  }
}
