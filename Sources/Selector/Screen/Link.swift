/// A stretch of one row that names a site, for terminals that can open it (OSC 8).
public struct Link: Hashable, Sendable {
  public let row: Int
  public let column: Int
  public let columns: Int
  /// In printable ASCII, without spaces.
  public let address: String

  /// 2,048 bytes: what terminals take.
  static let limitBytes = 2048
  /// What may be opened; a scheme that runs programs may not.
  private static let schemes = ["http", "https", "ftp", "sftp", "ssh", "mailto"]

  /// The address a value names, `https` where it has no scheme, with everything but printable ASCII
  /// percent-encoded; nil for what is none.
  static func address(of text: String) -> String? {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
    let scheme = text.prefix { $0 != ":" }.lowercased()
    let hasScheme = text.contains("://") || scheme == "mailto"
    guard !hasScheme || schemes.contains(scheme), text.contains(".") || hasScheme else {
      return nil
    }
    let address = (hasScheme ? [] : Array("https://".utf8)) + bytes
    let digits = Array("0123456789ABCDEF".utf8)
    let encoded = address.flatMap { byte in
      byte < 0x80 ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return encoded.count <= limitBytes ? String(decoding: encoded, as: UTF8.self) : nil
  }
}

extension Frame {
  /// The cells of a link as runs of one style each.
  public func runs(of link: Link) -> [Run] {
    var runs: [Run] = []
    var column = link.column
    while column < link.column + link.columns {
      guard let (glyph, style) = glyph(row: link.row, column: column) else {
        column += 1
        continue
      }
      if let last = runs.last, last.style == style, last.column + last.columns == column {
        runs[runs.count - 1] = Run(
          row: link.row, column: last.column, style: style, glyphs: last.glyphs + [glyph])
      } else {
        runs.append(Run(row: link.row, column: column, style: style, glyphs: [glyph]))
      }
      column += glyph.columns
    }
    return runs
  }
}
