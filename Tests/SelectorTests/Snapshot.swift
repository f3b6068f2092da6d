import Foundation
import Testing

@testable import Selector

/// Screens as text files, compared whole.
enum Snapshot {
  static let sizes = [
    Size(columns: 80, rows: 24), Size(columns: 120, rows: 35), Size(columns: 53, rows: 24),
    Size(columns: 40, rows: 10), Size(columns: 200, rows: 50),
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

  /// All that come with the program.
  static let themes = Result {
    try [
      "terminal", "mono", "high-contrast", "light", "dark", "solarized-light", "solarized-dark",
      "gruvbox",
    ].map { try theme($0) }
  }

  /// A theme of the top folder `themes`, with the one it inherits from.
  static func theme(_ name: String) throws -> Theme {
    let themes = folder.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("themes")
    let file = themes.appendingPathComponent("\(name).toml")
    return try Theme.parse(name: name, toml: String(contentsOf: file, encoding: .utf8)) {
      try theme($0)
    }
  }

  /// What a picture's text elements say, without spaces.
  static func text(ofPicture picture: String) -> String {
    let elements = picture.split(separator: "\n").filter { $0.hasPrefix("<text") }
    let texts = elements.map { element in
      element.drop { $0 != ">" }.dropFirst().prefix { $0 != "<" }
    }
    return texts.joined().filter { $0 != " " && $0 != "\u{A0}" }
      .replacingOccurrences(of: "&lt;", with: "<")
      .replacingOccurrences(of: "&gt;", with: ">").replacingOccurrences(of: "&amp;", with: "&")
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
