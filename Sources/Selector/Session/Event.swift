public import Sync
public import Wire

/// Everything that can happen to a selector; the only entrance to a ``Session``.
public enum Event: Sendable {
  case key(Key)
  /// Text pasted at once. It is one undo step and never triggers keys.
  case paste(String)
  case mouse(Mouse)
  /// A line, where there are no keys: see ``Session/plainLines()``.
  case line(String)
  case resize(Size)
  /// The time, in milliseconds since 1970. Comes before every batch of other events.
  case clock(Int64)
  /// The terminal is about to be handed back to the shell.
  case suspended
  case continued
  /// The program is about to end without having been asked to: what is typed has to be kept now.
  case closing
  case profile(Profile)
  /// All contexts: at unlock, and after more changed than is worth telling one by one.
  case contexts([ContextRecord])
  /// What changed of the contexts and which are gone; all others are as they were.
  case updated([ContextRecord], removed: [ContextID])
  /// The unsaved edits that were kept on disk, once the store is open.
  case drafts([Draft])
  /// The signals that were kept on disk, the newest first, once the store is open.
  case signals([SignalEntry])
  /// What became different, on this device or by peers.
  case changed([Change])
  case status(SyncStatus)
  /// How far a long synchronisation has come; nil when none is under way.
  case progress(SyncProgress?)
  /// Something a person should know; it stays in the list of alarms until it is dealt with.
  case notice(Notice)
  /// A command of another process asks to lock.
  case lockAsked
  /// A script's words about what it does, in the message row until the next key.
  case caption(String)
  case outcome(Outcome)
}

/// What came of an ``Effect``.
public enum Outcome: Sendable {
  case unlocked
  /// `waitSeconds` is 0 while tries are left.
  case wrongPassphrase(triesLeft: Int, waitSeconds: Int)
  /// The account exists; `kit` is to be written down.
  case accountCreated(kit: String)
  /// This new device waits until a person has compared these words on the other one.
  case joinWords([String])
  case joined
  /// A clear sentence for the message row or the form that asked.
  case failed(String)
  case generated(String)
  /// `route` says where to: "sent to terminal", "copied with tmux".
  case copied(label: String, route: String, clearsInSeconds: Int)
  /// `expiresAt` in milliseconds since 1970.
  case deviceRenamed(name: String)
  /// `names` are out; `kit` is the new one.
  case deviceRevoked(names: [String], haveErased: Bool, kit: String)
  case accountDeleted
  /// `isAdopted`: the account had it already. A kit is the new one.
  case passphraseChanged(isAdopted: Bool, kit: String?)
  case kit(String, isNew: Bool)
  case pairingCode(String, expiresAt: Int64)
  case pairingOffer(name: String, words: [String])
  case pairingDone(name: String)
  case pairingFailed(String)
  case saved
  /// The edits of the form that was just closed were not kept, and why.
  case notSaved(String)
  case reversed(Reversal)
  case trash([TrashRecord])
  /// The contexts as they were at a time (milliseconds since 1970).
  case past(at: Int64, [ContextRecord])
  /// `warnings`: whole sentences about what could not be kept as it was.
  case imported(contexts: Int, warnings: [String])
  case note(String)
  case oneTimeCode(attribute: AttributeID, code: String, secondsLeft: Int)
  /// All versions of one attribute, in any order.
  case history(ContextID, AttributeID, [ValueRecord])
}

/// What an undo or a redo changed.
public struct Reversal: Hashable, Sendable {
  public enum Result: Hashable, Sendable {
    /// It has the value again that was written at this time (milliseconds since 1970).
    case back(Int64)
    /// It is as it was before.
    case asBefore
    case gone
    case there
  }

  public let isRedo: Bool
  /// "password of github.example"
  public let what: String
  public let result: Result

  public init(isRedo: Bool, what: String, result: Result) {
    self.isRedo = isRedo
    self.what = what
    self.result = result
  }
}

/// One device's own facts, which no synchronisation changes.
public struct Profile: Hashable, Sendable {
  public enum Phase: Hashable, Sendable {
    /// Nothing is stored here: the first run.
    case empty
    /// `since` in milliseconds since 1970; `reason` as the end of a sentence ("5 minutes without a
    /// key"), empty when there is nothing to say.
    case locked(since: Int64?, reason: String)
    case unlocked
  }

  public var deviceName: String
  public var deviceID: DeviceID?
  public var accountName: String?
  public var serverURL: String?
  public var storePath: String
  public var phase: Phase
  /// Local time minus UTC, in seconds.
  public var timeZoneOffset: Int
  /// What the person chose for good.
  public var preferences = Preferences()
  /// Names of the themes that can be chosen; the first is shown until another is.
  public var themes: [String]

  public init(
    deviceName: String, deviceID: DeviceID? = nil, accountName: String? = nil,
    serverURL: String? = nil, storePath: String, phase: Phase, timeZoneOffset: Int = 0,
    themes: [String] = ["terminal"]
  ) {
    self.deviceName = deviceName
    self.deviceID = deviceID
    self.accountName = accountName
    self.serverURL = serverURL
    self.storePath = storePath
    self.phase = phase
    self.timeZoneOffset = timeZoneOffset
    self.themes = themes
  }
}
