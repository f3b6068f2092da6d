import HashTreeCollections
public import Vault
public import Wire

/// A concealed value that a device could read before it was taken out of the account.
public struct ExposedSecret: Hashable, Sendable {
  public let context: ContextID
  public let contextName: String
  public let attribute: AttributeID
  public let label: String
}

extension Replica {
  /// The concealed values that were written before the last device was taken out and are still what
  /// they were: nothing un-reads them, but each can be changed, and then leaves this list. By
  /// context and label.
  public func exposed(by membership: Membership) -> [ExposedSecret] {
    guard let cut = membership.rotations.last(where: { !$0.body.revoked.isEmpty })?.cut else {
      return []
    }
    return contexts.flatMap { record in
      record.attributes.filter { attribute in
        attribute.isConcealed && !attribute.text.isEmpty
          && heads(of: attribute.id, in: record.id).contains { version in
            version.content != nil
              && version.placements.contains { $0.sequence <= cut.sequence(of: $0.device) }
          }
      }.map {
        ExposedSecret(
          context: record.id, contextName: record.name, attribute: $0.id, label: $0.label)
      }
    }
  }

  private func heads(of attribute: AttributeID, in context: ContextID) -> [Version] {
    states[context]?.attributes[attribute]?.value.heads ?? []
  }
}
