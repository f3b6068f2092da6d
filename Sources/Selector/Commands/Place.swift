/// Where the keys go: a pane, a form, a question. The raw value is a table's name in `keys.toml`.
public enum Place: String, CaseIterable, Hashable, Sendable {
  /// Every place, typing included.
  case always
  /// Everywhere but where text is typed.
  case everywhere
  case lists
  /// The selected context, from its list and from its attributes.
  case context
  case contexts
  case attributes
  case status
  case devices
  case conflicts
  case signals
  case history
  case conflict
  case trash
  case alarms
  case drafts
  /// Line editing, wherever text is typed.
  case editing
  case field
  case note
  case form
  case generator
  case find
  case command
  case question
  case pairing
  case kit
  case locked
  case welcome
  case start
  case help

  /// Places whose keys hold here, the nearest first.
  var chain: [Place] {
    switch self {
    case .always, .everywhere, .lists, .context, .editing: [self]
    case .contexts, .attributes: [self, .context, .lists, .everywhere, .always]
    case .status, .devices, .conflicts, .signals, .history, .trash, .alarms:
      [self, .lists, .everywhere, .always]
    case .conflict: [self, .everywhere, .always]
    case .field, .note, .form, .find, .command, .locked: [self, .editing, .always]
    case .generator, .drafts, .question, .pairing, .kit, .welcome, .start: [self, .always]
    case .help: [self, .lists, .always]
    }
  }

  /// Whether keys without a command are typed.
  var takesText: Bool { chain.contains(.editing) }

  /// As the help's title names it.
  var caption: String {
    switch self {
    case .command: "command line"
    case .drafts: "unsaved edits"
    case .kit: "account secret"
    case .trash: "deleted contexts"
    case .locked: "unlocking"
    case .welcome: "first run"
    case .start: "first steps"
    default: rawValue
    }
  }
}
