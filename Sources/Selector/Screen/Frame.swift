/// A whole screen as a value: cells, cursor, title, bell.
///
/// Views paint into it with `put` and `fill`, which clip at any size, never trap, and never let a
/// control character through. The terminal paints what `runs(from:)` says has changed.
public struct Frame: Sendable {
  /// One character cell, 8 bytes.
  ///
  /// `content` is a scalar's value, or with `clusterBit` an index into `Frame.clusters` for a
  /// character with combining marks.
  public struct Cell: Hashable, Sendable {
    var content: UInt32
    public internal(set) var style: StyleKey
    /// 1, or 2 for the first half of a wide character, or 0 for its second half.
    public internal(set) var columns: UInt8

    static func blank(_ style: StyleKey) -> Cell {
      Cell(content: 0x20, style: style, columns: 1)
    }
  }

  static let clusterBit: UInt32 = 1 << 31

  public let size: Size
  /// Row by row from the top, each row from the left.
  public private(set) var cells: [Cell]
  /// Characters with combining marks; cells refer to them by index.
  private var clusters: [Glyph] = []
  /// What a terminal can open, if the person wants that.
  public private(set) var links: [Link] = []

  /// Where the real cursor stands; nil hides it. A place outside the frame hides it too.
  public var cursor: Position?
  /// What the terminal's window is called; never a context's name. Empty leaves it alone.
  public var title = ""
  /// Whether showing this frame rings the bell.
  public var bell = false

  /// A blank frame in the style `text`.
  public init(size: Size) {
    self.size = size
    cells = Array(repeating: .blank(.text), count: size.columns * size.rows)
  }

  /// Writes `text` from the given place to the right, sanitised, on one row.
  ///
  /// What lies left of column 0, right of the frame or of `limit` columns, or outside the rows is
  /// left out; a wide character that would be cut in half becomes a space. The other half of a wide
  /// character that is overwritten in part becomes a space.
  ///
  /// - Returns: the columns written, at most `limit`.
  @discardableResult
  public mutating func put(
    _ text: String, row: Int, column: Int, limit: Int = .max, style: StyleKey = .text
  ) -> Int {
    guard let span = visible(row: row, column: column, columns: limit) else { return 0 }
    if Sanitiser.isPlain(text) {
      return put(plain: text, in: span, row: row, column: column, style)
    }
    let end = span.upperBound
    var place = column
    for glyph in GlyphSequence(Sanitiser.display(text)) {
      guard place < end else { break }
      let after = place + glyph.columns
      if place >= span.lowerBound && after <= end {
        store(glyph, row: row, column: place, style: style)
      } else {
        for half in place..<after where span.contains(half) {
          store(.space, row: row, column: half, style: style)
        }
      }
      place = after
    }
    return max(0, min(place, end) - span.lowerBound)
  }

  /// Most texts: a byte is a column, and nothing is to be sanitised.
  private mutating func put(
    plain text: String, in span: Range<Int>, row: Int, column: Int, _ style: StyleKey
  ) -> Int {
    var place = column
    for byte in text.utf8 {
      guard place < span.upperBound else { break }
      if place >= span.lowerBound { store(plain: byte, row: row, column: place, style: style) }
      place += 1
    }
    return max(0, place - span.lowerBound)
  }

  /// Writes `character` in every cell of a stretch of one row, clipped like `put`.
  public mutating func fill(
    row: Int, column: Int = 0, columns: Int = .max, style: StyleKey = .text,
    with character: Character = " "
  ) {
    guard let span = visible(row: row, column: column, columns: columns) else { return }
    let shown = Sanitiser.display(String(character))
    var glyphs = GlyphSequence(shown)
    let glyph = glyphs.next() ?? .space
    var place = span.lowerBound
    while place + glyph.columns <= span.upperBound {
      store(glyph, row: row, column: place, style: style)
      place += glyph.columns
    }
    if place < span.upperBound {
      store(.space, row: row, column: place, style: style)
    }
  }

  /// Says that a stretch of one row names a site, clipped like `put`.
  public mutating func link(row: Int, column: Int, columns: Int, address: String) {
    guard let span = visible(row: row, column: column, columns: columns) else { return }
    links.append(
      Link(row: row, column: span.lowerBound, columns: span.count, address: address))
  }

  /// Changes the style of a stretch of one row and leaves its text, clipped like `put`.
  public mutating func restyle(row: Int, column: Int, columns: Int, style: StyleKey) {
    guard let span = visible(row: row, column: column, columns: columns) else { return }
    for place in span {
      cells[row * size.columns + place].style = style
    }
  }

  /// The whole text, one string a row, without trailing spaces.
  public var lines: [String] {
    (0..<size.rows).map { row in
      var line = ""
      for column in 0..<size.columns {
        let cell = cells[row * size.columns + column]
        guard cell.columns > 0 else { continue }
        line += glyph(of: cell).text
      }
      while line.unicodeScalars.last == " " {
        line.unicodeScalars.removeLast()
      }
      return line
    }
  }

  /// What the cell at a place shows; nil outside the frame and for a wide character's second half.
  public func glyph(row: Int, column: Int) -> (glyph: Glyph, style: StyleKey)? {
    guard let span = visible(row: row, column: column, columns: 1), span.contains(column) else {
      return nil
    }
    let cell = cells[row * size.columns + column]
    guard cell.columns > 0 else { return nil }
    return (glyph(of: cell), cell.style)
  }

  func glyph(of cell: Cell) -> Glyph {
    if cell.content & Self.clusterBit != 0 {
      return clusters[Int(cell.content & ~Self.clusterBit)]
    }
    let base = Unicode.Scalar(cell.content) ?? "?"
    return Glyph(base: base, columns: Int(max(1, cell.columns)))
  }

  /// The columns of a stretch that lie inside the frame; nil when none does.
  private func visible(row: Int, column: Int, columns: Int) -> Range<Int>? {
    guard row >= 0, row < size.rows, column < size.columns, columns > 0 else { return nil }
    let (sum, overflow) = column.addingReportingOverflow(columns)
    let end = overflow ? size.columns : min(size.columns, sum)
    let start = max(0, column)
    return start < end ? start..<end : nil
  }

  /// Writes one glyph that is known to fit.
  private mutating func store(_ glyph: Glyph, row: Int, column: Int, style: StyleKey) {
    let first = row * size.columns + column
    let last = first + glyph.columns - 1
    let rowEnd = (row + 1) * size.columns - 1
    if cells[first].columns == 0 { blank(first - 1) }
    if cells[last].columns == 2, last < rowEnd { blank(last + 1) }
    var content = glyph.base.value
    if !glyph.marks.isEmpty {
      content = Self.clusterBit | UInt32(clusters.count)
      clusters.append(glyph)
    }
    cells[first] = Cell(
      content: content, style: style, columns: UInt8(glyph.columns))
    if glyph.columns == 2 {
      cells[last] = Cell(content: 0x20, style: style, columns: 0)
    }
  }

  /// The same for a printable ASCII character.
  private mutating func store(plain byte: UInt8, row: Int, column: Int, style: StyleKey) {
    let index = row * size.columns + column
    if cells[index].columns != 1 {
      if cells[index].columns == 0 { blank(index - 1) }
      if cells[index].columns == 2, column + 1 < size.columns { blank(index + 1) }
    }
    cells[index] = Cell(content: UInt32(byte), style: style, columns: 1)
  }

  /// Turns the half of a wide character that stays into a space of the same style.
  private mutating func blank(_ index: Int) {
    cells[index].content = 0x20
    cells[index].columns = 1
  }
}

extension Frame: Equatable {
  /// Frames are equal when they look alike, whatever the order they were painted in.
  public static func == (one: Frame, other: Frame) -> Bool {
    guard one.size == other.size, one.cursor == other.cursor, one.title == other.title,
      one.bell == other.bell, one.links == other.links
    else { return false }
    if one.clusters == other.clusters { return one.cells == other.cells }
    return one.runs(from: other).isEmpty
  }
}
