import Sync
import Wire

/// What happened, newest first: what devices changed, who came and went, what was synchronised.
struct SignalLog: Sendable {
  /// 500 lines: days of use, and less than a screen's scrolling in memory.
  static let limit = 500

  struct Entry: Hashable, Sendable {
    /// Milliseconds since 1970.
    let at: Int64
    let who: String
    let verb: String
    var what: String
    var context: ContextID?
    var attribute: AttributeID?
    /// Whether it was done here, and so may still wait to be sent.
    var isOwn = false
  }

  private(set) var entries: [Entry] = []
  /// How many there ever were.
  private(set) var total = 0

  mutating func add(_ entry: Entry) {
    total += 1
    entries.insert(entry, at: 0)
    if entries.count > Self.limit { entries.removeLast(entries.count - Self.limit) }
  }

  /// What these say is about devices and the server, and names no context.
  private static let nameless: Set<String> = [
    "sync", "online", "offline", "arrived", "locked", "unlocked", "alarm",
  ]

  /// For a locked selector: names of contexts and attributes are as secret as values.
  mutating func forgetNames() {
    for place in entries.indices where !Self.nameless.contains(entries[place].verb) {
      entries[place].what = ""
    }
  }

  /// Puts names back, as they are now; `name` is nil for what is gone.
  mutating func restoreNames(_ name: (ContextID, AttributeID?) -> String?) {
    for (place, entry) in entries.enumerated() where entry.what.isEmpty {
      guard let context = entry.context else { continue }
      entries[place].what = name(context, entry.attribute) ?? "what is gone now"
    }
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
