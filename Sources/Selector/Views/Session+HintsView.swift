import Sync
import Vault

// The last row: what the keys do here.
extension Session {
  struct HintEntry: Hashable {
    var keys: [String]
    let word: String
    let rank: Int

    var columns: Int { DisplayWidth.columns(of: caption) + 1 + DisplayWidth.columns(of: word) }

    /// `u/p/t`, or `1-4` for a run of digits.
    var caption: String {
      let digits = keys.compactMap { Int($0) }
      if digits.count == keys.count, digits.count > 2, let first = digits.first,
        let last = digits.last, last - first == digits.count - 1
      {
        return "\(first)-\(last)"
      }
      return keys.joined(separator: "/")
    }
  }

  /// From the key map, so that it says what the keys do. What does not fit is left out, the least
  /// needed first.
  func hints(columns: Int) -> (entries: [HintEntry], gap: Int) {
    var entries: [HintEntry] = []
    for command in hintedCommands {
      guard let hint = command.hint, let key = command.keys.first else { continue }
      let word = word(of: command.id) ?? hint.word
      if let last = entries.indices.last, entries[last].word == word {
        entries[last].keys.append(key.caption)
      } else {
        entries.append(HintEntry(keys: [key.caption], word: word, rank: hint.rank))
      }
    }
    func width(_ gap: Int) -> Int {
      entries.reduce(0) { $0 + $1.columns } + max(0, entries.count - 1) * gap + 1
    }
    while width(2) > columns, entries.count > 1,
      let worst = entries.indices.max(by: { entries[$0].rank < entries[$1].rank })
    {
      entries.remove(at: worst)
    }
    return (entries, width(3) <= columns ? 3 : 2)
  }

  /// What a key of a dialog does where the focus is, when that is not what the key map says.
  private func word(of command: Command.ID) -> String? {
    guard case .form(let form) = overlay else { return nil }
    switch command {
    case .save: return form.verb
    case .run where form.editor?.isMultiline == true: return "new line"
    case .run where form.isAtLast: return form.verb
    default: return nil
    }
  }

  private var hintedCommands: [Command] {
    let all = keymap.commands(at: place)
    guard case .pairing(let pairing) = overlay else {
      return all.filter { $0.hint != nil && !isUseless($0.id) }
    }
    return all.filter { command in
      switch (pairing, command.id) {
      case (.offer, .yes), (.offer, .no), (.code, .copy): true
      case (.offer, _), (_, .yes), (_, .no), (_, .copy): false
      default: true
      }
    }
  }

  /// Whether a command has nothing to work on now.
  private func isUseless(_ command: Command.ID) -> Bool {
    if case .words = welcome, profile.phase == .empty, overlay == nil {
      return ![.quit, .help].contains(command)
    }
    if case .generator(let generator) = overlay {
      return generator.form.kind != .random && Self.classes.contains(command)
    }
    if case .form(let form) = overlay { return isUseless(command, in: form) }
    if case .values(let form) = overlay, command == .show {
      return form.currentEntry.map { !Self.isSecret($0.attribute) } ?? true
    }
    guard overlay == nil, isUnlocked else { return false }
    if command == .back, place == .contexts || place == .status { return past == nil }
    if past != nil, Self.changing.contains(command) { return true }
    if case .conflict(let view) = detail, focus == .attributes {
      return isUseless(command, about: view)
    }
    if focus == .attributes, isUselessOnEmptyScreen(command) { return true }
    if contexts.shownCount == 0 {
      if command == .find { return contexts.isEmpty }
      return Self.ofAttributes.contains(command)
        || [.open, .addAttribute, .changePassword].contains(command)
    }
    return contexts.selected?.attributes.isEmpty == true && Self.ofAttributes.contains(command)
  }

  /// What works on attributes that are there.
  private static let ofAttributes: Set<Command.ID> = [
    .edit, .copy, .reveal, .history, .copyUsername, .copyPassword, .copyCode,
  ]

  /// A choice is not typed and a text not chosen; what was handed over waits for its answer.
  private func isUseless(_ command: Command.ID, in form: Form) -> Bool {
    if form.isWaiting { return command != .back }
    switch command {
    case .choosePrevious, .chooseNext: return form.editor != nil
    case .deleteToStart, .undoTyping: return form.editor == nil
    case .show: return !form.fields.contains(where: \.isSecret)
    case .generate: return !canGenerate(form)
    default: return false
    }
  }

  /// Only a random password is made of classes.
  private static let classes: Set<Command.ID> = [.lower, .upper, .digits, .symbols, .lookAlikes]

  private func isUselessOnEmptyScreen(_ command: Command.ID) -> Bool {
    switch detail {
    case .conflicts: command == .open && conflicts.isEmpty
    case .devices(let row):
      command == .revoke && status.peers.indices.contains(row) && status.peers[row].isThisDevice
    case .trash(let view): command == .restore && view.records?.isEmpty != false
    case .alarms: command == .delete && standing.isEmpty
    default: false
    }
  }

  /// Only two values of an attribute can both be kept; a deletion has nothing to reveal.
  private func isUseless(_ command: Command.ID, about view: ConflictView) -> Bool {
    switch command {
    case .keepBoth: view.attribute == nil || entry(of: view)?.hasDeletion == true
    case .reveal: view.subject == .deletion
    case .edit: view.attribute == nil
    default: false
    }
  }

  func paintHints(_ frame: inout Frame) {
    let row = size.rows - 1
    let (entries, gap) = hints(columns: size.columns)
    var column = 1
    for entry in entries {
      column += frame.put(entry.caption, row: row, column: column, style: .hintKey)
      column += frame.put(" " + entry.word, row: row, column: column, style: .hint)
      column += gap
    }
  }
}
