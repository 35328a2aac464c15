import FileFormats
import Foundation

/// Writes numbers by step to a file that TensorBoard opens.
///
/// ```swift
/// let log = try EventLog(in: folder)
/// try log.append(["loss": 0.31, "accuracy": 0.9], step: 100)
/// ```
/// Each log has a file of its own; TensorBoard puts the files of a folder together, those of a resumed run among them.
/// The format is TensorFlow's: `TFRecord`s of `Event` messages (tensorflow/core/util/event.proto).
public final class EventLog {
  /// The file.
  public let url: URL
  private let handle: FileHandle

  /// Begins a file in `folder`, which is made where there is none.
  ///
  /// - Throws: Where it cannot be made.
  public init(in folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // A run that is resumed within the same second must not write over what it wrote before.
    url = folder.appendingPathComponent(
      "events.out.tfevents.\(Int(Date().timeIntervalSince1970)).\(UInt32.random(in: 0 ... .max))")
    guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
      throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: url.path])
    }
    handle = try FileHandle(forWritingTo: url)
    try write { $0.text(3, "brain.Event:2") }
  }

  deinit { try? handle.close() }

  /// Adds numbers of one step.
  public func append(_ scalars: [String: Double], step: Int) throws {
    try write { event in
      event.integer(2, step)
      event.message(5) { summary in
        for (name, value) in scalars.sorted(by: { $0.key < $1.key }) {
          summary.message(1) { entry in
            entry.text(1, name)
            entry.float(2, Float(value))
          }
        }
      }
    }
  }

  private func write(_ fill: (inout ProtocolBuffer) -> Void) throws {
    var event = ProtocolBuffer()
    event.double(1, Date().timeIntervalSince1970)
    fill(&event)
    let length = littleEndian(UInt64(event.bytes.count))
    try handle.write(
      contentsOf: length + littleEndian(maskedCRC(length)) + event.bytes + littleEndian(maskedCRC(event.bytes)))
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// The rotated CRC of a record, since a CRC of data that holds CRCs is weak.
private func maskedCRC(_ bytes: [UInt8]) -> UInt32 {
  let crc = crc32c(bytes)
  return (crc >> 15 | crc << 17) &+ 0xa282_ead8
}

extension EventLog {
  /// Adds the figures of an epoch.
  public func append(_ report: EpochReport) throws {
    let values: [(String, Double?)] = [
      ("training/loss", report.loss), ("training/accuracy", report.accuracy),
      ("training/learning rate", report.learningRate),
      ("training/images per second", report.imagesPerSecond), ("validation/loss", report.validation?.loss),
      ("validation/top1", report.validation?.top1),
      ("validation/calibration error", report.validation?.calibrationError),
    ]
    try append(
      Dictionary(uniqueKeysWithValues: values.compactMap { name, value in value.map { (name, $0) } }), step: report.step
    )
  }
}
