import Sync
import Wire

// From a key to what it does.
extension Session {
  mutating func press(_ key: Key) -> [Effect] {
    lastKeyAt = now
    message = nil
    if extendCount(with: key) { return [] }
    let place = place
    guard let command = keymap.command(for: key, at: place) else {
      count = 0
      wasCancelled = false
      return type(key, at: place)
    }
    let effects = perform(command)
    count = 0
    wasCancelled = command == .cancel
    return effects
  }

  /// Takes a digit of a count. 1, 2 and 3 are panes and choices, so that they cannot begin one.
  private mutating func extendCount(with key: Key) -> Bool {
    guard place.chain.contains(.lists), let digit = key.typed?.wholeNumberValue, digit < 10,
      count > 0 || digit > 3
    else { return false }
    count = min(count * 10 + digit, 1_000_000)
    return true
  }

  /// Types a key that has no command.
  private mutating func type(_ key: Key, at place: Place) -> [Effect] {
    if place == .question { return answer(false) }
    guard let character = key.typed, place.takesText else {
      refuse(key, at: place)
      return []
    }
    if place == .form, character == " ", changeChoice(1) { return [] }
    return withEditor { $0.type(character) }
  }

  /// A key that was meant for another pane, or is nowhere any.
  private mutating func refuse(_ key: Key, at place: Place) {
    guard place.chain.contains(.lists) else { return }
    let help = keymap.commands(at: place).first { $0.id == .help }?.keys.first
    let words = help.map { " \($0.caption) shows what does." } ?? ""
    say("\(key.caption) does nothing here.\(words)")
  }

  mutating func paste(_ text: String) -> [Effect] {
    lastKeyAt = now
    message = nil
    count = 0
    guard !text.isEmpty else { return [] }
    guard place.takesText else {
      say("Pasted text does nothing here. Open a field first.")
      return []
    }
    return withEditor { $0.paste(text) }
  }

  mutating func perform(_ command: Command.ID) -> [Effect] {
    if let effects = performAnywhere(command) { return effects }
    switch overlay {
    case .find: return performFind(command)
    case .command: return performCommandLine(command)
    case .question: return answer(command == .yes)
    case .values: return performValues(command)
    case .form: return performForm(command)
    case .generator: return performGenerator(command)
    case .help: return performHelp(command)
    case .pairing: return performPairing(command)
    case .drafts: return performDrafts(command)
    case .kit: return performKit(command)
    case .start: return performStart(command)
    case nil: break
    }
    switch profile.phase {
    case .empty: return performWelcome(command)
    case .locked: return performLocked(command)
    case .unlocked: return performInPane(command)
    }
  }

  private mutating func performAnywhere(_ command: Command.ID) -> [Effect]? {
    switch command {
    case .redraw: return [.redraw]
    case .suspend:
      conceal()
      clearSecretFields()
      return keepDrafts() + [.suspend]
    case .cancel: return cancel()
    default: break
    }
    if place.takesText, let effects = performEditing(command) { return effects }
    return nil
  }

  /// Ends what is going on; the second time in a row it ends the program.
  private mutating func cancel() -> [Effect] {
    if wasCancelled { return keepDrafts() + closingEffects + [.quit] }
    var effects: [Effect] = []
    switch overlay {
    case .kit, nil: lockScreen.clear()
    case .pairing: effects = perform(.no)
    default: effects = perform(.back)
    }
    say("Ctrl-C again quits.")
    return effects
  }

  /// What has to be said before the program ends with a form open.
  var closingEffects: [Effect] {
    switch overlay {
    case .values(let form): [.formClosed(form.record.id)]
    case .form(let form): form.context.map { [.formClosed($0)] } ?? []
    case .generator(let generator): [.formClosed(generator.context)]
    default: []
    }
  }

  /// Commands of panes.
  mutating func performInPane(_ command: Command.ID) -> [Effect] {
    if move(command) { return [] }
    if refuseInPast(command) { return [] }
    if let effects = performScreens(command) { return effects }
    switch detailInFocus {
    case .attributes: return performOnContext(command)
    case .devices(let row): return performDevices(command, row: row)
    case .conflicts, .signals: return openRow(command)
    case .history: return performHistory(command)
    case .conflict: return performConflict(command)
    case .trash: return performTrash(command)
    case .alarms: return performAlarms(command)
    }
  }

  /// The screen whose commands hold; the lists at the sides have those of contexts.
  private var detailInFocus: Detail { focus == .attributes ? detail : .attributes }

  /// Commands that are the same in every pane; nil for the others.
  private mutating func performScreens(_ command: Command.ID) -> [Effect]? {
    switch command {
    case .help: overlay = .help(HelpScreen(place: place))
    case .commandLine: overlay = .command(CommandLine())
    case .quit: return [.quit]
    case .lock: return lockNow(reason: "")
    case .sync:
      say("Synchronising.")
      return [.sync]
    case .signals: show(.signals(row: 0))
    case .devices: show(.devices(row: 0))
    case .conflicts: show(.conflicts(row: 0))
    case .alarms: show(.alarms(row: 0))
    case .trash:
      show(.trash(TrashView()))
      return [.loadTrash]
    case .grow: isZoomed = true
    case .shrink: isZoomed = false
    case .undo: return [.undo]
    case .redo: return [.redo]
    default: return nil
    }
    return []
  }

  /// Shows a screen in the middle pane.
  mutating func show(_ detail: Detail) {
    conceal()
    if case .attributes = self.detail { opener = focus }
    self.detail = detail
    focus = .attributes
    if case .signals = detail { news.lookAtSignals() }
  }
}
