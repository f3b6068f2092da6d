import Sync
import Vault
import Wire

// Boxes over the panes.
extension Session {
  /// Paints a box around lines, in the middle pane if it fits there. Where rows are short, empty
  /// lines go first, and the line with the cursor stays in sight.
  func paintBox(
    _ title: String, _ lines: [PaneLine], columns: Int, over pane: Region?, _ frame: inout Frame
  ) {
    var area = body
    if let pane, pane.columns >= columns, pane.rows >= lines.count + 2 { area = pane }
    var shown = lines
    while shown.count + 2 > area.rows, let empty = shown.firstIndex(where: \.isEmpty) {
      shown.remove(at: empty)
    }
    let box = Self.box(in: area, rows: shown.count + 2, columns: columns)
    paintFrame(box, title: title, &frame)
    let inner = Region(
      row: box.row + 1, column: box.column + 1, rows: box.rows - 2, columns: box.columns - 2)
    frame.cursor = nil
    let top = Frame.top(
      showing: shown.lastIndex { $0.cursor != nil }, of: shown.count, rows: inner.rows)
    frame.paint(shown, in: inner, top: top, style: .dialog)
  }

  private static func box(in area: Region, rows: Int, columns: Int) -> Region {
    let columns = min(columns, area.columns)
    let rows = min(rows, area.rows)
    return Region(
      row: area.row + (area.rows - rows) / 2, column: area.column + (area.columns - columns) / 2,
      rows: rows, columns: columns)
  }

  private func paintFrame(_ box: Region, title: String, _ frame: inout Frame) {
    let right = box.column + box.columns - 1
    let bottom = box.row + box.rows - 1
    for (row, corners) in [(box.row, ("┌", "┐")), (bottom, ("└", "┘"))] {
      frame.fill(row: row, column: box.column, columns: box.columns, style: .dialog, with: "─")
      frame.put(corners.0, row: row, column: box.column, style: .dialog)
      frame.put(corners.1, row: row, column: right, style: .dialog)
    }
    for row in (box.row + 1)..<max(box.row + 1, bottom) {
      frame.put("│", row: row, column: box.column, style: .dialog)
      frame.put("│", row: row, column: right, style: .dialog)
    }
    frame.put(
      " \(title) ", row: box.row, column: box.column + 2, limit: box.columns - 4,
      style: .dialogTitle)
  }

  func paintForm(_ form: Form, _ frame: inout Frame) {
    let columns = min(size.columns, form.context == nil && form.purpose != .newContext ? 66 : 50)
    let names = form.fields.map { DisplayWidth.columns(of: $0.name) }
    let column = 3 + (names.max() ?? 0) + 2
    var lines = [PaneLine.empty]
    for (place, field) in form.fields.enumerated() {
      lines += self.lines(
        of: field, isFocused: place == form.focus, form: form, column: column,
        columns: columns - 2)
    }
    lines.append(.empty)
    if let notice = form.notice {
      lines += Fit.wrap(notice, columns: columns - 4).map { PaneLine($0, column: 1, style: .error) }
    } else if form.isWaiting {
      lines.append(PaneLine("One moment."))
    }
    if form.notice != nil || form.isWaiting { lines.append(.empty) }
    let pane = isUnlocked ? layout.detail : nil
    paintBox(form.title, lines, columns: columns, over: pane, &frame)
  }

  private func lines(
    of field: Form.Field, isFocused: Bool, form: Form, column: Int, columns: Int
  ) -> [PaneLine] {
    var first = PaneLine(isFocused ? ">" : "", column: 1)
    first.add(field.name, column: 3, style: .label)
    let room = max(1, columns - column - 1)
    switch field.content {
    case .choice(let choices, let place):
      first.add("< \(choices[place]) >", column: column, style: isFocused ? .editing : .value)
      if isFocused { first.cursor = column }
      return [first]
    case .text(let editor) where editor.isEmpty:
      first.add(field.help, column: column, style: .dim)
      if isFocused { first.cursor = column }
      return [first]
    case .text(let editor) where field.isSecret && !form.isShown:
      // While a new secret is typed each character shows, so that a key that got lost is noticed.
      let mask = String(repeating: "█", count: min(editor.characters.count, room - 1))
      first.add(mask, column: column, style: .masked)
      if isFocused { first.cursor = column + mask.count }
      return [first]
    case .text(let editor):
      let layout = editor.layout
      return layout.lines.enumerated().map { place, text in
        var line = place == 0 ? first : PaneLine()
        let hasCursor = isFocused && place == layout.line
        let shown = Fit.field(text, cursor: hasCursor ? layout.column : 0, columns: room)
        line.add(shown.text, column: column, style: isFocused ? .editing : .value)
        if hasCursor { line.cursor = column + shown.cursor }
        return line
      }
    }
  }

  func paintGenerator(_ generator: Generator, _ frame: inout Frame) {
    let form = generator.form
    let columns = min(50, size.columns)
    let count = form.kind == .words ? "\(form.words) words" : "\(form.length)"
    let length = labelled("length", "< \(count) >   \(form.bits) bits")
    let classes = GeneratorForm.CharacterClass.allCases.map {
      "[\(form.classes.contains($0) ? "x" : " ")] \($0.sample)"
    }.joined(separator: "  ")
    let kinds = GeneratorForm.Kind.allCases.map {
      "(\($0 == form.kind ? "x" : " ")) \($0.rawValue)"
    }.joined(separator: "  ")
    var lines = [PaneLine.empty] + newPasswordLines(generator, columns: columns - 16) + [length]
    switch form.kind {
    case .random:
      let mark = form.recipe.excludeLookAlikes ? " " : "x"
      lines += [
        labelled("use", classes), labelled("", "[\(mark)] look-alikes 0 O o 1 l I |"),
      ]
    case .words: lines.append(labelled("use", "a list of \(WordList.words.count) words"))
    case .pin: lines.append(labelled("use", "0-9"))
    }
    lines += [labelled("kind", kinds), .empty]
    if generator.attribute != nil { lines.append(labelled("old", "kept in history, O copies it")) }
    lines += [labelled("site", "change it there, then Enter"), labelled("peers", peerArrival)]
    paintBox(
      "New password  \(generator.contextName)", lines, columns: columns, over: layout.detail,
      &frame)
  }

  private func newPasswordLines(_ generator: Generator, columns: Int) -> [PaneLine] {
    var new = PaneLine("new", column: 2, style: .label)
    new.cursor = 12
    guard let value = generator.value, generator.isShown else {
      let mask = generator.value == nil ? "..." : String(repeating: Fit.mask, count: 2)
      new.add(mask, column: 12, style: .masked)
      new.trailer = ("v show ", .dim)
      return [new]
    }
    let parts = Fit.chop(value, columns: columns)
    new.add(parts[0], column: 12, style: .revealed)
    return [new] + parts.dropFirst().map { PaneLine($0, column: 12, style: .revealed) }
  }

  /// Who gets it when, in few words.
  private var peerArrival: String {
    let others = status.peers.filter { !$0.isThisDevice }
    if others.isEmpty { return "none yet" }
    return others.map { peer in
      peer.isOnline && status.state != .offline ? "\(peer.name) now" : "\(peer.name) when online"
    }.joined(separator: ", ")
  }

  private func labelled(_ label: String, _ text: String) -> PaneLine {
    var line = PaneLine(label, column: 2, style: .label)
    line.add(text, column: 12, style: .dialog)
    return line
  }
}

// Pairing and the account secret.
extension Session {
  func paintPairing(_ pairing: Pairing, _ frame: inout Frame) {
    let columns = min(60, size.columns)
    var lines = [PaneLine.empty]
    switch pairing {
    case .asking: lines.append(PaneLine("Asking the server for a code.", column: 2))
    case .code(let code, let expiresAt):
      lines += paragraph("On the new device: higgins, then join, and type this code.", columns)
      lines += [.empty] + marked(paragraph(code, columns)) + [.empty]
      lines += paragraph(
        "It works once, until \(time.clock(expiresAt)) "
          + "(\(max(0, (expiresAt - now + 999) / 1000)) s left).", columns)
    case .offer(let name, let words):
      lines += paragraph("\(name) wants to join. Does it show these words?", columns)
      lines += [.empty] + marked(paragraph(words.joined(separator: "  "), columns)) + [.empty]
      lines += paragraph("y admits it: it will hold everything. n refuses it.", columns)
    case .admitting(let name): lines += paragraph("Admitting \(name).", columns)
    }
    paintBox("Pair a device", lines + [.empty], columns: columns, over: nil, &frame)
  }

  /// Puts the cursor on what matters, for those who follow it.
  func marked(_ lines: [PaneLine]) -> [PaneLine] {
    var lines = lines
    if !lines.isEmpty { lines[0].cursor = 2 }
    return lines
  }

  func paragraph(_ text: String, _ columns: Int) -> [PaneLine] {
    Fit.wrap(text, columns: columns - 6).map { PaneLine($0, column: 2) }
  }

  /// In symbols to write down, or in squares to photograph.
  func paintKit(_ kit: String, _ frame: inout Frame) {
    guard showsKitCode else { return paintKitText(kit, nil, &frame) }
    guard let code = QRCode(kit)?.lines, code.count + 2 <= body.rows,
      code[0].count + 6 <= size.columns
    else { return paintKitText(kit, "This screen is too small for the code.", &frame) }
    paintBox(
      "Account secret", code.map { PaneLine($0, column: 2, style: .revealed) },
      columns: code[0].count + 6, over: nil, &frame)
  }

  private func paintKitText(_ kit: String, _ notice: String?, _ frame: inout Frame) {
    let columns = min(66, size.columns)
    let secret = marked(
      Fit.wrap(kit, columns: columns - 6).map { PaneLine($0, column: 2, style: .revealed) })
    let before = paragraph(
      "Write this down now. Only a device that is left can show it again.", columns)
    let after = paragraph(
      notice
        ?? "With it and your passphrase you get everything back when all devices are lost. "
        + "Without it nobody can help. Keep it away from this machine.", columns)
    // Where rows are short the secret goes before what is said about it.
    let fits = before.count + secret.count + after.count + 2 <= body.rows
    let lines = fits ? [.empty] + before + [.empty] + secret + [.empty] + after : secret
    paintBox("Account secret", lines + [.empty], columns: columns, over: nil, &frame)
  }
}
