import HashTreeCollections
public import Wire

/// A deleted context that can still be restored.
public struct TrashRecord: Hashable, Sendable, Identifiable {
  public let id: ContextID
  /// The last name it had.
  public let name: String
  public let kind: ContextRecord.Kind
  public let attributes: Int
  /// Milliseconds since 1970 by the deleting device's clock.
  public let deletedAt: Int64
  public let deletedBy: DeviceID
  /// When it can no longer be restored, milliseconds since 1970.
  public let expiresAt: Int64
}

extension Replica {
  /// When a deletion can no longer be taken back, milliseconds since 1970.
  static func expiry(of deletion: Version) -> Int64 {
    let life = Limits.trashLife.components.seconds * 1000
    let (expiry, overflow) = deletion.time.milliseconds.addingReportingOverflow(life)
    return overflow ? .max : expiry
  }

  /// Contexts that were deleted and can be restored at `now`, the newest deletion first.
  public func trash(now: Int64) -> [TrashRecord] {
    trashed.filter { now < $0.expiresAt }
  }

  /// Contexts that were deleted, with their last name.
  public var deleted: [(id: ContextID, name: String, at: Int64, by: DeviceID)] {
    trashed.map { ($0.id, $0.name, $0.deletedAt, $0.deletedBy) }
  }

  private var trashed: [TrashRecord] {
    dead.compactMap { id -> TrashRecord? in
      guard let state = states[id], let deletion = state.deletion,
        let content = state.lastContent, let name = content.name
      else { return nil }
      return TrashRecord(
        id: id, name: name, kind: ContextRecord.Kind(rawValue: content.kind ?? "account"),
        attributes: state.attributes.values.count { attribute in
          attribute.value.lastHeads.contains { $0.content != nil }
        },
        deletedAt: deletion.time.milliseconds, deletedBy: deletion.device,
        expiresAt: Self.expiry(of: deletion))
    }.sorted { $0.deletedAt != $1.deletedAt ? $0.deletedAt > $1.deletedAt : $0.id < $1.id }
  }
}

extension Replica.Context {
  /// The newest deletion that nobody took back.
  var deletion: Version? { standingDeletion }

  /// The name and kind that are shown, or were last.
  var lastContent: Operation.Content? {
    description.shown?.content ?? description.lastHeads.lazy.compactMap(\.content).first
      ?? description.history.reversed().lazy.compactMap(\.content).first
  }
}
