import Sync
import Wire

/// What a person sees and does, as a value: events in, effects and frames out.
///
/// It does no I/O and knows neither clock nor chance: time comes in `Event.clock`, passwords in
/// `Outcome.generated`. Any event may come at any time; one that makes no sense does nothing.
public struct Session: Sendable {
  /// Five minutes without a key lock the store.
  public static let idleMilliseconds: Int64 = 300_000

  var profile: Profile
  var size: Size
  let keymap: Keymap
  /// Milliseconds since 1970; 0 until the first `clock`.
  var now: Int64 = 0
  var lastKeyAt: Int64 = 0

  var contexts = ContextList()
  var status = SyncStatus()
  var news = News()
  var log = SignalLog()

  var focus = Pane.contexts
  /// Whether the focused pane has the screen alone.
  var isZoomed = false
  var detail = Detail.attributes
  /// The pane from which the screen in place of the attributes was opened.
  var opener = Pane.attributes
  /// The device whose details are shown.
  var openDevice: DeviceID?
  /// The marked attribute; stays with the attribute whatever arrives.
  var attribute: AttributeID?
  /// The first log line in the status pane.
  var logTop = 0
  var overlay: Overlay?
  /// For each save under way, the oldest first, the form it closed.
  var saving: [Overlay?] = []
  var drafts = DraftBook()
  /// While everything is shown as it was; then nothing can be changed.
  var past: Past?
  var progress: SyncProgress?
  /// What is being imported, by its last name; nil when nothing is.
  var importing: String?
  /// Where what was last sent has arrived; nil until something was.
  var delivery: Delivery?
  /// What a person was told and has not dealt with, the newest last.
  var notices: [Notice] = []
  /// When each alarm was raised, by its code, as far as that is known.
  var alarmTimes: [String: Int64] = [:]

  var reveal: Reveal?
  var codes: [AttributeID: OneTimeCode] = [:]
  /// The one-time code to copy when it comes.
  var copyingCode: AttributeID?
  var message: Message?
  /// The number typed before a command; 0 when none was.
  var count = 0
  /// Whether the last key was the one that cancels.
  var wasCancelled = false
  var lastQuery = ""
  var generatorForm = GeneratorForm()
  /// What is to be said once the edit on its way is saved, as what is unlikely about the value.
  var remark: String?
  var theme: String
  var themePreview: String?
  /// A context made or brought back here, to be marked when it is there.
  var awaitedName: String?
  /// The attribute to be marked in it; nil for the first.
  var awaitedAttribute: AttributeID?

  var lockScreen = LockScreen()
  /// Whether the account secret is shown for a camera instead of a pen.
  var showsKitCode = false
  /// Whether it is that of a new account, after which the first steps follow.
  var isKitFirst = false
  var welcome = Welcome.choice(0)
  /// Whether the person began with an import, which needs an account first.
  var importsFirst = false
  /// A command line to open when the store is.
  var awaitedLine: CommandLine?

  public init(profile: Profile, size: Size, keymap: Keymap = .standard) {
    self.profile = profile
    self.size = size
    self.keymap = keymap
    theme = profile.preferences.theme ?? profile.themes.first ?? "terminal"
  }

  /// Takes in what happened and says what is to be done, in this order.
  public mutating func update(_ event: Event) -> [Effect] {
    let effects = handle(event)
    settle()
    if isUnlocked { drafts.note(openDrafts, at: now) }
    return effects
  }

  /// The theme to paint with; follows the marked one while a person looks for one.
  public var themeName: String { themePreview ?? theme }

  /// Whether something on the screen changes with each second.
  public var wantsTicks: Bool {
    if profile.phase == .unlocked {
      if !codes.isEmpty && reveal != nil { return true }
      if case .pairing(.code) = overlay { return true }
      return false
    }
    return isPaused
  }

  /// When a `clock` is wanted although nothing else happens, in milliseconds since 1970.
  public var nextDeadline: Int64? {
    var deadlines: [Int64] = []
    if profile.phase == .unlocked {
      deadlines.append(lastKeyAt + Self.idleMilliseconds)
      if let reveal { deadlines.append(reveal.until) }
      deadlines += [drafts.due, log.due].compactMap(\.self)
      if reveal != nil { deadlines.append(contentsOf: codes.values.map(\.until)) }
      if case .pairing(.code(_, let expiresAt)) = overlay { deadlines.append(expiresAt) }
    } else if let until = lockScreen.pausedUntil, isPaused {
      deadlines.append(until)
    }
    return deadlines.min()
  }

  private mutating func handle(_ event: Event) -> [Effect] {
    switch event {
    case .key(let key): return press(key)
    case .paste(let text): return paste(text)
    case .mouse(let mouse): return take(mouse)
    case .line(let line): return read(line: line)
    case .resize(let size):
      self.size = size
      return []
    case .clock(let time): return advance(to: time)
    case .suspended:
      conceal()
      clearSecretFields()
      return keepDrafts() + keepSignals()
    case .continued: return [.redraw]
    case .lockAsked: return isUnlocked ? lockNow(reason: "by a command") : []
    case .closing: return keepDrafts() + closingEffects + keepSignals()
    case .profile(let profile): return take(profile)
    case .contexts(let records): return take(all: records)
    case .updated(let changed, let removed): return take(changed, removed: removed)
    case .drafts(let found): return take(found)
    case .signals(let earlier):
      if isUnlocked { log.append(earlier: earlier) }
      return []
    case .changed(let changes): return take(changes)
    case .status(let status):
      take(status)
      return []
    case .progress(let progress):
      self.progress = progress
      return []
    case .notice(let notice):
      take(notice)
      return []
    case .caption(let text):
      say(text)
      return []
    case .outcome(let outcome): return take(outcome)
    }
  }

  /// Brings marks and scroll positions back into what there is.
  private mutating func settle() {
    contexts.scroll(rows: layout.contexts?.rows ?? 0)
    let attributes = record?.attributes ?? []
    if let attribute, attributes.contains(where: { $0.id == attribute }) {
      // Still there.
    } else if !contexts.isEmpty {
      attribute = attributes.first?.id
    }
    settleDetail()
    logTop = logTop.clamped(to: 0...max(0, log.entries.count - 1))
  }
}

// What is where.
extension Session {
  var isUnlocked: Bool { profile.phase == .unlocked }

  var isPaused: Bool { lockScreen.pausedUntil.map { $0 > now } ?? false }

  var time: LocalTime { LocalTime(offsetSeconds: profile.timeZoneOffset) }

  var layout: Layout { Layout(size: size, focus: focus, isZoomed: isZoomed) }

  /// The context in the middle pane: a form keeps its own on the screen.
  var record: ContextRecord? {
    if case .values(let form) = overlay {
      return form.over(contexts.record(form.record.id))
    }
    return contexts.selected
  }

  var markedAttribute: AttributeRecord? {
    record?.attributes.first { $0.id == attribute }
  }

  /// Where keys go now.
  var place: Place {
    switch overlay {
    case .find: return .find
    case .command: return .command
    case .question: return .question
    case .values(let form): return form.editor.isMultiline ? .note : .field
    case .form: return .form
    case .generator: return .generator
    case .help(let help): return help.isFiltering ? .find : .help
    case .pairing: return .pairing
    case .drafts: return .drafts
    case .kit: return .kit
    case .start: return .start
    case nil: break
    }
    switch profile.phase {
    case .empty: return .welcome
    case .locked: return .locked
    case .unlocked: return panePlace
    }
  }

  private var panePlace: Place {
    switch focus {
    case .contexts: return .contexts
    case .status: return .status
    case .attributes: break
    }
    switch detail {
    case .attributes: return .attributes
    case .devices: return .devices
    case .conflicts: return .conflicts
    case .signals: return .signals
    case .history: return .history
    case .conflict: return .conflict
    case .trash: return .trash
    case .alarms: return .alarms
    }
  }

  /// What a device is called here.
  func name(of device: DeviceID) -> String {
    if let peer = status.peers.first(where: { $0.id == device }) { return peer.name }
    return device == profile.deviceID ? profile.deviceName : String(device.description.prefix(8))
  }

  /// Lines of a locked selector cannot be sealed; they are about nothing but its connection.
  private mutating func keepSignals() -> [Effect] { isUnlocked ? log.keepDue() : [] }

  mutating func say(_ text: String) {
    message = Message(text: text)
  }

  mutating func complain(_ text: String) {
    message = Message(text: text, tone: .error)
  }

  /// Hides whatever was in plain sight.
  mutating func conceal() {
    reveal = nil
    codes = [:]
    lockScreen.isShown = false
    switch overlay {
    case .values(var form):
      form.isShown = false
      overlay = .values(form)
    case .form(var form):
      form.isShown = false
      overlay = .form(form)
    case .generator(var generator):
      generator.isShown = false
      overlay = .generator(generator)
    default: break
    }
  }

  /// Drops passphrases that were typed and not used.
  mutating func clearSecretFields() {
    lockScreen.clear()
    if case .form(var form) = overlay, form.context == nil {
      form.clearSecrets()
      overlay = .form(form)
    }
  }
}
