import Sync
import Wire

// The rows at the top and the bottom.
extension Session {
  func paintTitle(_ frame: inout Frame) {
    frame.fill(row: 0, style: .title)
    let isNarrow = size.columns < 60
    let gap = String(repeating: " ", count: isNarrow ? 2 : 3)
    let name = profile.phase == .empty ? "new store" : profile.deviceName
    let left = isNarrow ? name : "higgins   \(name)"
    var words = titleWords(isNarrow: isNarrow)
    func start() -> Int {
      let right = words.map(\.text).joined(separator: gap)
      return max(1, size.columns - 1 - DisplayWidth.columns(of: right))
    }
    // The name tells panes side by side apart, so it goes before what is seen elsewhere too.
    while words.count > 1, DisplayWidth.columns(of: left) > start() - 3 { words.removeLast() }
    frame.put(left, row: 0, column: 1, limit: max(0, start() - 3), style: .title)
    var column = start()
    for word in words {
      column += frame.put(
        word.text, row: 0, column: column, style: word.isMark ? .titleMark : .title)
      column += gap.count
    }
  }

  private func titleWords(isNarrow: Bool) -> [(text: String, isMark: Bool)] {
    if let step { return [("step \(step.number) of \(step.count)", false)] }
    switch profile.phase {
    case .empty: return []
    case .locked: return [("locked", true)]
    case .unlocked: break
    }
    let online = status.peers.count(where: \.isOnline)
    let peers = "\(online)/\(status.peers.count)"
    let state = past == nil ? syncWord(isNarrow: isNarrow) : "read-only, \(pastWord(isNarrow))"
    return [(state, true), (isNarrow ? peers : "peers \(peers)", false), ("unlocked", false)]
  }

  /// How far the first run is; nil when it is over. One who joins has neither a secret to write
  /// down nor a first context to make.
  private var step: (number: Int, count: Int)? {
    switch overlay {
    case .start where contexts.isEmpty: return (4, 4)
    case .kit where isKitFirst: return (3, 4)
    default: break
    }
    guard profile.phase == .empty else { return nil }
    if case .words = welcome { return (3, 3) }
    guard case .form(let form) = overlay else { return (1, 4) }
    return [.join, .recover].contains(form.purpose) ? (2, 3) : (2, 4)
  }

  private func pastWord(_ isNarrow: Bool) -> String {
    past.map { isNarrow ? time.short($0.at, now: now) : moment($0.at) } ?? ""
  }

  private func syncWord(isNarrow: Bool) -> String {
    if let alarm = status.alarms.first {
      if isNarrow { return "ALARM" }
      return status.alarms.count == 1
        ? "ALARM: \(Self.words(alarm: alarm.code))" : "\(status.alarms.count) ALARMS"
    }
    if status.state == .deleted { return "deleted" }
    if let progressWords { return progressWords }
    if status.state == .offline {
      return status.offlineSince.map { "offline since \(time.minutes($0))" } ?? "offline"
    }
    if status.conflicts > 0 { return Self.counted(status.conflicts, "conflict") }
    switch status.state {
    case .syncing: return "syncing"
    case .waiting: return "\(status.waiting) waiting"
    case .alarm: return "ALARM"
    case .current, .offline, .locked, .deleted: break
    }
    let last = [status.lastReceived, status.lastSent].compactMap(\.self).max()
    return last.map { "synced \(time.minutes($0))" } ?? "synced"
  }

  // The message row: a prompt, what was last said, or what a person should know.

  func paintMessageRow(_ frame: inout Frame) {
    let row = size.rows - 2
    switch overlay {
    case .question(let question):
      let text = "\(question.text) y/N "
      let columns = frame.put(text, row: row, column: 1, style: .prompt)
      frame.cursor = Position(row: row, column: min(size.columns - 1, 1 + columns))
    case .find(let editor):
      paintPrompt("/", editor, row: row, &frame)
      let count = "\(contexts.shownCount) of \(contexts.count)"
      frame.put(count, row: row, column: max(20, size.columns * 3 / 8), style: .dim)
    case .command(let line) where message == nil: paintPrompt(":", line.editor, row: row, &frame)
    case .help(let help) where help.isFiltering: paintPrompt("/", help.filter, row: row, &frame)
    case .help: break
    default:
      let shown = message ?? banner
      let style: StyleKey = shown?.tone == .error ? .error : .message
      let text = shown?.text ?? ""
      frame.put(text, row: row, column: 1, style: style)
      // What goes on beyond the edge must not pass for the whole.
      if DisplayWidth.columns(of: text) > size.columns - 1 {
        frame.put("…", row: row, column: size.columns - 1, style: style)
      }
    }
  }

  private func paintPrompt(
    _ sign: String, _ editor: LineEditor, row: Int, _ frame: inout Frame
  ) {
    frame.put(sign, row: row, column: 0, style: .prompt)
    let field = Fit.field(editor.text, cursor: editor.cursor, columns: size.columns - 1)
    frame.put(field.text, row: row, column: 1, style: .editing)
    frame.cursor = Position(row: row, column: min(size.columns - 1, 1 + field.cursor))
  }

  /// What the message row says while nothing has happened.
  private var banner: Message? {
    if case .form(let form) = overlay, let notice = form.notice, size.rows < 18 {
      return Message(text: notice, tone: .error)
    }
    switch profile.phase {
    case .empty: return nil
    case .locked: return lockBanner
    case .unlocked: break
    }
    if let text = overlayNews { return Message(text: text) }
    if let alarm = status.alarms.first {
      if case .alarms = detail { return nil }
      return Message(text: "! \(alarm.text)  A shows it", tone: .error)
    }
    if let text = overlayBanner { return Message(text: text) }
    if let past {
      let text = "Everything as it was at \(moment(past.at))"
      let rest = size.columns < 80 ? "." : ", read-only. Esc goes back to now."
      return Message(text: text + rest)
    }
    if status.state == .deleted { return Message(text: Self.deletedBanner, tone: .error) }
    if status.state == .offline { return Message(text: offlineBanner) }
    guard status.conflicts > 0 else { return nil }
    let text = "! \(Self.counted(status.conflicts, "conflict")). Everything else is in sync."
    switch detail {
    case .conflict, .conflicts: return Message(text: text)
    default: break
    }
    return Message(text: text + (status.conflicts == 1 ? " X shows it." : " X shows them."))
  }

  private static let deletedBanner =
    "The account was deleted. This copy is to read: :export it, or :delete-account."

  private var lockBanner: Message? {
    guard status.sealedWaiting > 0 else { return nil }
    return Message(
      text: "Signals still arrive and are kept sealed: \(status.sealedWaiting) waiting.")
  }

  /// What happened to what is being edited.
  private var overlayNews: String? {
    switch overlay {
    case .values(let form): form.notice
    case .form(let form): form.news
    case .generator(let generator): generator.notice
    default: nil
    }
  }

  private var overlayBanner: String? {
    switch overlay {
    case .values(let form):
      let label = form.currentEntry?.attribute.label ?? ""
      let text = "Editing \(label). Not saved yet."
      return size.columns < 80 ? text : text + " Other devices see it when you save."
    case .generator(let generator):
      return generator.attribute == nil
        ? "Nothing changes until Enter."
        : "Nothing changes until Enter. The old password stays in the history."
    case .form(let form) where form.isAboutDevice: return "Nothing changes until Enter."
    case .form:
      let text = "Nothing is saved yet."
      return size.columns < 80 ? text : text + " Other devices see it when you save."
    case .drafts: return "What was typed and not saved is kept on this device alone."
    default: return nil
    }
  }

  private var offlineBanner: String {
    let what =
      switch status.waiting {
      case 0: "changes are kept and sent later"
      case 1: "1 change waits and is sent by itself"
      default: "\(status.waiting) changes wait and go by themselves"
      }
    let long = "Offline. Everything works; \(what). s tries now."
    if DisplayWidth.columns(of: long) < size.columns { return long }
    return status.waiting == 0
      ? "Offline. Changes are kept. s tries now."
      : "Offline; \(Self.counted(status.waiting, "change")) waiting. s tries now."
  }
}
