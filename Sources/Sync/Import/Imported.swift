/// What an import file comes to: edits to apply, and what a person should know about them.
public struct Imported: Hashable, Sendable {
  /// How many there were of what.
  public struct Counts: Hashable, Sendable {
    public internal(set) var logins = 0
    public internal(set) var cards = 0
    public internal(set) var identities = 0
    public internal(set) var notes = 0
    public internal(set) var keys = 0
    /// Of a type this program does not know; kept as notes.
    public internal(set) var unknown = 0
    public internal(set) var attributes = 0
    /// Values that were in use earlier.
    public internal(set) var earlierValues = 0

    public init() {}

    /// Every context, of whatever type.
    public var contexts: Int { logins + cards + identities + notes + keys + unknown }
  }

  /// One ``Edit/createContext(name:kind:attributes:)`` for each item, in the order of the file.
  public internal(set) var edits: [Edit] = []
  public internal(set) var counts = Counts()
  /// Whole sentences about what could not be kept as it was. They name positions, never values.
  public internal(set) var warnings: [String] = []

  public init() {}
}
