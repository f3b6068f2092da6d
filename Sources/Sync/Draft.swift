public import Wire

public enum DraftKind: IdentifierKind {}
public typealias DraftID = Identifier<DraftKind>

/// What a person typed into a form and has not saved: kept sealed on this device, never in a
/// commit.
public struct Draft: Hashable, Sendable, Codable, Identifiable {
  /// Which form.
  public enum Form: String, Hashable, Sendable, Codable {
    case newContext, rename, addAttribute, editValue, describe
  }

  public let id: DraftID
  public var form: Form
  /// nil for a context that does not exist yet.
  public var context: ContextID?
  public var attribute: AttributeID?
  /// The values that were on the screen when the form was opened, for ``Edit``.
  public var base: [VersionID]?
  /// What was typed, by the field's name in the form.
  public var fields: [String: String]
  /// When it was last typed in, milliseconds since 1970.
  public var at: Int64

  public init(
    id: DraftID, form: Form, context: ContextID?, attribute: AttributeID?, base: [VersionID]?,
    fields: [String: String], at: Int64
  ) {
    self.id = id
    self.form = form
    self.context = context
    self.attribute = attribute
    self.base = base
    self.fields = fields
    self.at = at
  }
}

/// A draft as it lies on the disk.
public struct DraftRow: Hashable, Sendable {
  public let id: DraftID
  public let sealed: [UInt8]

  public init(id: DraftID, sealed: [UInt8]) {
    self.id = id
    self.sealed = sealed
  }
}
