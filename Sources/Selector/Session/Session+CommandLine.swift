import Sync

// The line after `:`.
extension Session {
  mutating func performCommandLine(_ command: Command.ID) -> [Effect] {
    guard case .command(var line) = overlay else { return [] }
    let candidates = candidates(for: line.editor.text)
    switch command {
    case .back:
      overlay = nil
      themePreview = nil
      return []
    case .down, .up:
      guard !candidates.isEmpty else { return [] }
      let step = command == .down ? 1 : -1
      let from = line.row ?? (step > 0 ? -1 : candidates.count)
      line.row = (from + step + candidates.count) % candidates.count
    case .complete:
      let place = line.row.flatMap { candidates.indices.contains($0) ? $0 : nil } ?? 0
      guard candidates.indices.contains(place) else { return [] }
      line = CommandLine(editor: LineEditor(completion(candidates[place])))
    case .run: return run(line, candidates)
    default: return []
    }
    overlay = .command(line)
    previewTheme()
    return []
  }

  /// What a person may mean by `text`, the best first.
  func candidates(for text: String) -> [Candidate] {
    if let space = text.firstIndex(of: " ") {
      let argument = String(text[text.index(after: space)...])
      return argumentCandidates(of: String(text[..<space]), argument)
    }
    let all = lineCandidates
    return NameIndex(all.map(\.line)).matches(text).map { all[$0] }
  }

  /// Commands of the line, then those of keys that hold in the focused pane.
  private var lineCandidates: [Candidate] {
    var all = LineCommand.allCases.map { Candidate(line: $0.rawValue, text: $0.text) }
    var known = Set(all.map(\.line))
    for command in keymap.commands(at: placeUnderOverlay)
    where known.insert(command.id.rawValue).inserted {
      all.append(Candidate(line: command.id.rawValue, text: command.text))
    }
    return all
  }

  /// The pane that has the focus when nothing lies over it.
  var placeUnderOverlay: Place {
    var session = self
    session.overlay = nil
    return session.place
  }

  private func argumentCandidates(of name: String, _ argument: String) -> [Candidate] {
    let words: [String]
    switch LineCommand(rawValue: name) {
    case .theme: words = profile.themes
    case .set: words = LineCommand.settings
    case .import: words = argument.contains(" ") ? [] : LineCommand.importFormats
    case .export: words = argument.contains(" ") ? [] : LineCommand.exportFormats
    case .revoke: words = status.peers.filter { !$0.isThisDevice }.map(\.name)
    default: words = []
    }
    return NameIndex(words).matches(argument).map {
      Candidate(line: "\(name) \(words[$0])", text: "")
    }
  }

  private func completion(_ candidate: Candidate) -> String {
    let words = candidate.line.split(separator: " ")
    let wanted = LineCommand(rawValue: String(words[0]))?.wordCount ?? 0
    return words.count <= wanted ? candidate.line + " " : candidate.line
  }

  /// Paints with the theme that Enter would choose.
  mutating func previewTheme() {
    guard case .command(let line) = overlay else { return }
    let name = LineCommand.theme.rawValue + " "
    let marked = line.row.flatMap { row in
      candidates(for: line.editor.text).dropFirst(row).first?.line
    }
    let text = marked ?? line.editor.text
    let theme = text.hasPrefix(name) ? String(text.dropFirst(name.count)) : ""
    themePreview = profile.themes.contains(theme) ? theme : nil
  }

  private mutating func run(_ line: CommandLine, _ candidates: [Candidate]) -> [Effect] {
    var text = trimmed(line.editor.text)
    if let row = line.row, candidates.indices.contains(row) { text = candidates[row].line }
    guard !text.isEmpty else {
      overlay = nil
      return []
    }
    let words = text.split(separator: " ", maxSplits: 2).map(String.init)
    let isKnown = LineCommand(rawValue: words[0]) != nil || Command.ID(rawValue: words[0]) != nil
    if !isKnown, let best = candidates.first {
      return run(CommandLine(editor: LineEditor(best.line)), [])
    }
    return run(words, line)
  }

  private mutating func run(_ words: [String], _ line: CommandLine) -> [Effect] {
    guard let command = LineCommand(rawValue: words[0]) else { return runKeyCommand(words[0]) }
    guard words.count > command.wordCount else {
      overlay = .command(CommandLine(editor: LineEditor(words.joined(separator: " ") + " ")))
      say("\(words[0]) takes \(command.text)")
      return []
    }
    overlay = nil
    themePreview = nil
    switch command {
    case .theme: return choose(theme: words[1])
    case .set: return set(words[1])
    case .pair:
      show(.devices(row: 0))
      askForPairing()
      return []
    case .revoke: return revoke(named: words.dropFirst().joined(separator: " "))
    case .import:
      if refuseInPast() { return [] }
      say("Importing \(words[2]). All of it is taken, or nothing.")
      importing = words[2].split(separator: "/").last.map(String.init)
      return [.importFile(format: words[1], path: words[2])]
    case .export:
      overlay = .question(
        Question(
          text: "Write every value readable to \(words[2])?",
          action: .export(format: words[1], path: words[2])))
      return []
    case .saveScreen: return [.saveScreen(words.dropFirst().joined(separator: " "))]
    case .script: return [.playScript(words.dropFirst().joined(separator: " "))]
    case .peers: return performInPane(.devices)
    case .log: return performInPane(.signals)
    case .conflicts: return performInPane(.conflicts)
    case .drafts:
      openDraftList()
      return []
    case .at: return lookAt(words.dropFirst().joined(separator: " "))
    case .trash: return performInPane(.trash)
    case .alarms: return performInPane(.alarms)
    case .sync: return performInPane(.sync)
    case .lock: return performInPane(.lock)
    case .welcome:
      overlay = .start(row: 0)
      return []
    case .passphrase, .leaked:
      openPassphraseForm(isLeaked: command == .leaked)
      return []
    case .kit, .newKit:
      openKitForm(isNew: command == .newKit)
      return []
    case .deleteAccount:
      openDeletion()
      return []
    case .help: return performInPane(.help)
    case .quit: return performInPane(.quit)
    }
  }

  /// Runs a command that has a key in the focused pane.
  private mutating func runKeyCommand(_ name: String) -> [Effect] {
    overlay = nil
    let here = keymap.commands(at: place)
    guard let command = here.first(where: { $0.id.rawValue == name }) else {
      complain("There is no command \(name). Tab completes, ? lists all keys.")
      return []
    }
    return perform(command.id)
  }

  private mutating func choose(theme name: String) -> [Effect] {
    guard profile.themes.contains(name) else {
      complain("There is no theme \(name). Themes: \(profile.themes.joined(separator: ", ")).")
      return []
    }
    theme = name
    profile.preferences.theme = name
    return [.prefer(profile.preferences)]
  }

  private mutating func set(_ setting: String) -> [Effect] {
    guard LineCommand.settings.contains(setting) else {
      complain(
        "There is no setting \(setting), only \(LineCommand.settings.joined(separator: ", ")).")
      return []
    }
    switch setting {
    case "links":
      profile.preferences.hasLinks = true
      say("The terminal opens sites where it can, mostly by Ctrl and a click.")
    case "nolinks":
      profile.preferences.hasLinks = false
      say("Sites are text alone.")
    default:
      profile.preferences.hasMouse = setting == "mouse"
      say(setting == "mouse" ? "Click to mark, wheel to move. Shift selects text." : "No mouse.")
    }
    return [.prefer(profile.preferences)]
  }
}

// The help.
extension Session {
  /// A line of the help: a heading, or a command.
  enum HelpLine: Hashable {
    case heading(Command.Group)
    case command(Command)
  }

  /// The commands of the help, by group, as far as the filter lets them through.
  func helpCommands(_ help: HelpScreen) -> [Command] {
    let all = keymap.commands(at: help.place)
    let sorted = Command.Group.allCases.flatMap { group in all.filter { $0.group == group } }
    let texts = sorted.map { command in
      command.keys.map(\.caption).joined(separator: " ") + " " + command.text
    }
    guard !help.filter.isEmpty else { return sorted }
    return Set(NameIndex(texts).matches(help.filter.text)).sorted().map { sorted[$0] }
  }

  mutating func performHelp(_ command: Command.ID) -> [Effect] {
    guard case .help(var help) = overlay else { return [] }
    let commands = helpCommands(help)
    let last = max(0, commands.count - 1)
    let times = max(1, count)
    switch command {
    case .back where help.isFiltering:
      help.isFiltering = false
      help.filter = LineEditor()
    case .apply: help.isFiltering = false
    case .back, .no, .help, .quit:
      overlay = nil
      return []
    case .find: help.isFiltering = true
    case .down: help.row = min(last, help.row + times)
    case .up: help.row = max(0, help.row - times)
    case .pageDown, .halfPageDown: help.row = min(last, help.row + 10)
    case .pageUp, .halfPageUp: help.row = max(0, help.row - 10)
    case .first: help.row = 0
    case .last: help.row = last
    case .run:
      overlay = nil
      return commands.indices.contains(help.row) ? perform(commands[help.row].id) : []
    default: break
    }
    overlay = .help(help)
    return []
  }
}
