// Lines instead of keys: the same program for screen readers, braille and terminals that can only
// print.
extension Session {
  /// Takes a line: the value of the field that is open, else a number, a command or its key.
  mutating func read(line: String) -> [Effect] {
    lastKeyAt = now
    message = nil
    wasCancelled = false
    if case .help = overlay { overlay = nil }
    defer { count = 0 }
    switch place {
    case .locked, .field, .find, .command: return fill(line, then: place == .field ? .save : .run)
    case .note: return addToNote(line)
    case .form: return fillForm(line)
    case .question: return answer(["y", "yes"].contains(trimmed(line).lowercased()))
    default: return obey(trimmed(line))
    }
  }

  /// An empty line leaves the field as it is.
  private mutating func fill(_ line: String, then command: Command.ID) -> [Effect] {
    if line == Self.plainCancel { return perform(.back) }
    guard !line.isEmpty else { return perform(command) }
    let effects = withEditor { $0.take(line) }
    return message == nil ? effects + perform(command) : effects
  }

  /// Lines until one that is a full stop. The first takes the place of what was there.
  private mutating func addToNote(_ line: String) -> [Effect] {
    if line == Self.plainCancel { return perform(.back) }
    if line == "." { return perform(.save) }
    guard case .values(let form) = overlay, let entry = form.currentEntry else { return [] }
    return withEditor { $0.take(entry.isModified ? "\($0.text)\n\(line)" : line) }
  }

  private mutating func fillForm(_ line: String) -> [Effect] {
    guard case .form(var form) = overlay else { return [] }
    if line == Self.plainCancel { return perform(.back) }
    if case .choice(let choices, _) = form.fields[form.focus].content, !line.isEmpty {
      let wanted = trimmed(line).lowercased()
      guard let found = choices.firstIndex(where: { $0.lowercased().hasPrefix(wanted) }) else {
        complain("Choose one of \(choices.joined(separator: ", ")).")
        return []
      }
      form.choose(found, of: choices)
      overlay = .form(form)
      return perform(.run)
    }
    return fill(line, then: .run)
  }

  /// What ends a field without saving.
  static let plainCancel = ":cancel"

  /// A command: `:theme dark`, `/text`, `4`, `edit`, `edit 4`, `e`.
  private mutating func obey(_ line: String) -> [Effect] {
    guard let first = line.first else { return [] }
    if first == ":", line.count > 1 {
      overlay = .command(CommandLine(editor: LineEditor(String(line.dropFirst()))))
      return perform(.run)
    }
    if first == "/" {
      guard isUnlocked, overlay == nil else { return [] }
      let effects = perform(.find)
      return effects + fill(String(line.dropFirst()), then: .apply)
    }
    var words = line.split(separator: " ").map(String.init)
    if let last = words.last, let number = Int(last), mark(number) {
      words.removeLast()
      if words.isEmpty {
        return [.contexts, .welcome, .start].contains(place) ? activate() : []
      }
    }
    return run(words: words.joined(separator: " "))
  }

  /// Marks a row by its number; false where rows have none.
  private mutating func mark(_ number: Int) -> Bool {
    guard number > 0 else { return false }
    if place == .welcome {
      guard number <= Welcome.choices.count else { return false }
      welcome = .choice(number - 1)
      return true
    }
    if case .start = overlay {
      guard number <= Start.allCases.count else { return false }
      overlay = .start(row: number - 1)
      return true
    }
    if case .drafts = overlay {
      guard number <= waitingDrafts.count else { return false }
      overlay = .drafts(row: number - 1)
      return true
    }
    guard overlay == nil, isUnlocked, place != .conflict else { return false }
    count = number
    _ = move(.first)
    count = 0
    return true
  }

  private mutating func activate() -> [Effect] {
    perform(place == .contexts ? .open : .run)
  }

  private mutating func run(words: String) -> [Effect] {
    let here = keymap.commands(at: place)
    if let key = Key(words), let command = keymap.command(for: key, at: place) {
      return perform(command)
    }
    let name = words.lowercased()
    let found =
      here.first { $0.id.rawValue == name }
      ?? here.first { $0.hint?.word == name } ?? here.first { $0.text == name }
    if let found { return perform(found.id) }
    if LineCommand(rawValue: name) != nil, isUnlocked {
      overlay = .command(CommandLine(editor: LineEditor(name)))
      return perform(.run)
    }
    complain("There is no \"\(words)\" here. ? lists what can be done.")
    return []
  }
}

extension LineEditor {
  /// Puts `text` in the place of all, or leaves everything when it is too much.
  fileprivate mutating func take(_ text: String) -> Refusal? {
    replace(with: "")
    guard let refusal = paste(text) else { return nil }
    _ = undo()
    return refusal
  }
}
