import Sync
import Wire

/// One row of a pane or dialog, columns counted from its left edge.
struct PaneLine {
  /// The attribute a click on it means.
  var attribute: AttributeID?
  struct Piece {
    let column: Int
    let text: String
    let style: StyleKey
    /// The address it names: ``Link``.
    var link: String?
  }

  var pieces: [Piece] = []
  /// Whether the focus stands on this row.
  var isMarked = false
  /// Where the real cursor stands in this row.
  var cursor: Int?
  /// Whether it belongs to the row above it: both are shown together where there is room.
  var isContinuation = false
  /// A word near the right edge.
  var trailer: (text: String, style: StyleKey)?

  static let empty = PaneLine()

  init() {}

  init(_ text: String, column: Int = 1, style: StyleKey = .text) {
    add(text, column: column, style: style)
  }

  var isEmpty: Bool { pieces.isEmpty && !isMarked && cursor == nil }

  mutating func add(_ text: String, column: Int, style: StyleKey = .text, link: String? = nil) {
    pieces.append(Piece(column: column, text: text, style: style, link: link))
  }

  /// The same line as a part of the row above it.
  var continued: PaneLine {
    var line = self
    line.isContinuation = true
    return line
  }

  /// The column after the last piece.
  var end: Int {
    pieces.map { $0.column + DisplayWidth.columns(of: $0.text) }.max() ?? 0
  }
}

extension Frame {
  /// Paints lines into a region, from the one at `top`.
  mutating func paint(
    _ lines: [PaneLine], in region: Region, top: Int = 0, style: StyleKey = .text,
    marked: StyleKey = .selected
  ) {
    for row in 0..<max(0, region.rows) {
      fill(row: region.row + row, column: region.column, columns: region.columns, style: style)
      guard lines.indices.contains(top + row) else { continue }
      paint(lines[top + row], row: region.row + row, region: region, style: style, marked: marked)
    }
  }

  private mutating func paint(
    _ line: PaneLine, row: Int, region: Region, style: StyleKey, marked: StyleKey
  ) {
    var room = region.columns
    if let trailer = line.trailer {
      let columns = DisplayWidth.columns(of: trailer.text)
      room -= columns + 2
      let column = region.column + region.columns - columns - 1
      put(trailer.text, row: row, column: column, limit: columns, style: trailer.style)
    }
    for piece in line.pieces where piece.column < room {
      let pieceStyle = piece.style == .text ? style : piece.style
      let columns = put(
        piece.text, row: row, column: region.column + piece.column, limit: room - piece.column,
        style: pieceStyle)
      // What goes on beyond the edge must not pass for the whole; a field scrolls.
      if piece.style != .editing, piece.column + columns >= room - 1,
        piece.column + DisplayWidth.columns(of: piece.text) > room
      {
        put("…", row: row, column: region.column + room - 1, style: pieceStyle)
      }
      if let address = piece.link {
        link(row: row, column: region.column + piece.column, columns: columns, address: address)
      }
    }
    if line.isMarked {
      restyle(row: row, column: region.column, columns: region.columns, style: marked)
      for piece in line.pieces where piece.style == .editing && piece.column < room {
        let columns = min(DisplayWidth.columns(of: piece.text), room - piece.column)
        restyle(row: row, column: region.column + piece.column, columns: columns, style: .editing)
      }
    }
    if let cursor = line.cursor, cursor < region.columns {
      self.cursor = Position(row: row, column: region.column + cursor)
    }
  }

  /// The first line to show so that the row with the cursor is on the screen, with what belongs to
  /// it as far as it fits.
  static func top(of lines: [PaneLine], rows: Int) -> Int {
    guard let cursor = lines.lastIndex(where: { $0.cursor != nil }) else { return 0 }
    let rest = lines[(cursor + 1)...].prefix { $0.isContinuation }.count
    return min(top(showing: cursor + rest, of: lines.count, rows: rows), cursor)
  }

  /// The first line to show so that `line` is on the screen.
  static func top(showing line: Int?, of count: Int, rows: Int) -> Int {
    guard let line, line >= rows else { return 0 }
    return min(line - rows + 1, max(0, count - rows))
  }
}

/// How texts are fitted into rows.
enum Fit {
  /// A secret that is not shown: always as long, whatever it hides.
  static let mask = "••••••••••••"
  static let codeMask = "••• •••"

  /// The part of an editor's line that fits and has the cursor in it, and where the cursor stands.
  static func field(_ text: String, cursor: Int, columns: Int) -> (text: String, cursor: Int) {
    if cursor == 0 { return (text, 0) }
    let characters = Array(text)
    let room = max(1, columns - 1)
    var start = 0
    while start < cursor,
      DisplayWidth.columns(of: String(characters[start..<cursor])) > room
    {
      start += max(1, (cursor - start) - room)
    }
    let before = DisplayWidth.columns(of: String(characters[start..<cursor]))
    return (String(characters[start...]), before)
  }

  /// Breaks a value into rows wherever a row ends, so that nothing of it is out of sight.
  static func chop(_ text: String, columns: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var used = 0
    for character in text {
      let width = DisplayWidth.columns(of: String(character))
      if used + width > max(1, columns), !line.isEmpty {
        lines.append(line)
        line = ""
        used = 0
      }
      line.append(character)
      used += width
    }
    return lines + [line]
  }

  /// Breaks a text at spaces; a word longer than a row is broken anywhere.
  static func wrap(_ text: String, columns: Int) -> [String] {
    guard columns > 0 else { return [] }
    var lines: [String] = []
    for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
      var line = ""
      for word in paragraph.split(separator: " ") {
        var rest = String(word)
        if !line.isEmpty, line.count + 1 + rest.count > columns {
          lines.append(line)
          line = ""
        }
        while rest.count > columns {
          lines.append(String(rest.prefix(columns)))
          rest = String(rest.dropFirst(columns))
        }
        line += line.isEmpty ? rest : " " + rest
      }
      lines.append(line)
    }
    return lines
  }
}
