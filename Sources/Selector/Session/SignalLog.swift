import Sync
public import Wire

/// A line of the signal log.
public struct SignalEntry: Hashable, Sendable, Codable {
  /// Milliseconds since 1970.
  public let at: Int64
  public let who: String
  public let verb: String
  public var what: String
  public var context: ContextID?
  public var attribute: AttributeID?
  /// Whether it was done here, and so may still wait to be sent.
  public var isOwn: Bool

  public init(
    at: Int64, who: String, verb: String, what: String, context: ContextID? = nil,
    attribute: AttributeID? = nil, isOwn: Bool = false
  ) {
    self.at = at
    self.who = who
    self.verb = verb
    self.what = what
    self.context = context
    self.attribute = attribute
    self.isOwn = isOwn
  }
}

/// What happened, newest first: what devices changed, who came and went, what was synchronised.
struct SignalLog: Sendable {
  /// 500 lines: days of use, and less than a screen's scrolling in memory.
  static let limit = 500
  /// 20 lines, a screen's worth: what one device changed at once has so many, or a single one.
  static let batchLines = 20
  /// 30 s: how long lines wait until they are kept, so that a busy day is no stream of writes. A
  /// crash loses so much of the log, and nothing else.
  static let keepMilliseconds: Int64 = 30_000

  private(set) var entries: [SignalEntry] = []
  /// How many were added by this run.
  private(set) var total = 0
  /// When what was added since it was last kept has to be; nil when nothing was. Milliseconds since
  /// 1970.
  private(set) var due: Int64?

  mutating func add(_ entry: SignalEntry, now: Int64) {
    total += 1
    entries.insert(entry, at: 0)
    if entries.count > Self.limit { entries.removeLast(entries.count - Self.limit) }
    due = due ?? now + Self.keepMilliseconds
  }

  /// Puts what an earlier run left behind what this one has.
  mutating func append(earlier: [SignalEntry]) {
    entries += earlier.prefix(max(0, Self.limit - entries.count))
  }

  /// For a locked selector: names of contexts and attributes are as secret as values.
  mutating func forget() {
    entries = []
    due = nil
  }

  /// Asks for all of it to be kept, unless it is kept already.
  mutating func keepDue() -> [Effect] {
    guard due != nil else { return [] }
    due = nil
    return [.keepSignals(entries)]
  }
}

/// What peers changed that the person has not looked at.
struct News: Sendable {
  /// 1,000: what is older is still in the history of each attribute.
  static let limit = 1000

  private(set) var added: Set<ContextID> = []
  private(set) var changed: Set<ContextID> = []
  private(set) var attributes: Set<AttributeID> = []
  /// Oldest first.
  private(set) var changes: [Change] = []
  /// How many arrived since the person last looked at the signals.
  private(set) var unseen = 0

  mutating func add(_ new: [Change]) {
    for change in new { mark(change) }
    // Without names: they are looked up where they are needed, and gone while locked.
    changes += new.suffix(Self.limit).map {
      Change(
        kind: $0.kind, context: $0.context, contextName: "", attribute: $0.attribute,
        device: $0.device, at: $0.at)
    }
    if changes.count > Self.limit { changes.removeFirst(changes.count - Self.limit) }
  }

  private mutating func mark(_ change: Change) {
    unseen += 1
    if change.kind == .added && change.attribute == nil {
      added.insert(change.context)
    } else {
      changed.insert(change.context)
    }
    if let attribute = change.attribute { attributes.insert(attribute) }
  }

  /// The person moved onto a context: its row needs no mark any more.
  mutating func select(_ id: ContextID) {
    added.remove(id)
    changed.remove(id)
  }

  /// The person has seen what is inside.
  mutating func look(at id: ContextID) {
    select(id)
    for change in changes where change.context == id {
      if let attribute = change.attribute { attributes.remove(attribute) }
    }
    changes.removeAll { $0.context == id }
    if changes.isEmpty { unseen = 0 }
  }

  mutating func lookAtSignals() {
    unseen = 0
  }
}
