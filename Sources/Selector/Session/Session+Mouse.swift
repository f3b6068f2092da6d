// The mouse: a click marks, the wheel moves. Everything it does a key does too.
extension Session {
  /// Rows that one step of the wheel moves.
  private static let wheelRows = 3

  mutating func take(_ mouse: Mouse) -> [Effect] {
    lastKeyAt = now
    guard isUnlocked, overlay == nil, let pane = pane(at: mouse.position) else { return [] }
    message = nil
    if pane.pane != focus { focus(on: pane.pane) }
    switch mouse.act {
    case .wheelUp, .wheelDown:
      count = Self.wheelRows
      _ = move(mouse.act == .wheelUp ? .up : .down)
      count = 0
    case .press: mark(row: mouse.position.row - pane.region.row, in: pane)
    }
    return []
  }

  private func pane(at position: Position) -> (pane: Pane, region: Region)? {
    let layout = layout
    let panes: [(Pane, Region?)] = [
      (.contexts, layout.contexts), (.attributes, layout.detail), (.status, layout.status),
    ]
    for case (let pane, let region?) in panes where region.contains(position) {
      return (pane, region)
    }
    return nil
  }

  private mutating func mark(row: Int, in pane: (pane: Pane, region: Region)) {
    switch pane.pane {
    case .contexts:
      let before = contexts.selectedID
      guard contexts.shown(contexts.top + row) != nil else { return }
      contexts.select(row: contexts.top + row)
      didSelect(insteadOf: before)
    case .attributes:
      let (lines, top) = detailLines(pane.region)
      guard lines.indices.contains(top + row), let found = lines[top + row].attribute else {
        return
      }
      if found != attribute { conceal() }
      attribute = found
    case .status: break
    }
  }
}

extension Region {
  fileprivate func contains(_ position: Position) -> Bool {
    (row..<(row + rows)).contains(position.row)
      && (column..<(column + columns)).contains(position.column)
  }
}
