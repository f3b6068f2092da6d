/// A command that is typed after `:` because it takes words, or has no key.
enum LineCommand: String, CaseIterable {
  case theme, set, pair, `import`, export, peers, log, conflicts, drafts, at, trash, alarms
  case sync, lock
  case saveScreen = "save-screen"
  case script
  case help
  case quit = "q"

  /// What it takes and does, for the list above the line.
  var text: String {
    switch self {
    case .theme: "NAME   colours, shown while you choose"
    case .set: "mouse | nomouse   click to mark, wheel to move"
    case .pair: "pair another device"
    case .import: "FORMAT FILE   take in another program's export"
    case .export: "FORMAT FILE   write everything out, readable"
    case .peers: "the devices"
    case .log: "the signals"
    case .conflicts: "what waits for a choice"
    case .drafts: "unsaved edits to go on with"
    case .at: "TIME   everything as it was: 12:03, 2026-11-10, 3d"
    case .trash: "deleted contexts, for 30 days"
    case .alarms: "alarms and notices"
    case .sync: "synchronise now"
    case .lock: "lock now"
    case .saveScreen: "FILE   write this screen as text, or as a picture (.svg)"
    case .script: "FILE   press the keys written there"
    case .help: "all keys"
    case .quit: "quit"
    }
  }

  /// How many words it needs.
  var wordCount: Int {
    switch self {
    case .import, .export: 2
    case .theme, .set, .saveScreen, .script, .at: 1
    default: 0
    }
  }

  /// What `:set` takes.
  static let settings = ["mouse", "nomouse"]
  /// Formats that can be read.
  static let importFormats = ["bitwarden"]
  /// Formats that can be written.
  static let exportFormats = ["bitwarden"]
}

/// One line of the list above the command line.
struct Candidate: Hashable, Sendable {
  /// The whole line it stands for.
  let line: String
  let text: String
}
