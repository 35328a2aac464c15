/// The images of each class by the class that they were taken for: a collection of rows, of which only cells with images are stored.
///
/// ```swift
/// let matrix: ConfusionMatrix = [[8, 2], [1, 9]]
/// print(matrix[0][1], matrix.count(1, takenFor: 0), matrix.total(of: 1))
/// ```
/// In JSON it is a list of rows; of more than ``mostDenseClasses`` classes an object such as
/// `{"classes": 1000, "rows": ["0:48 17:2", …]}`, whose rows have the column and the number of images of each cell.
public struct ConfusionMatrix: Sendable, Hashable {
  private struct Cell: Hashable {
    var column: Int
    var count: Int
  }
  private struct Row: Hashable {
    var width: Int
    /// By column.
    var cells: [Cell]
  }
  private var rows: [Row]

  /// The largest number of classes of which JSON has every cell.
  public static let mostDenseClasses = 100

  /// A matrix of rows of counts.
  public init(_ rows: [[Int]]) { self.rows = rows.map(Self.row) }

  private static func row(_ counts: [Int]) -> Row {
    Row(
      width: counts.count,
      cells: counts.enumerated().compactMap { $1 == 0 ? nil : Cell(column: $0, count: $1) })
  }

  /// The number of images of class `label` that were taken for class `given`.
  public func count(_ label: Int, takenFor given: Int) -> Int {
    rows[label].cells.first { $0.column == given }?.count ?? 0
  }

  /// The number of images of class `label`.
  public func total(of label: Int) -> Int { rows[label].cells.reduce(0) { $0 + $1.count } }

  /// The share of the images of class `label` that were taken for it, 0 where there are none.
  public func accuracy(of label: Int) -> Double {
    Double(count(label, takenFor: label)) / Double(Swift.max(total(of: label), 1))
  }

  /// Every cell with images, row by row.
  public var cells: [(label: Int, given: Int, count: Int)] {
    rows.enumerated().flatMap { label, row in row.cells.map { (label, $0.column, $0.count) } }
  }

  /// Whether it is a table of counts, each class against each.
  package func isSquare(_ classes: Int, upTo largest: Int) -> Bool {
    count == classes
      && rows.allSatisfy { row in
        row.width == classes
          && row.cells.allSatisfy { (0..<classes).contains($0.column) && (0...largest).contains($0.count) }
      }
  }

  /// The sum of two matrices of the same classes.
  ///
  /// - Precondition: They have as many classes.
  public static func + (a: ConfusionMatrix, b: ConfusionMatrix) -> ConfusionMatrix {
    require(a.count == b.count, "ConfusionMatrix: a sum of \(a.count) and \(b.count) classes")
    var sum = a
    for label in a.rows.indices {
      var counts: [Int: Int] = [:]
      for cell in a.rows[label].cells + b.rows[label].cells { counts[cell.column, default: 0] += cell.count }
      sum.rows[label].cells = counts.sorted { $0.key < $1.key }.map { Cell(column: $0.key, count: $0.value) }
    }
    return sum
  }
}

extension ConfusionMatrix: RandomAccessCollection, MutableCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { rows.count }

  /// The images of class `label` by the class that they were taken for.
  public subscript(label: Int) -> [Int] {
    get {
      var counts = [Int](repeating: 0, count: rows[label].width)
      for cell in rows[label].cells { counts[cell.column] = cell.count }
      return counts
    }
    set { rows[label] = Self.row(newValue) }
  }
}

extension ConfusionMatrix: ExpressibleByArrayLiteral {
  public init(arrayLiteral rows: [Int]...) { self.init(rows) }
}

extension ConfusionMatrix: Codable {
  private enum CodingKeys: String, CodingKey { case classes, rows }

  public init(from decoder: any Swift.Decoder) throws {
    guard let values = try? decoder.container(keyedBy: CodingKeys.self) else {
      rows = try [[Int]](from: decoder).map(Self.row)
      return
    }
    let (width, lines) = (
      try values.decode(Int.self, forKey: .classes), try values.decode([String].self, forKey: .rows)
    )
    func wrong(_ problem: String) -> DecodingError {
      .dataCorruptedError(forKey: .rows, in: values, debugDescription: problem)
    }
    guard lines.count == width else { throw wrong("there are \(lines.count) rows of \(width) classes") }
    rows = try lines.map { line in
      var cells: [Cell] = []
      for text in line.split(separator: " ") {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let column = parts[0], let count = parts[1], (0..<width).contains(column),
          cells.last.map({ $0.column < column }) ?? true
        else { throw wrong("'\(text.prefix(40))' is no cell of \(width) classes behind those before it") }
        if count != 0 { cells.append(Cell(column: column, count: count)) }
      }
      return Row(width: width, cells: cells)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    guard count > Self.mostDenseClasses, rows.allSatisfy({ $0.width == count }) else {
      return try Array(self).encode(to: encoder)
    }
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(count, forKey: .classes)
    try values.encode(
      rows.map { $0.cells.map { "\($0.column):\($0.count)" }.joined(separator: " ") }, forKey: .rows)
  }
}
