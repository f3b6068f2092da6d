import Sync
import Wire

// Moving in lists and between panes.
extension Session {
  /// Carries out a movement; false when the command is another.
  mutating func move(_ command: Command.ID) -> Bool {
    let page = max(1, pageRows - 1)
    let times = max(1, count)
    switch command {
    case .down: moveRow { $0 + times }
    case .up: moveRow { $0 - times }
    case .first: moveRow { _ in times - 1 }
    case .last:
      let target = count
      moveRow { _ in target > 0 ? target - 1 : Int.max / 2 }
    case .halfPageDown: moveRow { $0 + max(1, page / 2) * times }
    case .halfPageUp: moveRow { $0 - max(1, page / 2) * times }
    case .pageDown: moveRow { $0 + page * times }
    case .pageUp: moveRow { $0 - page * times }
    default: return movePane(command) || moveHit(command)
    }
    return true
  }

  private mutating func movePane(_ command: Command.ID) -> Bool {
    let panes = Pane.allCases.count
    switch command {
    case .nextPane: focus(on: Pane(rawValue: (focus.rawValue + 1) % panes))
    case .previousPane: focus(on: Pane(rawValue: (focus.rawValue + panes - 1) % panes))
    case .contextsPane: focus(on: .contexts)
    case .attributesPane: focus(on: .attributes)
    case .statusPane: focus(on: .status)
    default: return false
    }
    return true
  }

  /// Gives a pane the keys. Any change conceals what was in plain sight.
  mutating func focus(on pane: Pane?) {
    guard let pane, pane != focus else { return }
    conceal()
    focus = pane
    if pane == .contexts { detail = .attributes }
    if pane == .status { news.lookAtSignals() }
  }

  private mutating func moveHit(_ command: Command.ID) -> Bool {
    switch command {
    case .find:
      focus(on: .contexts)
      conceal()
      overlay = .find(LineEditor(contexts.query))
    case .nextHit, .previousHit:
      if lastQuery.isEmpty {
        say("Nothing was looked for yet. / narrows the list.")
      } else {
        let before = contexts.selectedID
        if !contexts.selectHit(lastQuery, forward: command == .nextHit) {
          say("Nothing matches \(lastQuery).")
        }
        didSelect(insteadOf: before)
      }
    default: return false
    }
    return true
  }

  /// Applies a movement to the list that has the focus.
  private mutating func moveRow(_ target: (Int) -> Int) {
    switch focus {
    case .contexts:
      let before = contexts.selectedID
      contexts.select(row: target(contexts.row))
      didSelect(insteadOf: before)
    case .status: logTop = target(logTop).clamped(to: 0...max(0, log.entries.count - 1))
    case .attributes: moveDetailRow(target)
    }
  }

  /// The person went to another context: the one left has been seen.
  mutating func didSelect(insteadOf before: ContextID?) {
    guard contexts.selectedID != before else { return }
    conceal()
    detail = .attributes
    attribute = contexts.selected?.attributes.first?.id
    if let before { news.look(at: before) }
    if let id = contexts.selectedID { news.select(id) }
  }

  private mutating func moveDetailRow(_ target: (Int) -> Int) {
    switch detail {
    case .attributes:
      let attributes = record?.attributes ?? []
      let row = attributes.firstIndex { $0.id == attribute } ?? 0
      guard !attributes.isEmpty else { return }
      attribute = attributes[target(row).clamped(to: 0...(attributes.count - 1))].id
    case .devices(let row): detail = .devices(row: bounded(target(row), status.peers.count))
    case .conflicts(let row): detail = .conflicts(row: bounded(target(row), conflicts.count))
    case .signals(let row): detail = .signals(row: bounded(target(row), log.entries.count))
    case .history(var view):
      view.row = bounded(target(view.row), view.lines?.count ?? 0)
      detail = .history(view)
    case .trash(var view):
      view.row = bounded(target(view.row), view.records?.count ?? 0)
      detail = .trash(view)
    case .alarms(let row): detail = .alarms(row: bounded(target(row), standing.count))
    case .conflict(var view) where view.subject == .deletion:
      view.keepsContext = bounded(target(view.keepsContext ? 1 : 0), 2) == 1
      detail = .conflict(view)
    case .conflict(var view):
      let values = conflictValues(view)
      let row = values.firstIndex { $0.id == view.choice } ?? 0
      guard !values.isEmpty else { return }
      view.choice = values[bounded(target(row), values.count)].id
      detail = .conflict(view)
    }
  }

  private func bounded(_ row: Int, _ count: Int) -> Int {
    row.clamped(to: 0...max(0, count - 1))
  }

  private var pageRows: Int {
    switch focus {
    case .contexts: layout.contexts?.rows ?? 1
    case .attributes: layout.detail?.rows ?? 1
    case .status: layout.status?.rows ?? 1
    }
  }
}

// The prompt that narrows the list.
extension Session {
  mutating func performFind(_ command: Command.ID) -> [Effect] {
    guard case .find(let editor) = overlay else { return [] }
    let before = contexts.selectedID
    switch command {
    case .apply:
      lastQuery = editor.text.isEmpty ? lastQuery : editor.text
      overlay = nil
      if let id = contexts.selectedID { news.select(id) }
    case .back:
      contexts.narrow(to: "", marksBest: false)
      overlay = nil
    case .down: contexts.select(row: contexts.row + 1)
    case .up: contexts.select(row: contexts.row - 1)
    default: break
    }
    if contexts.selectedID != before { attribute = contexts.selected?.attributes.first?.id }
    return []
  }
}
