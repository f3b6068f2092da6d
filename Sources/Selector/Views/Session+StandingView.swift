import Sync
import Wire

// Alarms and notices, what was deleted, what was not saved.
extension Session {
  func alarmLines(marked row: Int, columns: Int) -> [PaneLine] {
    let standing = standing
    guard !standing.isEmpty else {
      return [.empty, PaneLine("No alarms, no notices. All is well.", column: 3, style: .dim)]
    }
    return [.empty]
      + standing.enumerated().flatMap { number, one in
        var lines = lines(of: one, isMarked: number == row, columns: columns)
        lines[0].isMarked = number == row
        if number == row {
          lines[0].add(">", column: 0)
          lines[0].cursor = 0
        }
        return lines + [.empty]
      }
  }

  private func lines(of one: Standing, isMarked: Bool, columns: Int) -> [PaneLine] {
    switch one {
    case .alarm(let alarm):
      var first = PaneLine("!", column: 1, style: .error)
      first.add("ALARM: \(Self.words(alarm: alarm.code))", column: 3)
      if let at = alarmTimes[alarm.code] { first.trailer = (time.short(at, now: now), .dim) }
      var lines = [first] + wrapped(alarm.text, columns: columns)
      guard isMarked, let guide = AlarmGuide.of(alarm.code) else { return lines }
      lines += wrapped(guide.meaning, columns: columns, style: .dim)
      return lines + wrapped("What to do: \(guide.advice)", columns: columns)
    case .notice(let notice):
      var first = PaneLine("notice", column: 3)
      first.add("\(time.date(notice.at)) \(time.minutes(notice.at))", column: 11, style: .dim)
      return [first] + wrapped(notice.text, columns: columns)
    }
  }

  private func wrapped(_ text: String, columns: Int, style: StyleKey = .text) -> [PaneLine] {
    Fit.wrap(text, columns: columns - 5).map {
      PaneLine($0, column: 4, style: style).continued
    }
  }

  func trashLines(_ view: TrashView, columns: Int) -> [PaneLine] {
    guard let records = view.records else {
      return [.empty, PaneLine("Reading what was deleted.", column: 3, style: .dim)]
    }
    guard !records.isEmpty else {
      let text = "Nothing was deleted in the last 30 days."
      return [.empty, PaneLine(text, column: 3, style: .dim)]
    }
    return [.empty]
      + records.enumerated().flatMap { number, record in
        var line = PaneLine(record.name, column: 3)
        line.trailer = (timeLeft(record), .dim)
        if number == view.row { mark(&line) }
        let what =
          "deleted \(time.short(record.deletedAt, now: now)) on \(name(of: record.deletedBy)), "
          + Self.counted(record.attributes, "attribute")
        return [line]
          + Fit.wrap(what, columns: columns - 6).map {
            PaneLine($0, column: 5, style: .dim)
          }
      }
  }

  func paintDrafts(marked row: Int, _ frame: inout Frame) {
    let columns = min(64, size.columns)
    let waiting = waitingDrafts
    let text = "You typed this and did not save it. Nothing of it has left this device."
    var lines = [PaneLine.empty] + paragraph(text, columns) + [.empty]
    for (number, draft) in waiting.enumerated() {
      var line = PaneLine(words(draft), column: 4)
      line.trailer = (time.short(draft.at, now: now), .dim)
      if number == row {
        line.add(">", column: 2)
        line.isMarked = true
        line.cursor = 2
      }
      lines.append(line)
    }
    paintBox(
      "Unsaved edits \(waiting.count)", lines + [.empty], columns: columns, over: nil, &frame)
  }

  /// A question about an unsaved edit keeps their list on the screen.
  func paintBehind(_ question: Question, _ frame: inout Frame) {
    guard case .discard(let id) = question.action else { return }
    let cursor = frame.cursor
    paintDrafts(marked: waitingDrafts.firstIndex { $0.id == id } ?? 0, &frame)
    frame.cursor = cursor
  }

  /// What waits for a person; nil when nothing does.
  var attentionWords: String? {
    var parts: [String] = []
    let drafts = waitingDrafts.count
    if drafts > 0 { parts.append("\(Self.counted(drafts, "unsaved edit")), :drafts") }
    if !notices.isEmpty { parts.append("\(Self.counted(notices.count, "notice")), A shows") }
    return parts.isEmpty ? nil : parts.joined(separator: "   ")
  }

  /// "sync 12 of 40", "snapshot 3 of 12"; nil when nothing long is under way.
  var progressWords: String? {
    progress.map { "\($0.what) \($0.done) of \($0.total)" }
  }
}
