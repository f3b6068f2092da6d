public import Sync
import Wire

/// The unsaved edits that are on disk, and when what is typed now has to be there too.
struct DraftBook: Hashable, Sendable {
  /// 500 ms: a power cut loses at most this much typing; more often would only wear the disk.
  static let intervalMilliseconds: Int64 = 500
  /// 250 ms: a short word is one write.
  static let settleMilliseconds: Int64 = 250

  /// As they were handed over last, by id.
  private(set) var kept: [DraftID: Draft] = [:]
  private var lastKept: Int64 = 0
  /// Since when something is typed that was not handed over.
  private var typedSince: Int64?
  private var serial: UInt64 = 0

  /// When what is typed has to be handed over; nil while there is nothing new.
  var due: Int64? {
    typedSince.map { max($0 + Self.settleMilliseconds, lastKept + Self.intervalMilliseconds) }
  }

  /// An id nobody else has: drafts never leave the device, and time and number never recur on it.
  mutating func newID(at now: Int64) -> DraftID {
    serial += 1
    let bytes = [UInt64(bitPattern: now), serial].flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
    }
    return DraftID(bytes: bytes) ?? .zero
  }

  /// Takes in what is on disk.
  mutating func load(_ drafts: [Draft]) {
    kept = Dictionary(drafts.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// Notes what is typed in the open form.
  mutating func note(_ open: [OpenDraft], at now: Int64) {
    let isNew = open.contains {
      kept[$0.draft.id]?.fields != ($0.isModified ? $0.draft.fields : nil)
    }
    typedSince = isNew ? typedSince ?? now : nil
  }

  /// What has to be handed over so that all that is typed is on disk.
  mutating func keep(_ open: [OpenDraft], at now: Int64) -> [Effect] {
    var effects: [Effect] = []
    for one in open {
      let draft = one.draft
      if !one.isModified {
        effects += drop(draft.id)
      } else if kept[draft.id]?.fields != draft.fields {
        kept[draft.id] = draft
        effects.append(.keepDraft(draft))
      }
    }
    typedSince = nil
    if !effects.isEmpty { lastKept = now }
    return effects
  }

  /// The form is closed, or the person wants it no more.
  mutating func drop(_ id: DraftID) -> [Effect] {
    kept.removeValue(forKey: id) == nil ? [] : [.dropDraft(id)]
  }

  /// Forgets what was typed: the store is locked.
  mutating func forget() {
    kept = [:]
    typedSince = nil
  }
}

/// What an open form says, as it is kept.
struct OpenDraft: Hashable, Sendable {
  let draft: Draft
  /// Whether there is anything to keep.
  let isModified: Bool
}

/// The names of a draft's fields.
enum DraftField {
  static let name = "name"
  static let kind = "kind"
  static let label = "label"
  static let value = "value"
  /// The context's name, so that the edit can be named when the context is gone.
  static let context = "context"
  static let isConcealed = "concealed"
}

extension Draft {
  /// What a person typed: of an edited value that alone, and nothing that is only kept beside it.
  public var typed: [String: String] {
    fields.filter { form == .editValue ? $0.key == DraftField.value : $0.key != DraftField.context }
  }

  /// What it is about, in words, by the names of now or else by those of then.
  public func words(context: String?, label: String?) -> String {
    let name = context ?? fields[DraftField.context] ?? "a context that is gone"
    let label = label ?? fields[DraftField.label] ?? "an attribute"
    switch form {
    case .newContext:
      let typed = fields[DraftField.name] ?? ""
      return typed.isEmpty ? "new context" : "new context \(typed)"
    case .rename: return "\(name) / its name"
    case .addAttribute: return "\(name) / new attribute \(label)"
    case .editValue: return "\(name) / \(label)"
    case .describe: return "\(name) / the label \(label)"
    }
  }
}
