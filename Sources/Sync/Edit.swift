public import Wire

/// One thing a person changes. What it replaces is what they saw: `base` names the values on the
/// screen when the form was opened, so that a value that arrived meanwhile stays beside the new
/// one. Without a base (a command line) it replaces what is there now.
public enum Edit: Hashable, Sendable {
  case createContext(name: String, kind: ContextRecord.Kind, attributes: [NewAttribute])
  /// `base`: the ``ContextRecord/description`` that was on the screen.
  case renameContext(ContextID, name: String, base: VersionID? = nil)
  case deleteContext(ContextID)
  /// Takes back a deletion, not older than ``/Wire/Limits/trashLife``.
  case restoreContext(ContextID)
  case addAttribute(ContextID, NewAttribute)
  /// `recipe`: how the text was generated; nil leaves what is remembered.
  case setValue(
    ContextID, AttributeID, text: String, base: [VersionID]?, recipe: String? = nil)
  /// `base`: the ``AttributeRecord/description`` that was on the screen.
  case describeAttribute(
    ContextID, AttributeID, label: String, kind: AttributeRecord.Kind, isConcealed: Bool,
    base: VersionID? = nil)
  /// Moves an attribute before another one, or behind all.
  case placeAttribute(ContextID, AttributeID, before: AttributeID?)
  case removeAttribute(ContextID, AttributeID, base: [VersionID]?)
  /// Ends a conflict: `keep` becomes the only value, written anew over all the heads.
  case resolve(ContextID, AttributeID, keep: VersionID)
  /// Ends a conflict by keeping every value: the others become attributes of their own with the
  /// label counted up ("password 2").
  case keepBoth(ContextID, AttributeID)
  /// Takes back a change set, unless something changed its values since.
  case undo(ChangeSet.ID)
  /// Takes back an undo, named by its own id.
  case redo(ChangeSet.ID)
  /// Ends a conflict of names.
  case resolveName(ContextID, keep: VersionID)
  /// Ends a conflict of an attribute's labels; it stays concealed where a device concealed it.
  case resolveLabel(ContextID, AttributeID, keep: VersionID)

  public struct NewAttribute: Hashable, Sendable {
    public var label: String
    public var kind: AttributeRecord.Kind
    public var isConcealed: Bool
    public var text: String
    /// See ``AttributeRecord/recipe``.
    public var recipe: String?
    /// Earlier values, oldest first: they become history (imports).
    public var history: [Earlier]

    public struct Earlier: Hashable, Sendable {
      public var text: String
      /// Milliseconds since 1970.
      public var at: Int64

      public init(text: String, at: Int64) {
        self.text = text
        self.at = at
      }
    }

    public init(
      label: String, kind: AttributeRecord.Kind, isConcealed: Bool? = nil, text: String,
      recipe: String? = nil, history: [Earlier] = []
    ) {
      self.label = label
      self.kind = kind
      self.isConcealed = isConcealed ?? kind.isConcealedByDefault
      self.text = text
      self.recipe = recipe
      self.history = history
    }
  }
}

/// Why an edit cannot be made.
public enum EditError: Error, Hashable, Sendable {
  case unknownContext(ContextID)
  case unknownAttribute(AttributeID)
  case unknownVersion(VersionID)
  case emptyName
  /// `limit` names the limit, `allowed` is its number.
  case overLimit(limit: String, allowed: Int)
  case locked
  /// What is left of a deleted account is not changed any more.
  case accountDeleted
  /// A value was changed after what is to be undone.
  case changedSince
  /// There is no such change, or it was undone already.
  case nothingToUndo
  /// The deletion is older than ``/Wire/Limits/trashLife``.
  case expired
}
