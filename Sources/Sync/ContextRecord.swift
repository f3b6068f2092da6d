import Foundation
public import Wire

/// A context as a person sees it: home, work, the account at a website.
public struct ContextRecord: Sendable, Identifiable {
  /// What a context is about; a kind of a later program is shown by its raw name.
  public struct Kind: Hashable, Sendable, RawRepresentable {
    public static let account = Kind(rawValue: "account")
    public static let personal = Kind(rawValue: "personal")
    public static let card = Kind(rawValue: "card")
    public static let note = Kind(rawValue: "note")

    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }
  }

  public let id: ContextID
  public let name: String
  public let kind: Kind
  /// The version that says name and kind, for ``Edit/renameContext(_:name:base:)``.
  public let description: VersionID
  /// When anything in it was last written, milliseconds since 1970 by the author's clock.
  public let updatedAt: Int64
  public let updatedBy: DeviceID
  /// The names it was given on several devices at once; fewer than two when they agree.
  public let names: [ValueRecord]
  /// The device that deleted it while another one went on editing it; the edit brought it back.
  public let deletedOn: DeviceID?
  /// Whether the server does not hold all of it yet.
  public let isPending: Bool
  /// Whether lists begin with it: it has an attribute ``AttributeRecord/pinLabel`` that says so.
  public let isPinned: Bool
  /// How many choices a person has to make in it.
  let conflictCount: Int
  /// What lists are sorted by: the name without regard to case; ties by id.
  public let sortKey: String
  private var held: Held

  /// Where its attributes are.
  private enum Held: Sendable {
    case list([AttributeRecord])
    /// In the replica, which holds them anyway; the server has all of them. A screen has 50,000
    /// contexts, and shows the attributes of one.
    case state([AttributeID: Replica.Attribute])
  }

  /// In the order a person gave them. Made from what the replica holds, each time.
  public var attributes: [AttributeRecord] {
    switch held {
    case .list(let attributes): attributes
    case .state(let attributes): attributes.records { _ in false }
    }
  }

  /// The same with its attributes made, for who looks at them often.
  public var atHand: ContextRecord {
    var record = self
    record.held = .list(attributes)
    return record
  }

  public init(
    id: ContextID, name: String, kind: Kind, description: VersionID = .zero,
    attributes: [AttributeRecord], updatedAt: Int64, updatedBy: DeviceID,
    names: [ValueRecord] = [], deletedOn: DeviceID? = nil,
    isPending: Bool = false
  ) {
    self.init(
      id: id, name: name, kind: kind, description: description, attributes: attributes,
      held: .list(attributes), updatedAt: updatedAt, updatedBy: updatedBy, names: names,
      deletedOn: deletedOn, isPending: isPending)
  }

  /// A context of which the server has everything.
  init(
    id: ContextID, name: String, kind: Kind, description: VersionID,
    state: [AttributeID: Replica.Attribute], updatedAt: Int64, updatedBy: DeviceID,
    names: [ValueRecord], deletedOn: DeviceID?
  ) {
    self.init(
      id: id, name: name, kind: kind, description: description,
      attributes: state.records { _ in false }, held: .state(state), updatedAt: updatedAt,
      updatedBy: updatedBy, names: names, deletedOn: deletedOn, isPending: false)
  }

  private init(
    id: ContextID, name: String, kind: Kind, description: VersionID,
    attributes: [AttributeRecord], held: Held, updatedAt: Int64, updatedBy: DeviceID,
    names: [ValueRecord], deletedOn: DeviceID?, isPending: Bool
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.description = description
    self.held = held
    self.updatedAt = updatedAt
    self.updatedBy = updatedBy
    self.names = names
    self.deletedOn = deletedOn
    self.isPending = isPending
    isPinned = attributes.contains(where: \.isPin)
    conflictCount =
      (names.count > 1 ? 1 : 0) + (deletedOn == nil ? 0 : 1)
      + attributes.count(where: \.hasConflict) + attributes.count(where: \.hasLabelConflict)
    let key = name.lowercased()
    // Mostly they are equal, and one text serves both.
    sortKey = key == name ? name : key
  }

  /// The order of lists: pinned contexts first.
  public static func isListedBefore(_ left: ContextRecord, _ right: ContextRecord) -> Bool {
    if left.isPinned != right.isPinned { return left.isPinned }
    return left.sortKey != right.sortKey ? left.sortKey < right.sortKey : left.id < right.id
  }

  /// The words of its attributes of the kind ``AttributeRecord/Kind/tags``, each once.
  public var tags: [String] {
    var tags: [String] = []
    for attribute in attributes where attribute.kind == .tags {
      for word in attribute.text.split(separator: ",") {
        let tag = word.trimmingCharacters(in: .whitespaces)
        if !tag.isEmpty, !tags.contains(tag) { tags.append(tag) }
      }
    }
    return tags
  }

  /// Whether a person should look at it: something in it has several values, or an edit met a
  /// deletion.
  public var hasConflict: Bool { conflictCount > 0 }
}

extension ContextRecord: Hashable {
  /// Whether both show the same, wherever their attributes are.
  public static func == (left: ContextRecord, right: ContextRecord) -> Bool {
    left.id == right.id && left.name == right.name && left.kind == right.kind
      && left.description == right.description && left.updatedAt == right.updatedAt
      && left.updatedBy == right.updatedBy && left.names == right.names
      && left.deletedOn == right.deletedOn && left.isPending == right.isPending
      && left.attributes == right.attributes
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(description)
    hasher.combine(updatedAt)
  }
}

/// One attribute of a context with the value that is shown and, in a conflict, all that were
/// written.
public struct AttributeRecord: Hashable, Sendable, Identifiable {
  /// What a value is, for entry, display and masking; a type of a later program is shown as text.
  public struct Kind: Hashable, Sendable, RawRepresentable {
    public static let text = Kind(rawValue: "text")
    public static let username = Kind(rawValue: "username")
    public static let password = Kind(rawValue: "password")
    public static let email = Kind(rawValue: "email")
    public static let url = Kind(rawValue: "url")
    /// A one-time code's secret: an `otpauth://` URI or base 32.
    public static let totp = Kind(rawValue: "totp")
    public static let note = Kind(rawValue: "note")
    public static let phone = Kind(rawValue: "phone")
    public static let date = Kind(rawValue: "date")
    public static let card = Kind(rawValue: "card")
    public static let address = Kind(rawValue: "address")
    /// Words with commas between them, to find contexts by.
    public static let tags = Kind(rawValue: "tags")
    /// `true` or `false`.
    public static let boolean = Kind(rawValue: "boolean")

    /// Those a person is offered, in this order.
    public static let offered: [Kind] = [
      .text, .username, .password, .email, .url, .totp, .note, .phone, .date, .card, .address,
      .tags,
    ]

    public let rawValue: String

    public init(rawValue: String) {
      self.rawValue = rawValue
    }

    /// Whether a new attribute of this kind is masked unless its owner says otherwise.
    public var isConcealedByDefault: Bool {
      [.password, .totp, .card].contains(self)
    }
  }

  public let id: AttributeID
  public let label: String
  public let kind: Kind
  public let isConcealed: Bool
  /// The version that says label, kind and concealment.
  public let description: VersionID
  /// The value shown: of the newest head that is not a deletion.
  public let text: String
  /// Every value that nobody has superseded; more than one different text is a conflict.
  public let heads: [ValueRecord]
  /// The labels it was given on several devices at once; fewer than two when they agree.
  public let labels: [ValueRecord]
  /// How its values are generated, in the generator's own words; nil when they never were.
  public let recipe: String?
  public let updatedAt: Int64
  public let updatedBy: DeviceID
  public let isPending: Bool

  public init(
    id: AttributeID, label: String, kind: Kind, isConcealed: Bool,
    description: VersionID = .zero, text: String,
    heads: [ValueRecord], labels: [ValueRecord] = [], recipe: String? = nil, updatedAt: Int64,
    updatedBy: DeviceID, isPending: Bool = false
  ) {
    self.id = id
    self.label = label
    self.kind = kind
    self.isConcealed = isConcealed
    self.description = description
    self.text = text
    self.heads = heads
    self.labels = labels
    self.recipe = recipe
    self.updatedAt = updatedAt
    self.updatedBy = updatedBy
    self.isPending = isPending
  }

  /// The label of what pins its context, as Bitwarden's favourites are imported.
  public static let pinLabel = "favourite"

  /// Whether it pins its context.
  public var isPin: Bool { kind == .boolean && label == Self.pinLabel && text == "true" }

  /// Whether devices wrote different values, or one deleted what another wrote.
  public var hasConflict: Bool {
    heads.dropFirst().contains { $0.text != heads[0].text }
  }

  /// Whether devices gave it different labels.
  public var hasLabelConflict: Bool { labels.count > 1 }
}

/// One value somebody wrote.
public struct ValueRecord: Hashable, Sendable, Identifiable {
  public let id: VersionID
  public let device: DeviceID
  /// Milliseconds since 1970 by the author's clock.
  public let at: Int64
  /// nil for a deletion.
  public let text: String?
  /// Whether nobody has superseded it.
  public let isHead: Bool

  public init(id: VersionID, device: DeviceID, at: Int64, text: String?, isHead: Bool) {
    self.id = id
    self.device = device
    self.at = at
    self.text = text
    self.isHead = isHead
  }
}
