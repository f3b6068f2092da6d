import Foundation
public import Wire

/// One version written to one register: what a commit's plaintext is a JSON list of.
///
/// ```
/// {"ctx":…,"attr":…,"kind":"value","version":…,"supersedes":[…],"hlc":[ms,n],"value":{"text":…}}
/// ```
/// `attr` is absent for a register of the context itself. An absent `value` is a deletion. Commits
/// are kept as they came, so keys and kinds of later programs survive a passage through this one.
public struct Operation: Hashable, Sendable, Codable {
  /// Which register of the context or attribute.
  public struct Register: Hashable, Sendable, Codable, RawRepresentable {
    /// Of a context: name and kind. Of an attribute: label, kind, whether concealed, place.
    public static let description = Register(rawValue: "meta")
    /// Of an attribute: its text.
    public static let value = Register(rawValue: "value")
    /// Of a context: deleted or not.
    public static let existence = Register(rawValue: "exists")

    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }
  }

  /// What is written; each register uses some of the keys.
  public struct Content: Hashable, Sendable, Codable {
    public var name: String?
    public var kind: String?
    public var label: String?
    public var concealed: Bool?
    /// Place among the context's attributes: compared as text, ties by id.
    public var order: String?
    public var text: String?

    public init(
      name: String? = nil, kind: String? = nil, label: String? = nil, concealed: Bool? = nil,
      order: String? = nil, text: String? = nil
    ) {
      self.name = name
      self.kind = kind
      self.label = label
      self.concealed = concealed
      self.order = order
      self.text = text
    }
  }

  public var context: ContextID
  public var attribute: AttributeID?
  public var register: Register
  public var version: VersionID
  /// The versions of this register its author saw.
  public var supersedes: [VersionID]
  public var time: HybridTime
  public var content: Content?
  /// For the deletion of a context: every head of it the author saw.
  public var seen: [VersionID]?

  enum CodingKeys: String, CodingKey {
    case context = "ctx"
    case attribute = "attr"
    case register = "kind"
    case version, supersedes
    case time = "hlc"
    case content = "value"
    case seen
  }
}

extension [Operation] {
  /// The plaintext of a commit.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array<UInt8>(try encoder.encode(self))
  }

  init(plaintext: [UInt8]) throws {
    self = try JSONDecoder().decode([Operation].self, from: Data(plaintext))
  }
}
