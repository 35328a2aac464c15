import FileFormats
import Foundation

/// Image files, or parts of them, decoded and prepared each time they are wanted.
struct PreparedFiles: ImageDataset {
  /// What every file becomes.
  struct Form: Sendable {
    let preparation: ImagePreparation
    let channels: Int
    /// `[height, width, channels]`.
    var shape: Shape { [preparation.size.height, preparation.size.width, channels] }
  }

  let name: String
  let items: [ImageListing.Item]
  let form: Form
  /// The classes have names where the images have labels that are used.
  let classNames: [String] = []

  init(_ items: [ImageListing.Item], _ form: Form, _ name: String) {
    (self.items, self.form, self.name) = (items, form, name)
  }

  var count: Int { items.count }
  var imageShape: Shape { form.shape }
  func label(at index: Int) -> Int { items[index].label }

  func image(at index: Int) throws -> [UInt8] {
    var image = [UInt8](repeating: 0, count: imageShape.count)
    let problem = image.withUnsafeMutableBufferPointer { write(items[index...index], $0) }
    if let problem { throw DataError(problem.problem, in: items[index].path) }
    return image
  }

  /// The items at `kept`.
  func kept(_ kept: [Int]) -> PreparedFiles {
    kept.count == items.count ? self : PreparedFiles(kept.map { items[$0] }, form, name)
  }

  /// A fingerprint of the files, their sizes and times, and of how they are prepared.
  var key: String {
    var hash = FNV1a()
    hash.append(bytes: "1 \(form.preparation) \(form.preparation.appliesOrientation) \(imageShape)".utf8)
    let states = inParallel(items.count) { OpenFile.state(items[$0].path) }
    for (item, state) in zip(items, states) {
      hash.append(bytes: item.path.utf8)
      let box = item.box.map { [$0.top, $0.left, $0.height, $0.width] } ?? []
      for number in [state.count] + state + [box.count] + box {
        hash.append(UInt64(bitPattern: Int64(number)))
      }
    }
    return String(hash.value, radix: 16)
  }

  /// Calls `body` with each item that can be read and its image, in their order, and `unreadable` with the others: decoded some at a
  /// time on all threads.
  func forEachRead(
    _ body: (Int, UnsafeBufferPointer<UInt8>) throws(DataError) -> Void, unreadable: (Int, UnreadableImage) -> Void
  ) throws(DataError) {
    let size = imageShape.count
    // Consecutive parts of one image are decoded together.
    let starts = items.indices.filter { $0 == 0 || items[$0 - 1].path != items[$0].path }
    func end(_ group: Int) -> Int { group + 1 < starts.count ? starts[group + 1] : items.count }
    var group = 0
    while group < starts.count {
      var last = group
      while last + 1 < starts.count, (end(last + 1) - starts[group]) * size <= 1 << 24 { last += 1 }
      let groups = group...last
      let first = starts[group]
      var pixels = [UInt8](repeating: 0, count: (end(last) - first) * size)
      let problems = pixels.withUnsafeMutableBufferPointer { pixels in
        nonisolated(unsafe) let pixels = pixels
        return inParallel(groups.count) { index in
          let range = starts[group + index]..<end(group + index)
          return write(
            items[range],
            UnsafeMutableBufferPointer(
              rebasing: pixels[(range.lowerBound - first) * size..<(range.upperBound - first) * size]))
        }
      }
      for (index, problem) in problems.enumerated() {
        for item in starts[group + index]..<end(group + index) {
          if let problem {
            if item == starts[group + index] { unreadable(item, problem) }
          } else {
            try pixels.withUnsafeBufferPointer { (pixels) throws(DataError) in
              try body(
                item, UnsafeBufferPointer(rebasing: pixels[(item - first) * size..<(item - first + 1) * size]))
            }
          }
        }
      }
      group = last + 1
    }
  }

  /// Decodes a file and writes the images that are parts of it, one after the other.
  private func write(
    _ items: ArraySlice<ImageListing.Item>, _ pixels: UnsafeMutableBufferPointer<UInt8>
  ) -> UnreadableImage? {
    let size = imageShape.count
    do throws(UnreadableImage) {
      let file = try EncodedImage(contentsOf: items.first!.path)
      // A file may have changed since its header was read.
      for box in items.compactMap(\.box)
      where box.top + box.height > file.header.storedHeight || box.left + box.width > file.header.storedWidth {
        throw UnreadableImage(kind: "changed file", problem: "is smaller than it was before")
      }
      try file.write(items.map(\.box), form.preparation, channels: form.channels) { part in
        UnsafeMutableBufferPointer(rebasing: pixels[part * size..<(part + 1) * size])
      }
      return nil
    } catch { return error }
  }
}
