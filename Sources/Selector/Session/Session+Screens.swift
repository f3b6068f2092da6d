import Sync
import Wire

// Conflicts.
extension Session {
  /// What waits for a choice: a context's name, an attribute, or a deletion that met an edit.
  struct ConflictEntry: Hashable {
    let record: ContextRecord
    let subject: ConflictView.Subject

    /// The attribute whose values differ.
    var attribute: AttributeRecord? {
      guard case .attribute(let id) = subject else { return nil }
      return record.attributes.first { $0.id == id }
    }

    /// The attribute whose labels differ.
    var labelled: AttributeRecord? {
      guard case .label(let id) = subject else { return nil }
      return record.attributes.first { $0.id == id }
    }

    /// The values to choose from, the oldest first, so that they keep their numbers.
    var values: [ValueRecord] {
      let values: [ValueRecord] =
        switch subject {
        case .name: record.names
        case .attribute: attribute?.heads ?? []
        case .label: labelled?.labels ?? []
        case .deletion: []
        }
      return values.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
    }

    /// Whether one device deleted what another one changed.
    var hasDeletion: Bool { subject == .deletion || values.contains { $0.text == nil } }
  }

  /// Everything in the account that waits for a choice, in the order of the contexts.
  var conflicts: [ConflictEntry] { contexts.choices.flatMap(conflicts(in:)) }

  private func conflicts(in record: ContextRecord) -> [ConflictEntry] {
    var subjects = record.names.count > 1 ? [ConflictView.Subject.name] : []
    subjects += record.attributes.filter(\.hasConflict).map { .attribute($0.id) }
    subjects += record.attributes.filter(\.hasLabelConflict).map { .label($0.id) }
    if record.deletedOn != nil { subjects.append(.deletion) }
    return subjects.map { ConflictEntry(record: record, subject: $0) }
  }

  func entry(of view: ConflictView) -> ConflictEntry? {
    contexts.record(view.context).map { ConflictEntry(record: $0, subject: view.subject) }
  }

  func conflictValues(_ view: ConflictView) -> [ValueRecord] { entry(of: view)?.values ?? [] }

  /// What Enter takes before anything was chosen: the newest value, and never a deletion.
  private func preselected(in view: ConflictView) -> VersionID? {
    conflictValues(view).last { $0.text != nil }?.id
  }

  mutating func openConflict(
    _ record: ContextRecord, about subject: ConflictView.Subject, fromList: Bool = false
  ) -> [Effect] {
    var view = ConflictView(context: record.id, subject: subject, isFromList: fromList)
    detail = .attributes
    focus(on: .attributes)
    conceal()
    view.choice = preselected(in: view)
    detail = .conflict(view)
    guard let id = view.attribute else { return [] }
    attribute = id
    return [.loadHistory(record.id, id)]
  }

  mutating func performConflict(_ command: Command.ID) -> [Effect] {
    guard case .conflict(var view) = detail else { return [] }
    let values = conflictValues(view)
    switch command {
    case .chooseFirst:
      view.choice = values.first?.id
      view.keepsContext = false
    case .chooseSecond:
      view.choice = values.dropFirst().first?.id ?? view.choice
      view.keepsContext = true
    case .reveal:
      toggleRevealOfVersions()
      return []
    case .keepBoth: return keepBoth(view)
    case .edit: return typeAnother(view)
    case .apply: return apply(view)
    case .back:
      say("\(Self.all(conflictValues(view))) are kept until you choose. X shows this again.")
      leave(view)
      return []
    default: return []
    }
    detail = .conflict(view)
    return []
  }

  /// "Both values", or how many there are.
  static func all(_ values: [ValueRecord]) -> String {
    values.count > 2 ? "All \(values.count) values" : "Both values"
  }

  /// Goes back to where the choice was opened.
  private mutating func leave(_ view: ConflictView) {
    leaveScreen()
    guard view.isFromList else { return }
    let row = conflicts.firstIndex { $0.record.id == view.context && $0.subject == view.subject }
    detail = .conflicts(row: row ?? 0)
  }

  private mutating func keepBoth(_ view: ConflictView) -> [Effect] {
    guard let attribute = view.attribute else {
      say("Both cannot be kept here. Choose 1 or 2.")
      return []
    }
    if entry(of: view)?.hasDeletion == true {
      say("One side deleted it: both cannot be kept. Choose 1 or 2.")
      return []
    }
    return settle(view, by: .keepBoth(view.context, attribute))
  }

  /// Opens the form of the attribute: what is typed replaces every value there is.
  private mutating func typeAnother(_ view: ConflictView) -> [Effect] {
    guard let entry = entry(of: view), let attribute = entry.attribute else {
      say("Only a value can be typed here. Choose 1 or 2.")
      return []
    }
    leaveScreen()
    return openForm(of: attribute, in: entry.record)
  }

  private mutating func apply(_ view: ConflictView) -> [Effect] {
    switch view.subject {
    case .deletion:
      return settle(
        view, by: view.keepsContext ? .restoreContext(view.context) : .deleteContext(view.context))
    case .name:
      guard let choice = view.choice else { return [] }
      return settle(view, by: .resolveName(view.context, keep: choice))
    case .attribute(let id):
      guard let choice = view.choice else { return [] }
      return settle(view, by: .resolve(view.context, id, keep: choice))
    case .label(let id):
      guard let choice = view.choice else { return [] }
      return settle(view, by: .resolveLabel(view.context, id, keep: choice))
    }
  }

  /// Saves the choice and goes to the next conflict of the list.
  private mutating func settle(_ view: ConflictView, by edit: Edit) -> [Effect] {
    let all = conflicts
    leaveScreen()
    news.look(at: view.context)
    let effects = save([edit])
    guard view.isFromList else { return effects }
    let place = all.firstIndex { $0.record.id == view.context && $0.subject == view.subject } ?? -1
    let rest = Array(all.dropFirst(place + 1) + all.prefix(max(0, place)))
    guard let next = rest.first else {
      detail = .conflicts(row: 0)
      return effects
    }
    contexts.select(next.record.id)
    return effects + openConflict(next.record, about: next.subject, fromList: true)
  }

}

// History, and the lists of the middle pane.
extension Session {
  /// Goes back to the attributes.
  mutating func leaveScreen() {
    conceal()
    detail = .attributes
  }

  /// Goes back to the pane from which the screen was opened.
  mutating func returnFromScreen() {
    leaveScreen()
    focus(on: opener)
  }

  mutating func openHistory(of record: ContextRecord) -> [Effect] {
    guard let marked = markedAttribute else { return [] }
    conceal()
    detail = .history(HistoryView(context: record.id, attribute: marked.id))
    return [.loadHistory(record.id, marked.id)]
  }

  mutating func performHistory(_ command: Command.ID) -> [Effect] {
    guard case .history(var view) = detail else { return [] }
    let lines = view.lines ?? []
    let line = lines.indices.contains(view.row) ? lines[view.row] : nil
    switch command {
    case .back: leaveScreen()
    case .reveal: toggleRevealOfVersions()
    case .copy: return copy(line, of: view)
    case .restore: return restore(line, of: view)
    case .wholeContext:
      conceal()
      view.isWhole.toggle()
      view.row = 0
      detail = .history(view)
      guard view.isWhole, let record = contexts.record(view.context) else { return [] }
      return record.attributes.map(\.id).filter { $0 != view.attribute }
        .map { .loadHistory(record.id, $0) }
    default: break
    }
    return []
  }

  private func found(_ line: HistoryView.Line, in view: HistoryView) -> AttributeRecord? {
    contexts.record(view.context)?.attributes.first { $0.id == line.attribute }
  }

  private mutating func copy(_ line: HistoryView.Line?, of view: HistoryView) -> [Effect] {
    guard let line, let name = contexts.record(view.context)?.name,
      let found = found(line, in: view)
    else { return [] }
    guard let text = line.version.text else {
      say("This version is a deletion; there is nothing to copy.")
      return []
    }
    return [
      .copy(text: text, label: "\(name) / earlier \(found.label)", concealed: found.isConcealed)
    ]
  }

  /// Makes an old value the value again: as a new version, so that nothing is lost by it.
  private mutating func restore(_ line: HistoryView.Line?, of view: HistoryView) -> [Effect] {
    guard let line, let found = found(line, in: view) else { return [] }
    guard let text = line.version.text else {
      say("This version is a deletion; there is nothing to restore.")
      return []
    }
    if line.version.isHead, !found.hasConflict {
      say("This is the value now.")
      return []
    }
    return save([.setValue(view.context, found.id, text: text, base: found.heads.map(\.id))])
      + [.loadHistory(view.context, found.id)]
  }

  /// Enter and Esc in the lists of conflicts and signals.
  mutating func openRow(_ command: Command.ID) -> [Effect] {
    if command == .back {
      returnFromScreen()
      return []
    }
    guard command == .open else { return performOnContext(command) }
    switch detail {
    case .conflicts(let row):
      let entries = conflicts
      guard entries.indices.contains(row) else { return [] }
      contexts.select(entries[row].record.id)
      return openConflict(entries[row].record, about: entries[row].subject, fromList: true)
    case .signals(let row):
      guard log.entries.indices.contains(row) else { return [] }
      goToContext(of: log.entries[row])
    default: break
    }
    return []
  }

  private mutating func goToContext(of entry: SignalEntry) {
    guard let id = entry.context, contexts.record(id) != nil else {
      say("This line is about no context that is still there.")
      return
    }
    contexts.select(id)
    news.select(id)
    leaveScreen()
    attribute = entry.attribute ?? attribute
  }

  /// Leaves screens whose subject is gone and keeps marks inside their lists.
  mutating func settleDetail() {
    guard isUnlocked else { return }
    switch detail {
    case .attributes: break
    case .devices(let row): detail = .devices(row: min(row, max(0, status.peers.count - 1)))
    case .conflicts(let row): detail = .conflicts(row: min(row, max(0, conflicts.count - 1)))
    case .signals(let row): detail = .signals(row: min(row, max(0, log.entries.count - 1)))
    case .history(let view):
      if contexts.selectedID != view.context || contexts.selected == nil { leaveScreen() }
    case .trash(var view):
      view.row = view.row.clamped(to: 0...max(0, (view.records?.count ?? 1) - 1))
      detail = .trash(view)
    case .alarms(let row): detail = .alarms(row: min(row, max(0, standing.count - 1)))
    case .conflict(let view) where view.subject == .deletion:
      if contexts.record(view.context)?.deletedOn == nil { leaveSettled(view) }
    case .conflict(var view):
      let values = conflictValues(view)
      if Set(values.map(\.text)).count < 2 {
        leaveSettled(view)
      } else if !values.contains(where: { $0.id == view.choice }) {
        view.choice = preselected(in: view)
        detail = .conflict(view)
      }
    }
  }

  private mutating func leaveSettled(_ view: ConflictView) {
    leaveScreen()
    if view.isFromList { detail = .conflicts(row: 0) }
    say("This conflict was settled.")
  }
}
