import Sync
import Wire

// Conflicts, history and the lists of the middle pane.
extension Session {
  /// What is in conflict: a context's name, or an attribute.
  struct ConflictEntry: Hashable {
    let record: ContextRecord
    let attribute: AttributeRecord?
  }

  var conflicts: [ConflictEntry] {
    contexts.records.lazy.filter(\.hasConflict).flatMap { record in
      let name = record.names.count > 1 ? [ConflictEntry(record: record, attribute: nil)] : []
      return name
        + record.attributes.filter(\.hasConflict).map {
          ConflictEntry(record: record, attribute: $0)
        }
    }
  }

  /// The values to choose from, the oldest first, so that they keep their numbers.
  func conflictValues(_ view: ConflictView) -> [ValueRecord] {
    guard let record = contexts.record(view.context) else { return [] }
    let values =
      view.attribute.map { id in record.attributes.first { $0.id == id }?.heads ?? [] }
      ?? record.names
    return values.sorted { ($0.at, $0.id) < ($1.at, $1.id) }
  }

  mutating func openConflict(
    _ record: ContextRecord, attribute: AttributeRecord?
  ) -> [Effect] {
    var view = ConflictView(context: record.id, attribute: attribute?.id)
    detail = .attributes
    focus(on: .attributes)
    conceal()
    view.choice = conflictValues(view).last?.id
    detail = .conflict(view)
    guard let attribute else { return [] }
    self.attribute = attribute.id
    return [.loadHistory(record.id, attribute.id)]
  }

  mutating func performConflict(_ command: Command.ID) -> [Effect] {
    guard case .conflict(var view) = detail else { return [] }
    let values = conflictValues(view)
    switch command {
    case .chooseFirst: view.choice = values.first?.id
    case .chooseSecond: view.choice = values.dropFirst().first?.id ?? view.choice
    case .reveal:
      toggleRevealOfVersions()
      return []
    case .keepBoth: return keepBoth(view)
    case .apply: return apply(view)
    case .back:
      leaveScreen()
      say("Both values are kept until you choose. X shows this again.")
      return []
    default: return []
    }
    detail = .conflict(view)
    return []
  }

  private mutating func keepBoth(_ view: ConflictView) -> [Effect] {
    guard let attribute = view.attribute else {
      say("A context has one name. Choose one.")
      return []
    }
    leaveScreen()
    return [.save([.keepBoth(view.context, attribute)])]
  }

  private mutating func apply(_ view: ConflictView) -> [Effect] {
    guard let choice = view.choice else { return [] }
    leaveScreen()
    guard let attribute = view.attribute else {
      return [.save([.resolveName(view.context, keep: choice)])]
    }
    return [.save([.resolve(view.context, attribute, keep: choice)])]
  }

  /// Goes back to the attributes.
  mutating func leaveScreen() {
    conceal()
    detail = .attributes
  }

  mutating func openHistory(of record: ContextRecord) -> [Effect] {
    guard let marked = markedAttribute else { return [] }
    conceal()
    detail = .history(HistoryView(context: record.id, attribute: marked.id))
    return [.loadHistory(record.id, marked.id)]
  }

  mutating func performHistory(_ command: Command.ID) -> [Effect] {
    guard case .history(let view) = detail else { return [] }
    let version = view.versions.flatMap { $0.indices.contains(view.row) ? $0[view.row] : nil }
    switch command {
    case .back: leaveScreen()
    case .reveal: toggleRevealOfVersions()
    case .copy: return copy(version, of: view)
    case .restore: askToRestore(version, of: view)
    default: break
    }
    return []
  }

  private mutating func copy(_ version: ValueRecord?, of view: HistoryView) -> [Effect] {
    guard let text = version?.text, let record = contexts.record(view.context),
      let found = record.attributes.first(where: { $0.id == view.attribute })
    else { return [] }
    return [
      .copy(
        text: text, label: "\(record.name) / earlier \(found.label)", concealed: found.isConcealed)
    ]
  }

  private mutating func askToRestore(_ version: ValueRecord?, of view: HistoryView) {
    guard let version, let text = version.text, let record = contexts.record(view.context),
      let found = record.attributes.first(where: { $0.id == view.attribute })
    else { return }
    overlay = .question(
      Question(
        text: "Use the \(found.label) of \(time.date(version.at)) again, on all devices?",
        action: .save([
          .setValue(record.id, found.id, text: text, base: found.heads.map(\.id))
        ])))
  }

  /// Enter and Esc in the lists of conflicts and signals.
  mutating func openRow(_ command: Command.ID) -> [Effect] {
    if command == .back {
      leaveScreen()
      return []
    }
    guard command == .open else { return performOnContext(command) }
    switch detail {
    case .conflicts(let row):
      let entries = conflicts
      guard entries.indices.contains(row) else { return [] }
      contexts.select(entries[row].record.id)
      return openConflict(entries[row].record, attribute: entries[row].attribute)
    case .signals(let row):
      guard log.entries.indices.contains(row) else { return [] }
      goToContext(of: log.entries[row])
    default: break
    }
    return []
  }

  private mutating func goToContext(of entry: SignalLog.Entry) {
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
      if contexts.selectedID != view.context { leaveScreen() }
    case .conflict(var view):
      let values = conflictValues(view)
      if Set(values.map(\.text)).count < 2 {
        leaveScreen()
        say("This conflict was settled.")
      } else if !values.contains(where: { $0.id == view.choice }) {
        view.choice = values.last?.id
        detail = .conflict(view)
      }
    }
  }
}
