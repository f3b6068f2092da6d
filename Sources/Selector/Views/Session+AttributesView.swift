import Sync
import Wire

// The middle pane, and in it the attributes of a context.
extension Session {
  func paintDetail(_ region: Region, _ frame: inout Frame) {
    let (lines, top) = detailLines(region)
    let isFocused = focus == .attributes
    var painted = lines
    if !isFocused { for place in painted.indices { painted[place].cursor = nil } }
    if isBehindBox {
      // The mark would stand beside the box as if it were a part of it.
      for place in painted.indices { painted[place].pieces.removeAll { $0.text == ">" } }
    }
    frame.paint(
      painted, in: region, top: top, marked: isFocused ? .selected : .selectedUnfocused)
  }

  private var isBehindBox: Bool {
    switch overlay {
    case .form, .generator, .pairing, .drafts: true
    default: false
    }
  }

  /// The lines of the middle pane, and which is the first on the screen.
  func detailLines(_ region: Region) -> (lines: [PaneLine], top: Int) {
    var lines: [PaneLine]
    switch detail {
    case .attributes: lines = attributeLines(columns: region.columns)
    case .devices(let row): lines = deviceLines(marked: row, columns: region.columns)
    case .conflicts(let row): lines = conflictListLines(marked: row, columns: region.columns)
    case .signals(let row): lines = signalLines(marked: row)
    case .history(let view): lines = historyLines(view, columns: region.columns)
    case .conflict(let view): lines = conflictLines(view, columns: region.columns)
    case .trash(let view): lines = trashLines(view, columns: region.columns)
    case .alarms(let row): lines = alarmLines(marked: row, columns: region.columns)
    }
    while lines.count > region.rows, let empty = lines.firstIndex(where: \.isEmpty) {
      lines.remove(at: empty)
    }
    return (lines, Frame.top(of: lines, rows: region.rows))
  }

  private func attributeLines(columns: Int) -> [PaneLine] {
    guard let record else {
      return [.empty, PaneLine("Nothing is marked.", column: 3, style: .dim)]
    }
    let labels = record.attributes.map { DisplayWidth.columns(of: $0.label) }
    let width = (labels.max() ?? 0).clamped(to: 8...max(8, columns / 3))
    var lines: [PaneLine] = size.rows >= 20 && !layout.isNarrow ? [.empty] : []
    for attribute in record.attributes {
      var own = self.lines(for: attribute, width: width, columns: columns)
      for place in own.indices { own[place].attribute = attribute.id }
      lines += own
    }
    if record.attributes.isEmpty {
      let usual = Template(of: record.kind).entries.map(\.label).joined(separator: ", ")
      let words = usual.isEmpty ? "one" : "\(usual), or any other"
      lines += Fit.wrap("No attributes yet. a adds \(words).", columns: columns - 4).map {
        PaneLine($0, column: 3, style: .dim)
      }
    }
    return lines + footer(of: record, width: width)
  }

  private func footer(of record: ContextRecord, width: Int) -> [PaneLine] {
    var kind = PaneLine("kind", column: 3, style: .dim)
    kind.add(record.kind.rawValue, column: 3 + width + 2, style: .dim)
    var updated = PaneLine("updated", column: 3, style: .dim)
    updated.add(
      "\(time.date(record.updatedAt)) \(time.clock(record.updatedAt)) by "
        + name(of: record.updatedBy),
      column: 3 + width + 2, style: .dim)
    var lines: [PaneLine] = [.empty, kind, updated]
    if record.names.count > 1 {
      lines.append(PaneLine("! it was renamed on two devices; X shows both", column: 1))
    }
    if let device = record.deletedOn {
      lines.append(
        PaneLine("\(name(of: device)) deleted it; a later edit brought it back", column: 3))
    }
    return lines
  }

  private func lines(
    for attribute: AttributeRecord, width: Int, columns: Int
  ) -> [PaneLine] {
    let isMarked = focus == .attributes && attribute.id == self.attribute
    let mark = mark(of: attribute)
    var first = PaneLine()
    first.add(mark.text, column: 1, style: mark.style)
    if isMarked {
      first.add(">", column: mark.text.isEmpty ? 1 : 0)
      first.isMarked = true
      first.cursor = mark.text.isEmpty ? 1 : 0
    }
    let label = Fit.field(attribute.label, cursor: 0, columns: width).text
    first.add(String(label.prefix(width)), column: 3, style: .label)
    let column = 3 + width + 2
    if case .values(let form) = overlay, let entry = form.entry(of: attribute.id) {
      return lines(of: entry, in: form, first: first, column: column, columns: columns)
    }
    return valueLines(attribute, first: first, column: column, columns: columns)
  }

  private func valueLines(
    _ attribute: AttributeRecord, first: PaneLine, column: Int, columns: Int
  ) -> [PaneLine] {
    var first = first
    if attribute.hasConflict {
      let count = Set(attribute.heads.map(\.text)).count
      first.add("\(count) values; Enter shows them", column: column, style: .conflictMark)
      return [first]
    }
    let shown = shownValue(attribute, columns: columns - column)
    let isLink = attribute.kind == .url && profile.preferences.hasLinks
    let link = isLink ? Link.address(of: attribute.text) : nil
    first.add(shown.lines[0], column: column, style: shown.style, link: link)
    let end = first.end
    if shown.note.isEmpty {
      // Nothing to add.
    } else if end + 3 + DisplayWidth.columns(of: shown.note) <= columns {
      first.add(shown.note, column: end + 3, style: .dim)
    }
    return [first]
      + shown.lines.dropFirst().map { PaneLine($0, column: column, style: shown.style) }
  }

  /// What is shown of a value, and a remark after it.
  func shownValue(
    _ attribute: AttributeRecord, columns: Int
  ) -> (lines: [String], style: StyleKey, note: String) {
    let isRevealed = isRevealed(attribute)
    if attribute.kind == .totp {
      guard isRevealed else { return ([Fit.codeMask], .masked, "") }
      guard let code = codes[attribute.id] else { return (["..."], .revealed, "") }
      let seconds = max(0, (code.until - now + 999) / 1000)
      return ([Self.grouped(code.text)], .revealed, "\(seconds) s left")
    }
    if attribute.isConcealed && !isRevealed {
      let note = attribute.kind == .password ? "changed \(time.date(attribute.updatedAt))" : ""
      return ([Fit.mask], .masked, note)
    }
    let text = attribute.kind == .card ? Self.grouped(card: attribute.text) : attribute.text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let style: StyleKey = attribute.isConcealed ? .revealed : .value
    if isRevealed {
      return (lines.flatMap { Fit.chop($0, columns: columns) }, style, revealNote)
    }
    if lines.count < 2 { return (lines, style, "") }
    return ([lines[0]], style, "+\(Self.counted(lines.count - 1, "line")), v shows")
  }

  private var revealNote: String {
    reveal.map { "hidden at \(time.clock($0.until))" } ?? ""
  }

  /// `4111 1111 1111 1111`, as on the card; anything but bare digits stays as it was typed.
  private static func grouped(card text: String) -> String {
    guard text.count > 4, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return text }
    let digits = Array(text)
    return stride(from: 0, to: digits.count, by: 4).map {
      String(digits[$0..<min($0 + 4, digits.count)])
    }.joined(separator: " ")
  }

  /// `123 456`
  private static func grouped(_ code: String) -> String {
    guard code.count == 6 else { return code }
    return "\(code.prefix(3)) \(code.suffix(3))"
  }

  private func lines(
    of entry: ValueForm.Entry, in form: ValueForm, first: PaneLine, column: Int, columns: Int
  ) -> [PaneLine] {
    let isCurrent = form.current == entry.attribute.id
    var first = first
    first.cursor = nil
    if entry.isModified { first.trailer = ("modified", .pendingMark) }
    let room = max(1, columns - column - 11)
    if entry.attribute.isConcealed && !(isCurrent && form.isShown) {
      let mask = entry.editor.isEmpty ? "" : Fit.mask
      first.add(mask, column: column, style: isCurrent ? .editing : .masked)
      if isCurrent { first.cursor = column + mask.count }
      return [first]
    }
    let layout = entry.editor.layout
    return layout.lines.enumerated().map { place, text in
      var line = place == 0 ? first : PaneLine()
      let hasCursor = isCurrent && place == layout.line
      let field = Fit.field(text, cursor: hasCursor ? layout.column : 0, columns: room)
      line.add(field.text, column: column, style: isCurrent ? .editing : .value)
      if hasCursor { line.cursor = column + field.cursor }
      return line
    }
  }

  func mark(of attribute: AttributeRecord) -> (text: String, style: StyleKey) {
    if attribute.hasConflict || attribute.hasLabelConflict { return ("!", .conflictMark) }
    if news.attributes.contains(attribute.id) { return ("~", .changedMark) }
    if attribute.isPending { return ("*", .pendingMark) }
    return ("", .text)
  }
}
