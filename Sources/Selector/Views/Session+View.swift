import Sync
import Wire

// The screen as a whole.
extension Session {
  /// The screen as it is now. Any size is possible; what does not fit is cut off.
  public func view() -> Frame {
    var frame = Frame(size: size)
    frame.title = windowTitle
    let layout = layout
    guard layout.arrangement != .tooSmall else {
      paintTooSmall(&frame)
      return frame
    }
    paintTitle(&frame)
    if case .help(let help) = overlay {
      paintHelp(help, &frame)
    } else {
      paintBody(layout, &frame)
    }
    paintMessageRow(&frame)
    paintHints(&frame)
    return frame
  }

  /// The dialog without what it covers.
  func dialogView() -> Frame {
    var frame = Frame(size: size)
    paintDialog(&frame)
    return frame
  }

  private var windowTitle: String {
    switch profile.phase {
    case .empty: "higgins"
    case .locked: "higgins: locked"
    case .unlocked: "higgins: \(profile.deviceName)"
    }
  }

  private func paintBody(_ layout: Layout, _ frame: inout Frame) {
    if case .kit(let kit) = overlay {
      paintKit(kit, &frame)
      return
    }
    if case .start(let row) = overlay {
      paintStart(marked: row, &frame)
      return
    }
    switch profile.phase {
    case .empty: paintWelcome(&frame)
    case .locked(let since, let reason): paintLock(since: since, reason: reason, &frame)
    case .unlocked:
      paintPanes(layout, &frame)
      paintDialog(&frame)
    }
  }

  private func paintPanes(_ layout: Layout, _ frame: inout Frame) {
    paintHeadings(layout, &frame)
    if let region = layout.contexts { paintContexts(region, &frame) }
    if let region = layout.detail { paintDetail(region, &frame) }
    if let region = layout.status {
      if layout.arrangement == .columns {
        paintStatusColumn(region, &frame)
      } else {
        paintStatus(region, &frame)
      }
    }
    if let row = layout.statusRow {
      let region = Region(row: row, column: 0, rows: 1, columns: size.columns)
      frame.paint([syncLine(isNarrow: layout.isNarrow)], in: region)
    }
  }

  private func paintDialog(_ frame: inout Frame) {
    switch overlay {
    case .form(let form): paintForm(form, &frame)
    case .generator(let generator): paintGenerator(generator, &frame)
    case .pairing(let pairing): paintPairing(pairing, &frame)
    case .drafts(let row): paintDrafts(marked: row, &frame)
    case .question(let question): paintBehind(question, &frame)
    case .command(let line): paintCandidates(line, &frame)
    default: break
    }
  }

  private func paintTooSmall(_ frame: inout Frame) {
    let lines = [
      "higgins needs \(Layout.minimum.columns) x \(Layout.minimum.rows).",
      "This terminal has \(size.columns) x \(size.rows).", "", "Nothing is lost.",
    ]
    let top = size.rows >= 6 ? 2 : 0
    let left = size.columns >= 28 ? 2 : 0
    for (row, line) in lines.enumerated() {
      frame.put(line, row: top + row, column: left)
    }
  }

  /// The rows between title and message row.
  var body: Region {
    Region(row: 1, column: 0, rows: max(0, size.rows - 3), columns: size.columns)
  }
}

// Headings and the lines between panes.
extension Session {
  private func paintHeadings(_ layout: Layout, _ frame: inout Frame) {
    let seams = [layout.contexts, layout.detail, layout.status].compactMap(\.self)
    for region in seams {
      frame.fill(
        row: region.row - 1, column: region.column, columns: region.columns, style: .bar, with: "─")
    }
    if let region = layout.contexts { paintHeading(contextsHeading, .contexts, region, &frame) }
    if let region = layout.detail { paintHeading(detailHeading, .attributes, region, &frame) }
    if let region = layout.status {
      let title = layout.arrangement == .columns ? "Peers" : "Status\(unseenWords)"
      paintHeading((title, ""), .status, region, &frame)
    }
    paintSeams(layout, &frame)
  }

  private func paintSeams(_ layout: Layout, _ frame: inout Frame) {
    guard layout.arrangement == .columns || layout.arrangement == .panes,
      let detail = layout.detail
    else { return }
    var columns = [detail.column - 1]
    if layout.arrangement == .columns { columns.append(detail.column + detail.columns) }
    for column in columns {
      frame.put("┬", row: 1, column: column, style: .bar)
      for row in detail.row..<(detail.row + detail.rows) {
        frame.put("│", row: row, column: column, style: .bar)
      }
    }
    if layout.arrangement == .panes {
      frame.put("┴", row: detail.row + detail.rows, column: detail.column - 1, style: .bar)
    }
  }

  /// A pane's title, in brackets when it has the focus, and what follows it.
  private func paintHeading(
    _ heading: (title: String, rest: String), _ pane: Pane, _ region: Region, _ frame: inout Frame
  ) {
    let isFocused = shownFocus == pane
    let title = isFocused ? "[\(heading.title)]" : heading.title
    let text = " \(title) " + (heading.rest.isEmpty ? "" : "\(heading.rest) ")
    let column = region.column == 0 ? 1 : region.column
    frame.put(
      text, row: region.row - 1, column: column,
      limit: region.column + region.columns - column,
      style: isFocused ? .headingFocused : .heading)
  }

  /// A new password is made in the pane of its context.
  private var shownFocus: Pane {
    if case .generator = overlay { .attributes } else { focus }
  }

  private var contextsHeading: (title: String, rest: String) {
    let shown = contexts.shownCount
    let count = "\(contexts.count)"
    return ("Contexts", contexts.isNarrowed ? "\(shown) of \(count)" : count)
  }

  private var detailHeading: (title: String, rest: String) {
    let name = record?.name ?? "Attributes"
    switch detail {
    case .attributes: return (name, "")
    case .devices: return ("Devices \(status.peers.count)", "")
    case .conflicts: return ("Conflicts \(conflicts.count)", "")
    case .signals: return ("Signals \(log.entries.count)", "")
    case .history(let view):
      let found = record?.attributes.first { $0.id == view.attribute }
      return (view.isWhole ? "\(name)  history" : "\(name) / \(found?.label ?? "")  history", "")
    case .conflict: return ("\(name)  conflict", "")
    case .trash(let view): return ("Deleted \(view.records?.count ?? 0)", "")
    case .alarms: return ("Alarms \(status.alarms.count)", "")
    }
  }

  var unseenWords: String { news.unseen > 0 ? " \(news.unseen) new" : "" }
}
