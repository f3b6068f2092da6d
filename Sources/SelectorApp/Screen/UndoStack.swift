import Sync
import Wire

/// How to take back what changed since the selector was unlocked, here and by peers.
///
/// Taking back is a new edit over what is there now: nothing is erased, on any device.
struct UndoStack {
  /// More steps than anyone remembers.
  static let limit = 200
  private var backward: [Edit] = []
  private var forward: [Edit] = []

  mutating func clear() { (backward, forward) = ([], []) }

  /// Notes edits that are about to change `contexts`. Those that make something new are left out:
  /// they are taken back by deleting it.
  mutating func note(_ edits: [Edit], in contexts: [ContextRecord]) {
    push(edits.compactMap { Self.inverse(of: $0, in: contexts) })
  }

  /// Notes what a peer changed in `contexts`, which are as they were before.
  mutating func note(_ changes: [Change], in contexts: [ContextRecord]) {
    push(
      changes.compactMap { change in
        let record = contexts.first { $0.id == change.context }
        guard let record else { return nil }
        switch (change.kind, change.attribute) {
        case (.removed, nil): return .restoreContext(record.id)
        case (.set, let id?), (.removed, let id?):
          return record.attributes.first { $0.id == id }
            .map { .setValue(record.id, id, text: $0.text, base: nil) }
        case (.set, nil): return .renameContext(record.id, name: record.name)
        case (.added, _), (.conflict, _): return nil
        }
      })
  }

  private mutating func push(_ edits: [Edit]) {
    guard !edits.isEmpty else { return }
    backward += edits
    forward = []
    if backward.count > Self.limit { backward.removeFirst(backward.count - Self.limit) }
  }

  /// The edit that takes back the newest change; nil when there is none.
  mutating func undo(in contexts: [ContextRecord]) -> Edit? {
    guard let edit = backward.popLast() else { return nil }
    if let inverse = Self.inverse(of: edit, in: contexts) { forward.append(inverse) }
    return edit
  }

  /// The edit that makes again what was taken back last; nil when nothing was.
  mutating func redo(in contexts: [ContextRecord]) -> Edit? {
    guard let edit = forward.popLast() else { return nil }
    if let inverse = Self.inverse(of: edit, in: contexts) { backward.append(inverse) }
    return edit
  }

  private static func inverse(of edit: Edit, in contexts: [ContextRecord]) -> Edit? {
    if case .restoreContext(let id) = edit { return .deleteContext(id) }
    guard let record = contexts.first(where: { $0.id == edit.context }) else { return nil }
    switch edit {
    case .renameContext(let id, _): return .renameContext(id, name: record.name)
    case .deleteContext(let id): return .restoreContext(id)
    case .setValue(let id, let attribute, _, _), .removeAttribute(let id, let attribute, _):
      let old = record.attributes.first { $0.id == attribute }
      guard let old else { return .removeAttribute(id, attribute, base: nil) }
      return .setValue(id, attribute, text: old.text, base: nil)
    case .describeAttribute(let id, let attribute, _, _, _):
      return record.attributes.first { $0.id == attribute }.map {
        .describeAttribute(
          id, attribute, label: $0.label, kind: $0.kind, isConcealed: $0.isConcealed)
      }
    default: return nil
    }
  }
}
