import Sync
import Wire

/// What a line of input is asked for.
public struct PlainPrompt: Hashable, Sendable {
  public let text: String
  /// Whether what is typed must not be seen.
  public let isSecret: Bool
}

// What is there, as lines that are read from the top.
extension Session {
  /// Contexts listed at once.
  static let plainPage = 20
  /// Where the rest is taken from: the screen of that size with one pane.
  private static let plainSize = Size(columns: 78, rows: 60)

  /// What ``plainLines()`` is about: while it stays the same, only news are told.
  public var plainSubject: String {
    var parts = ["\(place)", "\(detail)"]
    switch overlay {
    // While it opens, the contexts are there before it is open.
    case nil where isUnlocked:
      parts += ["\(contexts.selectedID?.description ?? "")", contexts.query]
    case .values(let form): parts.append("\(form.current)")
    case .form(let form): parts.append("\(form.title) \(form.focus)")
    case .generator(let generator): parts.append("\(generator.form) \(generator.value == nil)")
    case nil: break
    default: parts.append("\(String(describing: overlay).prefix(20))")
    }
    if reveal != nil { parts.append("revealed \(codes.count)") }
    return parts.joined(separator: " ")
  }

  /// All that can be seen here, in words; no marks without their meaning.
  public func plainLines() -> [String] {
    let lines: [String]
    switch place {
    case .contexts: lines = plainContexts
    case .attributes: lines = plainAttributes
    case .help: lines = plainHelp
    case .welcome: lines = plainWelcome
    case .start: lines = plainStart
    case .drafts: lines = plainDrafts
    case .field, .note, .form: lines = plainField
    case .question: lines = []
    default: lines = plainScreen
    }
    return lines.map(Sanitiser.display)
  }

  public var plainPrompt: PlainPrompt {
    switch overlay {
    case .question(let question): return PlainPrompt(text: "\(question.text) y/N ", isSecret: false)
    case .values(let form):
      let attribute = form.currentEntry?.attribute
      return PlainPrompt(
        text: form.editor.isMultiline ? "| " : "new \(attribute?.label ?? "value"): ",
        isSecret: attribute.map(Self.isSecret) ?? true)
    case .form(let form):
      let field = form.fields[form.focus]
      return PlainPrompt(text: "\(field.name): ", isSecret: field.isSecret)
    default: break
    }
    let isLocked = place == .locked
    return PlainPrompt(text: isLocked ? "passphrase: " : "> ", isSecret: isLocked)
  }

  private var plainContexts: [String] {
    let total = contexts.shownCount
    guard total > 0 else { return plainScreen }
    let first = contexts.row / Self.plainPage * Self.plainPage
    let last = min(total, first + Self.plainPage)
    let which = contexts.isNarrowed ? " that match \(contexts.query)" : ""
    var lines = ["Contexts \(first + 1) to \(last) of \(total)\(which):"]
    for row in first..<last {
      guard let record = contexts.shown(row) else { continue }
      let marked = row == contexts.row ? ", marked" : ""
      lines.append("\(row + 1)  \(record.name)\(Self.words(mark(of: record).style))\(marked)")
    }
    let more = last < total ? ", C-f the next page" : ""
    return lines + ["A number opens one, /TEXT narrows\(more), ? lists all commands."]
  }

  private var plainAttributes: [String] {
    guard let record else { return ["Nothing is marked."] }
    var lines = ["\(record.name), \(record.kind.rawValue):"]
    for (number, attribute) in record.attributes.enumerated() {
      let marked = attribute.id == self.attribute ? ", marked" : ""
      let words = Self.words(mark(of: attribute).style)
      lines.append("\(number + 1)  \(attribute.label): \(plainValue(attribute))\(words)\(marked)")
    }
    if record.attributes.isEmpty { lines.append("No attributes yet. add makes one.") }
    return lines + ["A number marks one; edit, copy, reveal, history, delete; back; ? lists all."]
  }

  private func plainValue(_ attribute: AttributeRecord) -> String {
    if attribute.hasConflict { return "two values, conflicts shows them" }
    if Self.isSecret(attribute), !isRevealed(attribute) { return "concealed" }
    let shown = shownValue(attribute, columns: 10_000)
    return shown.lines.joined(separator: " / ") + (shown.note.isEmpty ? "" : ", \(shown.note)")
  }

  /// The marks of column 1 in words.
  private static func words(_ style: StyleKey) -> String {
    switch style {
    case .pendingMark: ", not sent yet"
    case .changedMark: ", changed by a peer"
    case .addedMark: ", new"
    case .conflictMark: ", conflict"
    default: ""
    }
  }

  private var plainHelp: [String] {
    guard case .help(let help) = overlay else { return [] }
    let lines = helpCommands(help).map { command in
      let keys = command.keys.map(\.description).joined(separator: " ")
      return "\(command.id.rawValue) (\(keys)): \(command.text)"
    }
    return ["A command, its key, what it does:"] + lines
  }

  private var plainWelcome: [String] {
    if case .words(let words) = welcome {
      return [
        "Compare these words with those on the other device: \(words.joined(separator: ", ")).",
        "If they are the same, press y there.",
      ]
    }
    return ["Nothing is stored on this machine yet. How do you want to start?"]
      + Welcome.choices.enumerated().map { "\($0 + 1)  \($1)" } + ["q  quit, nothing is written"]
  }

  private var plainStart: [String] {
    ["What do you want to begin with?"]
      + Start.allCases.map { "\($0.rawValue + 1)  \($0.text)" } + [":welcome asks again."]
  }

  private var plainDrafts: [String] {
    guard case .drafts(let row) = overlay else { return [] }
    let lines = waitingDrafts.enumerated().map { number, draft in
      "\(number + 1)  \(words(draft)), \(time.short(draft.at, now: now))"
        + (number == row ? ", marked" : "")
    }
    return ["You typed this and did not save it. Nothing of it has left this device."] + lines
      + ["A number marks one; open goes on with it, delete discards it, back leaves all."]
  }

  private var plainField: [String] {
    if case .form(let form) = overlay {
      let field = form.fields[form.focus]
      var lines = ["\(form.title), field \(form.focus + 1) of \(form.fields.count)"]
      if let notice = form.notice { lines.append(notice) }
      if case .choice(let choices, _) = field.content {
        lines.append("One of \(choices.joined(separator: ", "))")
      } else if !field.help.isEmpty {
        lines.append(field.help)
      }
      let now = field.isSecret ? "" : field.text
      return lines + [now.isEmpty ? "" : "Now: \(now)"].filter { !$0.isEmpty }
    }
    guard case .values(let form) = overlay, let entry = form.currentEntry else { return [] }
    let isSecret = Self.isSecret(entry.attribute)
    let text = isSecret ? "concealed" : entry.editor.text
    let end =
      entry.editor.isMultiline
      ? "Type its lines; a full stop alone saves, the first line replaces what was there."
      : "Type the new value; an empty line keeps it."
    return ["\(form.record.name) / \(entry.attribute.label). Now: \(text)"]
      + [end + " \(Self.plainCancel) leaves it."]
  }

  /// Everything else, as the screen shows it, without its lines and empty rows.
  private var plainScreen: [String] {
    var whole = self
    whole.size = Self.plainSize
    whole.isZoomed = true
    whole.message = nil
    let isDialog = [.generator, .pairing, .command].contains(place)
    let frame = isDialog ? whole.dialogView() : whole.view()
    let rows = frame.lines.dropFirst().dropLast(2)
    let rules: Set<Character> = ["─", "│", "┌", "┐", "└", "┘", "├", "┤", "┬", "┴", "█"]
    let lines = rows.map { row in
      let bare = String(row.map { rules.contains($0) ? " " : $0 })
        .replacing(Fit.mask, with: "concealed")
      return String(bare.reversed().drop { $0 == " " }.reversed())
    }
    let hints = hints(columns: 200).entries.map { "\($0.caption) \($0.word)" }
    let shown = lines.filter { !$0.allSatisfy { $0 == " " } }
    return place == .locked ? shown : shown + [hints.joined(separator: ", ")]
  }

  /// What was said last, and where things stand, when it is not what was there already.
  public var plainMessage: String? { (message?.text).map(Sanitiser.display) }

  /// `home pc, synced 20:31, peers 2/3, unlocked`
  public var plainTitle: String {
    var whole = self
    whole.size = Self.plainSize
    let row = whole.view().lines.first ?? ""
    return Sanitiser.display(
      row.split(separator: "  ").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
        .joined(separator: ", "))
  }

  /// News since the log had `count` lines in all, the oldest first, one line each.
  public func plainNews(since count: Int) -> (lines: [String], count: Int) {
    let total = log.total
    let fresh = log.entries.prefix(max(0, min(total - count, log.entries.count))).reversed()
    return (fresh.map { Sanitiser.display("\($0.who) \($0.verb) \($0.what)") }, total)
  }
}
