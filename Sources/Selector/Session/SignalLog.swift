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
    let what: String
    var context: ContextID?
    var attribute: AttributeID?
    /// Whether it was done here, and so may still wait to be sent.
    var isOwn = false
  }

  private(set) var entries: [Entry] = []

  mutating func add(_ entry: Entry) {
    entries.insert(entry, at: 0)
    if entries.count > Self.limit { entries.removeLast(entries.count - Self.limit) }
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
    changes += new.suffix(Self.limit)
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
