import Sync
import Wire

// Unlocking and the first run.
extension Session {
  func paintLock(since: Int64?, reason: String, _ frame: inout Frame) {
    let columns = min(50, size.columns)
    var lines = [PaneLine.empty, fact("store", profile.storePath)]
    if let since {
      let why = reason.isEmpty ? "" : ", \(reason)"
      lines.append(fact("since", time.short(since, now: now) + why))
    }
    lines += [.empty, passphraseLine(columns: columns - 2)]
    lines.append(PaneLine(lockNotice, column: 2, style: isWrong ? .error : .dialog))
    paintBox("Locked", lines + [.empty], columns: columns, over: nil, &frame)
  }

  private func fact(_ label: String, _ text: String) -> PaneLine {
    var line = PaneLine(label, column: 2, style: .label)
    line.add(text, column: 10, style: .dialog)
    return line
  }

  private func passphraseLine(columns: Int) -> PaneLine {
    var line = PaneLine("passphrase", column: 2, style: .label)
    let editor = lockScreen.editor
    let room = columns - 14 - 2
    let text =
      lockScreen.isShown
      ? Fit.field(editor.text, cursor: editor.cursor, columns: room)
      : Fit.field(
        String(repeating: "█", count: editor.characters.count), cursor: editor.cursor,
        columns: room)
    line.add(text.text, column: 14, style: lockScreen.isShown ? .revealed : .masked)
    line.cursor = 14 + text.cursor
    return line
  }

  private var isWrong: Bool { lockScreen.notice != nil }

  private var lockNotice: String {
    if let progressWords { return progressWords }
    if lockScreen.isChecking { return "Checking." }
    if let until = lockScreen.pausedUntil, isPaused {
      return "Wrong passphrase. Wait \((until - now + 999) / 1000) s for the next try."
    }
    guard let notice = lockScreen.notice else { return "" }
    guard let left = lockScreen.triesLeft, left > 0 else { return notice }
    return "\(notice) \(left == 1 ? "1 try" : "\(left) tries") left before a wait."
  }

  func paintWelcome(_ frame: inout Frame) {
    if case .form(let form) = overlay {
      paintForm(form, &frame)
      return
    }
    if case .words(let words) = welcome {
      paintJoinWords(words, &frame)
      return
    }
    var lines = [
      .empty, PaneLine("Welcome. Nothing is stored on this machine yet.", column: 3), .empty,
    ]
    lines += Self.steps.enumerated().map { number, step in
      var line = PaneLine("\(number + 1)  \(step.name)", column: 5)
      if size.columns >= 78 { line.add(step.words, column: 40, style: .dim) }
      return line
    }
    lines += [.empty, PaneLine("How do you want to start?", column: 3), .empty]
    lines += Welcome.choices.enumerated().map { choiceLine($1, isMarked: welcome == .choice($0)) }
    paintChoices(lines, &frame)
  }

  private static let steps: [(name: String, words: String)] = [
    ("Choose how to start", "new, joined or imported"),
    ("Name device and account", "and a passphrase, best of 4 words"),
    ("Write down the account secret", "nobody can give you another"),
    ("Your first context", "home, work, or an import"),
  ]

  func paintStart(marked row: Int, _ frame: inout Frame) {
    var lines = [
      .empty, PaneLine("What do you want to begin with?", column: 3), .empty,
    ]
    lines += Start.allCases.map { choiceLine($0.text, isMarked: $0.rawValue == row) }
    lines += [.empty, PaneLine("This screen comes back with :welcome.", column: 3, style: .dim)]
    paintChoices(lines, &frame)
  }

  /// Gives up empty lines, then the first ones, so that the marked one is seen.
  private func paintChoices(_ all: [PaneLine], _ frame: inout Frame) {
    var lines = all
    let body = body
    while lines.count > body.rows, let empty = lines.firstIndex(where: \.isEmpty) {
      lines.remove(at: empty)
    }
    let wanted = lines.lastIndex { $0.cursor != nil }
    frame.paint(
      lines, in: body, top: Frame.top(showing: wanted, of: lines.count, rows: body.rows))
  }

  private func choiceLine(_ text: String, isMarked: Bool) -> PaneLine {
    var line = PaneLine(isMarked ? "(x)" : "( )", column: 5)
    // What stands behind the first three spaces explains, and goes where there is no room.
    let isWhole = 9 + DisplayWidth.columns(of: text) <= size.columns
    let end = isWhole ? text.endIndex : text.firstRange(of: "   ")?.lowerBound ?? text.endIndex
    line.add(String(text[..<end]), column: 9)
    if isMarked {
      line.add(">", column: 3)
      line.isMarked = true
      line.cursor = 3
    }
    return line
  }

  private func paintJoinWords(_ words: [String], _ frame: inout Frame) {
    let columns = min(60, size.columns)
    var lines = [PaneLine.empty]
    lines += paragraph("Compare these words with those on the other device:", columns) + [.empty]
    lines += marked(paragraph(words.joined(separator: "  "), columns)) + [.empty]
    lines += paragraph(
      "If they are the same, press y there. This device waits for it.", columns)
    paintBox("Join an account", lines + [.empty], columns: columns, over: nil, &frame)
  }
}
