import Foundation
import Logging

/// One line a message on stderr: time, level, text, facts. Line breaks in facts are escaped, so
/// that nobody who is logged can write a line of their own.
struct LineLogHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let json: Bool

  init(level: Logger.Level, json: Bool) {
    logLevel = level
    self.json = json
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let facts = metadata.merging(event.metadata ?? [:]) { $1 }
      .map { (key: $0.key, value: "\($0.value)") }.sorted { $0.key < $1.key }
    let time = Date().formatted(.iso8601)
    let line =
      json
      ? jsonLine(event, time: time, facts: facts)
      : plainLine(event, time: time, facts: facts)
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  private func plainLine(
    _ event: LogEvent, time: String, facts: [(key: String, value: String)]
  ) -> String {
    let facts = facts.map { " \($0.key)=\(Self.quoted($0.value))" }.joined()
    return "\(time) \(event.level.rawValue) \(event.message)\(facts)"
  }

  private func jsonLine(
    _ event: LogEvent, time: String, facts: [(key: String, value: String)]
  ) -> String {
    var fields = [("time", time), ("level", event.level.rawValue), ("message", "\(event.message)")]
    fields += facts.map { ($0.key, $0.value) }
    return "{" + fields.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",")
      + "}"
  }

  /// A JSON string.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        quoted += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
