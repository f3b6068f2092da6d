import Storage
import Sync
import Vault
import Wire

/// What a person looks at, may take back, restore, or leave half typed.
extension Device {
  func formOpened(_ context: ContextID) { attempt(.formOpened(context)) }
  func formClosed(_ context: ContextID) { attempt(.formClosed(context)) }

  func contexts() -> [ContextRecord] { core.replica.contexts }

  func contexts(matching query: String) -> [ContextRecord] {
    core.replica.contexts(matching: query)
  }

  func history(of attribute: AttributeID, in context: ContextID) -> [ValueRecord] {
    core.replica.history(of: attribute, in: context)
  }

  /// All there is at this moment, as a value.
  var replica: Replica { core.replica }

  func accountName() -> String? { keyring?.accountName }

  /// Takes back the newest change that stands, whoever made it.
  ///
  /// - Throws: ``EditError/nothingToUndo``, ``EditError/changedSince``.
  func undo(immediately: Bool = false) async throws -> ChangeSet {
    guard let change = core.replica.undoable else { throw EditError.nothingToUndo }
    try await save([.undo(change.id)], immediately: immediately)
    return change
  }

  /// Makes the newest change that was taken back again.
  func redo(immediately: Bool = false) async throws -> ChangeSet {
    guard let change = core.replica.redoable else {
      throw Failure(.notFound, "There is nothing to redo. Nothing was changed.")
    }
    try await save([.redo(change.id)], immediately: immediately)
    return change
  }

  var undoable: ChangeSet? { core.replica.undoable }
  var redoable: ChangeSet? { core.replica.redoable }

  /// Deleted contexts that can still be restored.
  func trash() -> [TrashRecord] { core.replica.trash(now: Self.wallClock) }

  /// Takes back a deletion.
  func restore(_ context: ContextID) async throws {
    try await save([.restoreContext(context)], immediately: false)
  }

  /// Everything as it was at a moment, or as it is.
  func replica(at time: Int64?) -> Replica { time.map(asOf) ?? core.replica }

  /// All contexts as they were at a moment, or as they are.
  func contexts(at time: Int64?) -> [ContextRecord] { replica(at: time).contexts }

  /// Everything as it was at a moment, milliseconds since 1970.
  func asOf(_ time: Int64) -> Replica { core.replica.asOf(time) }

  /// The person wants both of two histories that contradict each other.
  func wantMerge() throws { try take(.mergeWanted) }

  /// Keeps what is typed so far, sealed; it is on disk when this returns.
  func keep(_ draft: Draft) throws { try take(.drafted(draft)) }

  /// Forgets a draft: its form was saved or left.
  func drop(_ draft: DraftID) throws { try take(.draftDropped(draft)) }

  /// Unsaved edits, of this process and of one that ended.
  func drafts() -> [Draft] { core.drafts }

  /// What stands until somebody deals with it.
  func alarms() -> [Notice] { core.alarms }

  /// Somebody has dealt with the alarms of one kind; nil: with all.
  func clearAlarms(code: String?) throws { try take(.alarmsCleared(code: code)) }
}
