import Foundation
import Selector
import Sync

/// Text for a terminal.
enum Lines {
  /// The first of them by name, and how many more there are.
  static func summary(of secrets: [ExposedSecret]) -> String {
    let shown = 12
    let names = secrets.prefix(shown).map { "\($0.contextName) / \($0.label)" }
    let more = secrets.count - names.count
    return names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }

  /// Control characters and the like as visible marks; line breaks of our own stay.
  static func safe(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Sanitiser.display(String($0)) }.joined(separator: "\n")
  }

  /// Rows in columns two spaces apart; the last column is as wide as it is.
  static func table(_ rows: [[String]]) -> String {
    let rows = rows.map { $0.map(Sanitiser.display) }
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? DisplayWidth.columns(of: $0[column]) : 0 }.max() ?? 0
    }
    return rows.map { row in
      let last = row.lastIndex { !$0.isEmpty } ?? 0
      return row.prefix(last + 1).indices.map { column in
        let gap = widths[column] - DisplayWidth.columns(of: row[column])
        return row[column] + (column == last ? "" : String(repeating: " ", count: gap + 2))
      }.joined()
    }.joined(separator: "\n")
  }

  /// `2026-11-22 20:31:07` in local time.
  static func time(_ milliseconds: Int64) -> String { text(milliseconds, "%Y-%m-%d %H:%M:%S") }

  /// `20:31:07` in local time.
  static func clock(_ milliseconds: Int64) -> String { text(milliseconds, "%H:%M:%S") }

  private static func text(_ milliseconds: Int64, _ format: String) -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let count = strftime(&buffer, buffer.count, format, &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `1 change`, `2 changes`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}

/// What the operating system calls its errors.
enum SystemError {
  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "code \(code)" }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }
}
