import Foundation
public import Wire

/// One version written to one register: what a commit's plaintext is a JSON list of.
///
/// ```
/// {"ctx":…,"attr":…,"kind":"value","version":…,"supersedes":[…],"hlc":[ms,n],"value":{"text":…}}
/// ```
/// `attr` is absent for a register of the context itself. An absent `value` is a deletion. Keys and
/// registers of later programs are kept as they came, through replicas and snapshots too.
public struct Operation: Hashable, Sendable {
  /// Which register of the context or attribute.
  public struct Register: Hashable, Sendable, Codable, RawRepresentable {
    /// Of a context: name and kind. Of an attribute: label, kind, whether concealed, place.
    public static let description = Register(rawValue: "meta")
    /// Of an attribute: its text.
    public static let value = Register(rawValue: "value")
    /// Of an attribute: how its values are generated, as text. Apart from the value, so that a
    /// value typed on another device is no conflict with it.
    public static let recipe = Register(rawValue: "recipe")
    /// Of an attribute: where a person put it among the others, in `order`. Apart from the
    /// description, so that moving it and renaming it elsewhere both hold.
    public static let place = Register(rawValue: "place")
    /// Of a context: deleted or not.
    public static let existence = Register(rawValue: "exists")

    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }
  }

  /// What is written; each register uses some of the keys.
  public struct Content: Hashable, Sendable {
    public var name: String?
    public var kind: String?
    public var label: String?
    public var concealed: Bool?
    /// Place among the context's attributes: compared as text, ties by id.
    public var order: String?
    public var text: String?
    /// Keys of later programs.
    var others: [String: JSONValue] = [:]

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
  /// The change set that this one takes back: `[ms, n, device]`. A redo takes back an undo.
  public var undoes: ChangeSet.ID?
  /// The version whose content this one writes again, for undo and for the return from the trash:
  /// it stands for that version, so that older changes can be undone through it.
  public var copies: VersionID?
  /// Keys of later programs.
  var others: [String: JSONValue] = [:]

  public init(
    context: ContextID, attribute: AttributeID? = nil, register: Register, version: VersionID,
    supersedes: [VersionID], time: HybridTime, content: Content?, seen: [VersionID]? = nil,
    undoes: ChangeSet.ID? = nil, copies: VersionID? = nil
  ) {
    self.context = context
    self.attribute = attribute
    self.register = register
    self.version = version
    self.supersedes = supersedes
    self.time = time
    self.content = content
    self.seen = seen
    self.undoes = undoes
    self.copies = copies
  }
}

extension Operation: Codable {
  private enum Key: String, CaseIterable {
    case context = "ctx"
    case attribute = "attr"
    case register = "kind"
    case version, supersedes
    case time = "hlc"
    case content = "value"
    case seen, undoes, copies
  }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: AnyKey.self)
    context = try box.decode(ContextID.self, forKey: AnyKey(Key.context))
    attribute = try box.decodeIfPresent(AttributeID.self, forKey: AnyKey(Key.attribute))
    register = try box.decode(Register.self, forKey: AnyKey(Key.register))
    version = try box.decode(VersionID.self, forKey: AnyKey(Key.version))
    supersedes = try box.decode([VersionID].self, forKey: AnyKey(Key.supersedes))
    time = try box.decode(HybridTime.self, forKey: AnyKey(Key.time))
    content = try box.decodeIfPresent(Content.self, forKey: AnyKey(Key.content))
    seen = try box.decodeIfPresent([VersionID].self, forKey: AnyKey(Key.seen))
    undoes = try box.decodeIfPresent(ChangeSet.ID.self, forKey: AnyKey(Key.undoes))
    copies = try box.decodeIfPresent(VersionID.self, forKey: AnyKey(Key.copies))
    others = try box.others { Key(rawValue: $0) != nil }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: AnyKey.self)
    try box.encode(context, forKey: AnyKey(Key.context))
    try box.encodeIfPresent(attribute, forKey: AnyKey(Key.attribute))
    try box.encode(register, forKey: AnyKey(Key.register))
    try box.encode(version, forKey: AnyKey(Key.version))
    try box.encode(supersedes, forKey: AnyKey(Key.supersedes))
    try box.encode(time, forKey: AnyKey(Key.time))
    try box.encodeIfPresent(content, forKey: AnyKey(Key.content))
    try box.encodeIfPresent(seen, forKey: AnyKey(Key.seen))
    try box.encodeIfPresent(undoes, forKey: AnyKey(Key.undoes))
    try box.encodeIfPresent(copies, forKey: AnyKey(Key.copies))
    for (key, value) in others { try box.encode(value, forKey: AnyKey(stringValue: key)) }
  }
}

extension Operation.Content: Codable {
  private enum Key: String, CaseIterable {
    case name, kind, label, concealed, order, text
  }

  public init(from decoder: any Decoder) throws {
    let box = try decoder.container(keyedBy: AnyKey.self)
    name = try box.decodeIfPresent(String.self, forKey: AnyKey(Key.name))
    kind = try box.decodeIfPresent(String.self, forKey: AnyKey(Key.kind))
    label = try box.decodeIfPresent(String.self, forKey: AnyKey(Key.label))
    concealed = try box.decodeIfPresent(Bool.self, forKey: AnyKey(Key.concealed))
    order = try box.decodeIfPresent(String.self, forKey: AnyKey(Key.order))
    text = try box.decodeIfPresent(String.self, forKey: AnyKey(Key.text))
    others = try box.others { Key(rawValue: $0) != nil }
  }

  public func encode(to encoder: any Encoder) throws {
    var box = encoder.container(keyedBy: AnyKey.self)
    try box.encodeIfPresent(name, forKey: AnyKey(Key.name))
    try box.encodeIfPresent(kind, forKey: AnyKey(Key.kind))
    try box.encodeIfPresent(label, forKey: AnyKey(Key.label))
    try box.encodeIfPresent(concealed, forKey: AnyKey(Key.concealed))
    try box.encodeIfPresent(order, forKey: AnyKey(Key.order))
    try box.encodeIfPresent(text, forKey: AnyKey(Key.text))
    for (key, value) in others { try box.encode(value, forKey: AnyKey(stringValue: key)) }
  }
}

/// A key of a JSON object, known or not.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
  init(_ key: some RawRepresentable<String>) { stringValue = key.rawValue }
}

extension KeyedDecodingContainer<AnyKey> {
  /// What stands under keys that this program does not know.
  fileprivate func others(known: (String) -> Bool) throws -> [String: JSONValue] {
    var others: [String: JSONValue] = [:]
    for key in allKeys where !known(key.stringValue) {
      others[key.stringValue] = try decode(JSONValue.self, forKey: key)
    }
    return others
  }
}

extension Operation {
  /// A version as it was written.
  init(_ version: Version, at place: RegisterPlace) {
    self.init(
      context: place.context, attribute: place.attribute, register: place.register,
      version: version.id, supersedes: version.supersedes, time: version.time,
      content: version.content, seen: version.seen.isEmpty ? nil : version.seen,
      undoes: version.undoes, copies: version.copies)
    others = version.others
  }

  /// 216 KiB of JSON: with padding (at most 12 %), header and signature it stays below
  /// ``/Wire/Limits/commitBytes``. Values at their limit take less than two thirds of it, unless
  /// most of their characters are written as escapes of six.
  static let limitBytes = 216 * 1024

  /// Throws ``EditError`` for what no commit can hold: kept all the same, it would be tried for
  /// ever and hold up whatever was saved after it.
  func checkSize() throws {
    guard sizeBoundBytes > Self.limitBytes else { return }
    guard try [self].encoded().count <= Self.limitBytes else {
      throw EditError.overLimit(
        limit: "bytes of a change as it is sent", allowed: Self.limitBytes)
    }
  }

  /// What its JSON takes at the most, without writing it.
  private var sizeBoundBytes: Int {
    let texts = [content?.name, content?.kind, content?.label, content?.order, content?.text]
    let characters = texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
    // A control character is written as six; an id has 32 digits, quotes and a comma.
    return 1024 + 6 * characters + 35 * (supersedes.count + (seen?.count ?? 0))
  }
}

extension [Operation] {
  /// The plaintext of a commit.
  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(self))
  }

  init(plaintext: [UInt8]) throws {
    self = try JSONDecoder().decode([Operation].self, from: Data(plaintext))
  }
}
