public import Wire

/// Something that became different in the replica, as a screen or `watch` tells it.
public struct Change: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable {
    /// A context that was not there before.
    case added
    case set
    case removed
    /// Now has several values.
    case conflict
  }

  public let kind: Kind
  public let context: ContextID
  public let contextName: String
  /// nil when it is about the context itself.
  public let attribute: AttributeID?
  public let label: String?
  /// The author.
  public let device: DeviceID
  /// Milliseconds since 1970 by the author's clock.
  public let at: Int64

  public init(
    kind: Kind, context: ContextID, contextName: String, attribute: AttributeID? = nil,
    label: String? = nil, device: DeviceID, at: Int64
  ) {
    self.kind = kind
    self.context = context
    self.contextName = contextName
    self.attribute = attribute
    self.label = label
    self.device = device
    self.at = at
  }
}
