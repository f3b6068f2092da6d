/// Neighbouring cells of one row that changed and have the same style.
public struct Run: Hashable, Sendable {
  public let row: Int
  public let column: Int
  public let style: StyleKey
  public let glyphs: [Glyph]

  /// Columns the run takes.
  public var columns: Int {
    glyphs.reduce(0) { $0 + $1.columns }
  }
}

extension Frame {
  /// What to write on a terminal that shows `old` so that it shows this frame.
  ///
  /// Everything when `old` is nil or has another size. Runs come in reading order, and a wide
  /// character is always written whole.
  public func runs(from old: Frame?) -> [Run] {
    let old = old?.size == size ? old : nil
    var runs: [Run] = []
    for row in 0..<size.rows {
      appendRuns(of: row, from: old, to: &runs)
    }
    return runs
  }

  private func appendRuns(of row: Int, from old: Frame?, to runs: inout [Run]) {
    let start = row * size.columns
    var column = 0
    while column < size.columns {
      guard isChanged(start + column, from: old) else {
        column += 1
        continue
      }
      let first = column
      let style = cells[start + column].style
      var glyphs: [Glyph] = []
      repeat {
        let glyph = glyph(of: cells[start + column])
        glyphs.append(glyph)
        column += glyph.columns
      } while column < size.columns && cells[start + column].style == style
        && isChanged(start + column, from: old)
      runs.append(Run(row: row, column: first, style: style, glyphs: glyphs))
    }
  }

  /// Whether the character that begins at `index` differs in either of its cells.
  ///
  /// Second halves are never asked alone: they change only together with a first half.
  private func isChanged(_ index: Int, from old: Frame?) -> Bool {
    guard let old else { return cells[index].columns > 0 }
    guard cells[index].columns > 0 else { return false }
    if differs(index, from: old) { return true }
    return cells[index].columns == 2 && differs(index + 1, from: old)
  }

  private func differs(_ index: Int, from old: Frame) -> Bool {
    let (new, past) = (cells[index], old.cells[index])
    guard new.style == past.style, new.columns == past.columns else { return true }
    guard (new.content | past.content) & Self.clusterBit != 0 else {
      return new.content != past.content
    }
    return glyph(of: new) != old.glyph(of: past)
  }
}
