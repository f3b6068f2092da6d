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
  /// Unsaved edits to go on with.
  case drafts(row: Int)
  /// The account secret, shown once.
  case kit(String)
  /// What to begin with in an account that is new: the marked choice.
  case start(row: Int)
}

/// Something that is done only after `y`.
struct Question: Hashable, Sendable {
  enum Action: Hashable, Sendable {
    case save([Edit])
    case export(format: String, path: String)
    case discard(DraftID)
    case clearAlarm(code: String)
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
    "import into a new account   Bitwarden, KeePass, pass, CSV",
    "recover an account   with passphrase and account secret",
  ]
}

/// What a new account begins with: the last step of the first run, and `:welcome` later.
enum Start: Int, CaseIterable, Hashable, Sendable {
  case home, work, file, device, nothing

  var text: String {
    switch self {
    case .home: "home             a context for what you have there"
    case .work: "work             another one"
    case .file: "an import        Bitwarden, KeePass, pass, CSV"
    case .device: "another device   shows the code that lets it in"
    case .nothing: "nothing now"
    }
  }
}

/// What the middle pane shows.
enum Detail: Hashable, Sendable {
  case attributes
  case devices(row: Int)
  case conflicts(row: Int)
  case signals(row: Int)
  case history(HistoryView)
  case conflict(ConflictView)
  case trash(TrashView)
  case alarms(row: Int)
}

/// All values an attribute, or everything in a context, ever had.
struct HistoryView: Hashable, Sendable {
  struct Line: Hashable, Sendable {
    let attribute: AttributeID
    let version: ValueRecord
  }

  let context: ContextID
  /// The one the screen was opened for.
  let attribute: AttributeID
  /// Whether the other attributes are shown too.
  var isWhole = false
  /// As far as they have been read.
  private(set) var versions: [AttributeID: [ValueRecord]] = [:]
  var row = 0

  init(context: ContextID, attribute: AttributeID) {
    self.context = context
    self.attribute = attribute
  }

  mutating func take(_ versions: [ValueRecord], of attribute: AttributeID) {
    self.versions[attribute] = versions
  }

  /// Newest first; nil until something has been read.
  var lines: [Line]? {
    guard !versions.isEmpty else { return nil }
    return versions.filter { isWhole || $0.key == attribute }
      .flatMap { attribute, versions in
        versions.map { Line(attribute: attribute, version: $0) }
      }
      .sorted { ($0.version.at, $0.version.id) > ($1.version.at, $1.version.id) }
  }
}

/// The values of a conflict and the one that is chosen.
struct ConflictView: Hashable, Sendable {
  enum Subject: Hashable, Sendable {
    /// Devices gave the context different names.
    case name
    case attribute(AttributeID)
    /// Devices gave the attribute different labels.
    case label(AttributeID)
    /// One device deleted the context while another went on editing it.
    case deletion
  }

  let context: ContextID
  let subject: Subject
  var choice: VersionID?
  /// The choice about a deletion.
  var keepsContext = true
  /// The newest value before they parted, when it is known.
  var ancestor: ValueRecord?
  /// Whether it was opened from the list of conflicts, to which it goes back.
  var isFromList = false

  var attribute: AttributeID? {
    if case .attribute(let id) = subject { id } else { nil }
  }
}

/// Deleted contexts.
struct TrashView: Hashable, Sendable {
  /// nil until they have been read.
  var records: [TrashRecord]?
  var row = 0
}

/// A look at how everything was at some time.
struct Past: Sendable {
  /// Milliseconds since 1970.
  let at: Int64
  /// The contexts as they are now.
  var present: ContextList
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
