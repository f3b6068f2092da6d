public import TOMLKit

/// The text of a file of settings in TOML, which people write: all such files are read from its
/// table, the selector's themes, keys and preferences and the servers' options and gateways.
public struct SettingsText {
  public struct Fault: Error, Hashable, CustomStringConvertible {
    /// From 1; 0 where it is not known.
    public let line: Int
    public let reason: String

    public var description: String { line > 0 ? "line \(line): \(reason)" : reason }
  }

  let text: String

  public init(text: String) {
    self.text = text
  }

  /// - Throws: what is wrong with it as TOML, and in which line.
  public func table() throws(Fault) -> TOMLTable {
    if let line = misbegunHeading {
      throw Fault(line: line, reason: "a heading is a name in brackets, like [contexts]")
    }
    do {
      return try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw Fault(line: error.source.begin.line, reason: error.description)
    } catch {
      throw Fault(line: 0, reason: "\(error)")
    }
  }

  /// The first line that opens a bracket and names nothing after it. The library ends the process
  /// there by an assertion, where it should refuse the text.
  private var misbegunHeading: Int? {
    // A mark of the byte order, which some editors write, is read past.
    let isMarked = text.utf8.starts(with: Self.mark)
    let lines = text.utf8.dropFirst(isMarked ? Self.mark.count : 0).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.firstIndex { line in
      guard var rest = Self.opened(line[...]) else { return false }
      rest = Self.opened(rest) ?? rest
      guard let first = rest.first(where: { !Self.isSpace($0) }) else { return true }
      return !Self.beginsKey(first) && first != UInt8(ascii: "]")
    }.map { $0 + 1 }
  }

  private static let mark = "\u{FEFF}".utf8

  /// What stands behind the bracket a line begins with.
  private static func opened(_ line: Substring.UTF8View) -> Substring.UTF8View? {
    let rest = line.drop(while: isSpace)
    return rest.first == UInt8(ascii: "[") ? rest.dropFirst() : nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  /// A letter, a digit, `-`, `_` or a quote: TOML 1.0, keys.
  private static func beginsKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "\""), UInt8(ascii: "'"):
      true
    default: false
    }
  }
}
