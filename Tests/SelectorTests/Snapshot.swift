import Foundation
import Testing

@testable import Selector

/// Screens as text files, compared whole.
enum Snapshot {
  static let sizes = [
    Size(columns: 80, rows: 24), Size(columns: 120, rows: 35), Size(columns: 53, rows: 24),
    Size(columns: 40, rows: 10),
  ]

  /// Compares a frame with its file, or writes the file when `SNAPSHOT=record` is set.
  static func check(
    _ frame: Frame, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = folder.appendingPathComponent(
      "\(name) \(frame.size.columns)x\(frame.size.rows).txt")
    let text = describe(frame)
    if ProcessInfo.processInfo.environment["SNAPSHOT"] == "record" {
      try text.write(to: file, atomically: true, encoding: .utf8)
      return
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "\(name)", sourceLocation: sourceLocation)
  }

  private static func describe(_ frame: Frame) -> String {
    let cursor = frame.cursor.map { "\($0.row),\($0.column)" } ?? "hidden"
    return (frame.lines + ["[\(frame.title)] cursor \(cursor)", ""]).joined(separator: "\n")
  }

  private static var folder: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Snapshots")
  }
}
