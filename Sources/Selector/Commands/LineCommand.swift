import Sync

/// A command that is typed after `:` because it takes words, or has no key.
enum LineCommand: String, CaseIterable {
  case theme, set, pair, revoke, `import`, export, peers, log, conflicts, drafts, at, trash
  case alarms, sync, lock
  case saveScreen = "save-screen"
  case script
  case passphrase, leaked, kit
  case newKit = "new-kit"
  case deleteAccount = "delete-account"
  case welcome, help
  case quit = "q"

  /// What it takes and does, for the list above the line.
  var text: String {
    switch self {
    case .theme: "NAME   colours, shown while you choose"
    case .set: "mouse | nomouse | links | nolinks   what the terminal clicks on"
    case .pair: "pair another device"
    case .revoke: "DEVICE   shut out a lost device, with new keys and a new kit"
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
    case .welcome: "the first steps"
    case .passphrase: "change the passphrase, asks"
    case .leaked: "somebody may know the passphrase: another, with new keys and kit"
    case .kit: "the account secret once more, asks"
    case .newKit: "another account secret, with new keys, asks"
    case .deleteAccount: "delete the account on all devices, asks"
    case .help: "all keys"
    case .quit: "quit"
    }
  }

  /// How many words it needs.
  var wordCount: Int {
    switch self {
    case .import, .export: 2
    case .theme, .set, .saveScreen, .script, .at, .revoke: 1
    default: 0
    }
  }

  /// What `:set` takes.
  static let settings = ["mouse", "nomouse", "links", "nolinks"]
  /// Formats that can be read.
  static let importFormats = ImportFormat.allCases.map(\.rawValue)
  /// Formats that can be written.
  static let exportFormats = ["bitwarden", "json"]
}

/// One line of the list above the command line.
struct Candidate: Hashable, Sendable {
  /// The whole line it stands for.
  let line: String
  let text: String
}
