import Sync
import Wire

/// What takes the keys instead of the panes.
enum Overlay: Hashable, Sendable {
  /// The list is being narrowed; the query to go back to.
  case find(LineEditor)
  case command(CommandLine)
  case question(Question)
  case values(ValueForm)
  case form(Form)
  case generator(Generator)
  case help(HelpScreen)
  case pairing(Pairing)
  /// The account secret, shown once.
  case kit(String)
}

/// Something that is done only after `y`.
struct Question: Hashable, Sendable {
  enum Action: Hashable, Sendable {
    case save([Edit])
    case export(format: String, path: String)
  }

  let text: String
  let action: Action
}

/// The line after `:`.
struct CommandLine: Hashable, Sendable {
  var editor = LineEditor()
  /// The marked candidate; nil while none was chosen.
  var row: Int?
}

struct HelpScreen: Hashable, Sendable {
  /// The place it is about.
  let place: Place
  var row = 0
  var filter = LineEditor()
  var isFiltering = false
}

/// A device being paired, seen from the one that is in already.
enum Pairing: Hashable, Sendable {
  case asking
  /// `expiresAt` in milliseconds since 1970.
  case code(String, expiresAt: Int64)
  case offer(name: String, words: [String])
  case admitting(name: String)
}

/// The screen while the store is locked.
struct LockScreen: Hashable, Sendable {
  var editor = LineEditor()
  var isShown = false
  var isChecking = false
  var triesLeft: Int?
  /// Milliseconds since 1970.
  var pausedUntil: Int64?
  var notice: String?

  mutating func clear() {
    editor = LineEditor()
    isShown = false
  }
}

/// The first run.
enum Welcome: Hashable, Sendable {
  /// How to start: the marked choice.
  case choice(Int)
  /// A new device waits until these words were compared.
  case words([String])

  static let choices = [
    "a new account on a server",
    "join an account I already use   needs a pairing code",
  ]
}

/// What the middle pane shows.
enum Detail: Hashable, Sendable {
  case attributes
  case devices(row: Int)
  case conflicts(row: Int)
  case signals(row: Int)
  case history(HistoryView)
  case conflict(ConflictView)
}

/// All values an attribute ever had.
struct HistoryView: Hashable, Sendable {
  let context: ContextID
  let attribute: AttributeID
  /// Newest first; nil until they have been read.
  var versions: [ValueRecord]?
  var row = 0
}

/// The values of a conflict and the one that is chosen.
struct ConflictView: Hashable, Sendable {
  let context: ContextID
  /// nil when devices gave the context different names.
  let attribute: AttributeID?
  var choice: VersionID?
  /// The newest value before they parted, when it is known.
  var ancestor: ValueRecord?
}

/// Secrets in plain sight, for a while.
struct Reveal: Hashable, Sendable {
  enum Target: Hashable, Sendable {
    case attribute(AttributeID)
    /// Every value of the history or the conflict on the screen.
    case versions
  }

  /// 15 s: long enough to type a password elsewhere.
  static let milliseconds: Int64 = 15_000

  let target: Target
  /// Milliseconds since 1970.
  let until: Int64
}

/// A one-time code and when it ends, in milliseconds since 1970.
struct OneTimeCode: Hashable, Sendable {
  let text: String
  let until: Int64
}

struct Message: Hashable, Sendable {
  enum Tone: Sendable { case news, error }

  let text: String
  var tone = Tone.news
}

enum Pane: Int, CaseIterable, Sendable {
  case contexts, attributes, status
}
