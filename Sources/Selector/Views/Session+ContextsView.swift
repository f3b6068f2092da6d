import Sync
import Wire

// The list of contexts.
extension Session {
  func paintContexts(_ region: Region, _ frame: inout Frame) {
    guard contexts.shownCount > 0 else {
      paintNoContexts(region, &frame)
      return
    }
    for line in 0..<region.rows {
      let row = contexts.top + line
      guard let record = contexts.shown(row) else { break }
      paintContext(
        record, isMarked: row == contexts.row, row: region.row + line, region, &frame)
    }
  }

  private func paintContext(
    _ record: ContextRecord, isMarked: Bool, row: Int, _ region: Region, _ frame: inout Frame
  ) {
    let mark = mark(of: record)
    let room = region.columns - 3
    frame.put(mark.text, row: row, column: region.column + 1, style: mark.style)
    frame.put(record.name, row: row, column: region.column + 3, limit: room)
    // A name that goes on says so: its neighbour may begin with the same letters.
    if DisplayWidth.columns(of: record.name) > room {
      frame.put("…", row: row, column: region.column + region.columns - 1)
    }
    paintPin(of: record, row: row, region, &frame)
    if contexts.isNarrowed { paintHits(in: record.name, row: row, region, &frame) }
    guard isMarked else { return }
    frame.put(">", row: row, column: region.column)
    let isFocused = focus == .contexts
    frame.restyle(
      row: row, column: region.column, columns: region.columns,
      style: isFocused ? .selected : .selectedUnfocused)
    if isFocused { frame.cursor = Position(row: row, column: region.column) }
  }

  /// The word at the right edge, where the name leaves room for it.
  private func paintPin(
    of record: ContextRecord, row: Int, _ region: Region, _ frame: inout Frame
  ) {
    let word = "pinned"
    let end = 3 + DisplayWidth.columns(of: record.name)
    let column = region.columns - word.count - 1
    guard record.isPinned, column > end else { return }
    frame.put(word, row: row, column: region.column + column, style: .dim)
  }

  /// Shows what the query found; offsets are columns only in ASCII.
  private func paintHits(in name: String, row: Int, _ region: Region, _ frame: inout Frame) {
    guard name.utf8.allSatisfy({ $0 < 0x80 }) else { return }
    for offset in NameIndex.hits(contexts.query, in: name) where offset < region.columns - 3 {
      frame.restyle(row: row, column: region.column + 3 + offset, columns: 1, style: .match)
    }
  }

  private func paintNoContexts(_ region: Region, _ frame: inout Frame) {
    let texts: [String]
    if contexts.isNarrowed {
      texts = ["Nothing matches", contexts.query, "", "Esc shows all"]
    } else if past != nil {
      texts = ["There were none.", "", "Esc goes back to now"]
    } else {
      texts = ["No contexts yet.", "", "o  makes one", ":import  reads a file"]
    }
    for (line, text) in texts.enumerated() where line < region.rows {
      frame.put(
        text, row: region.row + line, column: region.column + 3, limit: region.columns - 3,
        style: .dim)
    }
    if focus == .contexts, overlay == nil {
      frame.cursor = Position(row: region.row, column: region.column)
    }
  }

  /// Why a context deserves a look, the most pressing first.
  func mark(of record: ContextRecord) -> (text: String, style: StyleKey) {
    if record.hasConflict { return ("!", .conflictMark) }
    if past != nil { return ("", .text) }
    if news.added.contains(record.id) { return ("+", .addedMark) }
    if news.changed.contains(record.id) { return ("~", .changedMark) }
    if record.isPending { return ("*", .pendingMark) }
    return ("", .text)
  }
}
