/// A rectangle of the screen. Its heading, if it has one, is the row above.
struct Region: Hashable, Sendable {
  var row: Int
  var column: Int
  var rows: Int
  var columns: Int
}

/// Which panes are on the screen, and where.
struct Layout: Hashable, Sendable {
  enum Arrangement: Hashable, Sendable {
    case tooSmall
    /// Contexts, attributes and status side by side.
    case columns
    /// Contexts and attributes side by side, status below.
    case panes
    /// One above the other.
    case stacked
    /// The focused pane and one row of status.
    case single
  }

  static let minimum = Size(columns: 40, rows: 10)

  let size: Size
  let arrangement: Arrangement
  /// Without headings.
  private(set) var contexts: Region?
  private(set) var detail: Region?
  private(set) var status: Region?
  /// The one row that stands for the status pane.
  private(set) var statusRow: Int?

  var messageRow: Int { size.rows - 2 }
  var hintRow: Int { size.rows - 1 }
  var isNarrow: Bool { size.columns < 60 }

  init(size: Size, focus: Pane, isZoomed: Bool) {
    self.size = size
    arrangement = Self.arrangement(size, isZoomed: isZoomed)
    switch arrangement {
    case .tooSmall: break
    case .columns: placeColumns()
    case .panes: placePanes()
    case .stacked: placeStacked()
    case .single: placeSingle(focus)
    }
  }

  private static func arrangement(_ size: Size, isZoomed: Bool) -> Arrangement {
    if size.columns < minimum.columns || size.rows < minimum.rows { return .tooSmall }
    if isZoomed || size.rows < 18 { return .single }
    if size.columns >= 100 && size.rows >= 24 { return .columns }
    return size.columns >= 60 ? .panes : .stacked
  }

  /// Rows between the title and the message row.
  private var bodyRows: Int { size.rows - 3 }

  private mutating func placeColumns() {
    let left = 30
    let right = 37
    let rows = bodyRows - 1
    contexts = Region(row: 2, column: 0, rows: rows, columns: left)
    detail = Region(row: 2, column: left + 1, rows: rows, columns: size.columns - left - right - 2)
    status = Region(row: 2, column: size.columns - right, rows: rows, columns: right)
  }

  private mutating func placePanes() {
    let left = 25
    let below = 7
    let rows = bodyRows - below - 2
    contexts = Region(row: 2, column: 0, rows: rows, columns: left)
    detail = Region(row: 2, column: left + 1, rows: rows, columns: size.columns - left - 1)
    status = Region(row: rows + 3, column: 0, rows: below, columns: size.columns)
  }

  private mutating func placeStacked() {
    let third = bodyRows / 3
    let below = min(7, third)
    contexts = Region(row: 2, column: 0, rows: third - 1, columns: size.columns)
    detail = Region(
      row: third + 2, column: 0, rows: bodyRows - third - below - 1, columns: size.columns)
    status = Region(
      row: size.rows - 2 - below + 1, column: 0, rows: below - 1, columns: size.columns)
  }

  private mutating func placeSingle(_ focus: Pane) {
    let region = Region(row: 2, column: 0, rows: bodyRows - 2, columns: size.columns)
    switch focus {
    case .contexts: contexts = region
    case .attributes: detail = region
    case .status: status = region
    }
    statusRow = size.rows - 3
  }
}
