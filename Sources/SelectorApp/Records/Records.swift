import Foundation
import Selector
import Sync
import Wire

/// What `--json` prints: one object, or one on each line. Times are milliseconds since 1970; the
/// keys never change their meaning.
enum Records {
  static func line(_ record: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(record), as: UTF8.self)
  }
}

extension Console {
  /// One record on a line of its own.
  func record(_ record: some Encodable) async throws {
    try await write(Array((try Records.line(record) + "\n").utf8), to: .output)
  }
}

/// A line of `list`.
struct ListRecord: Encodable {
  let id: ContextID
  let name: String
  let kind: String
  /// How many.
  let attributes: Int
  let pinned: Bool
  let tags: [String]
  let updatedAt: Int64

  init(_ context: ContextRecord) {
    id = context.id
    name = context.name
    kind = context.kind.rawValue
    attributes = context.attributes.count
    pinned = context.isPinned
    tags = context.tags
    updatedAt = context.updatedAt
  }
}

/// What `show` prints.
struct ShowRecord: Encodable {
  struct Attribute: Encodable {
    let id: AttributeID
    let label: String
    let type: String
    let concealed: Bool
    /// Left out while concealed.
    let value: String?
    let conflict: Bool
    let pending: Bool
    let updatedAt: Int64
    let updatedBy: DeviceID

    init(_ attribute: AttributeRecord, reveals: Bool) {
      id = attribute.id
      label = attribute.label
      type = attribute.kind.rawValue
      concealed = attribute.isConcealed
      value = reveals || !attribute.isConcealed ? attribute.text : nil
      conflict = attribute.hasConflict
      pending = attribute.isPending
      updatedAt = attribute.updatedAt
      updatedBy = attribute.updatedBy
    }
  }

  let id: ContextID
  let name: String
  let kind: String
  let attributes: [Attribute]

  init(_ context: ContextRecord, reveals: Bool) {
    id = context.id
    name = context.name
    kind = context.kind.rawValue
    attributes = context.attributes.map { Attribute($0, reveals: reveals) }
  }
}

/// A line of `watch`. `attribute` and `label` are null when it is about the context itself.
struct WatchRecord: Encodable {
  let change: Change

  private enum Key: String, CodingKey {
    case context, contextName, attribute, label, device, kind, at
  }

  /// `added` is a context's own `set`.
  var kind: String { change.kind == .added ? "set" : change.kind.rawValue }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(change.context, forKey: .context)
    try container.encode(change.contextName, forKey: .contextName)
    try container.encode(change.attribute, forKey: .attribute)
    try container.encode(change.label, forKey: .label)
    try container.encode(change.device, forKey: .device)
    try container.encode(kind, forKey: .kind)
    try container.encode(change.at, forKey: .at)
  }
}

/// A line of `history`: one version. `attribute` is null for a name of the context itself.
struct HistoryRecord: Encodable {
  let id: VersionID
  let device: DeviceID
  let at: Int64
  let head: Bool
  let attribute: AttributeID?
  let label: String
  let removed: Bool
  /// Left out while concealed, and for a removal.
  let value: String?

  private enum Key: String, CodingKey {
    case id, device, at, head, attribute, label, removed, value
  }

  init(_ version: ValueRecord, attribute: AttributeID?, label: String, reveals: Bool) {
    id = version.id
    device = version.device
    at = version.at
    head = version.isHead
    self.attribute = attribute
    self.label = label
    removed = version.text == nil
    value = reveals ? version.text : nil
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(id, forKey: .id)
    try container.encode(device, forKey: .device)
    try container.encode(at, forKey: .at)
    try container.encode(head, forKey: .head)
    try container.encode(attribute, forKey: .attribute)
    try container.encode(label, forKey: .label)
    try container.encode(removed, forKey: .removed)
    try container.encodeIfPresent(value, forKey: .value)
  }
}

/// A line of `trash`.
struct TrashLine: Encodable {
  let id: ContextID
  let name: String
  let kind: String
  /// How many.
  let attributes: Int
  let removedAt: Int64
  let device: DeviceID
  let expiresAt: Int64

  init(_ record: TrashRecord) {
    id = record.id
    name = record.name
    kind = record.kind.rawValue
    attributes = record.attributes
    removedAt = record.deletedAt
    device = record.deletedBy
    expiresAt = record.expiresAt
  }
}

/// What `undo` prints.
struct ChangeSetRecord: Encodable {
  /// What was done: "created", "renamed", "deleted", "restored", "added", "set", "described",
  /// "removed" or "resolved".
  let kind: String
  let contexts: [ContextID]
  let contextName: String
  /// Left out when several attributes are concerned.
  let label: String?
  let device: DeviceID
  let at: Int64

  init(_ change: ChangeSet) {
    kind = change.kind.rawValue
    contexts = change.contexts
    contextName = change.contextName
    label = change.label
    device = change.device
    at = change.at
  }
}

/// A line of `alarms`, and one of the alarms in `status`.
struct AlarmRecord: Encodable {
  let code: String
  let text: String
  let at: Int64

  init(_ notice: Notice) {
    code = notice.code
    text = notice.text
    at = notice.at
  }
}

/// A line of `drafts`. `context`, `contextName` and `attribute` are null for what is not there yet.
struct DraftRecord: Encodable {
  let id: DraftID
  let form: String
  let context: ContextID?
  let contextName: String?
  let attribute: AttributeID?
  let label: String?
  /// The names of the fields something was typed into.
  let fields: [String]
  /// Left out while concealed.
  let values: [String: String]?
  let at: Int64
  /// Where it belongs, for a person; not printed as JSON.
  let place: String

  private enum Key: String, CodingKey {
    case id, form, context, contextName, attribute, label, fields, values, at
  }

  init(_ draft: Draft, context: ContextRecord?, reveals: Bool) {
    id = draft.id
    form = draft.form.rawValue
    self.context = draft.context
    contextName = context?.name
    attribute = draft.attribute
    label = context?.attributes.first { $0.id == draft.attribute }?.label
    let typed = draft.typed
    fields = typed.filter { !$0.value.isEmpty }.keys.sorted()
    values = reveals ? typed : nil
    at = draft.at
    place = draft.words(context: contextName, label: label)
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(id, forKey: .id)
    try container.encode(form, forKey: .form)
    try container.encode(context, forKey: .context)
    try container.encode(contextName, forKey: .contextName)
    try container.encode(attribute, forKey: .attribute)
    try container.encode(label, forKey: .label)
    try container.encode(fields, forKey: .fields)
    try container.encodeIfPresent(values, forKey: .values)
    try container.encode(at, forKey: .at)
  }
}

/// A line of `conflicts`. `attribute` and `label` are null when the context's name is in conflict,
/// or when it was removed on one device (`deletedOn`) and changed on another.
struct ConflictRecord: Encodable {
  struct Value: Encodable {
    let id: VersionID
    let device: DeviceID
    let at: Int64
    /// Whether this side removed the attribute.
    let removed: Bool
    /// Left out where it is concealed, or removed.
    var text: String?
  }

  /// What the devices do not agree on.
  enum Subject: String, Encodable {
    case name, value, label, deletion
  }

  let context: ContextID
  let contextName: String
  let attribute: AttributeID?
  let label: String?
  let subject: Subject
  let deletedOn: DeviceID?
  let values: [Value]

  private enum Key: String, CodingKey {
    case context, contextName, attribute, label, subject, deletedOn, values
  }

  init(_ context: ContextRecord, _ attribute: AttributeRecord?, reveals: Bool) {
    self.context = context.id
    contextName = context.name
    self.attribute = attribute?.id
    label = attribute?.label
    subject = attribute == nil ? .name : .value
    deletedOn = nil
    values =
      attribute.map { attribute in
        attribute.heads.map { Self.value($0, isShown: reveals || !attribute.isConcealed) }
      } ?? context.names.map { Self.value($0) }
  }

  private static func value(_ record: ValueRecord, isShown: Bool = true) -> Value {
    Value(
      id: record.id, device: record.device, at: record.at, removed: record.text == nil,
      text: isShown ? record.text : nil)
  }

  /// An attribute that has several labels.
  init(_ context: ContextRecord, labelsOf attribute: AttributeRecord) {
    self.context = context.id
    contextName = context.name
    self.attribute = attribute.id
    label = attribute.label
    subject = .label
    deletedOn = nil
    values = attribute.labels.map { Self.value($0) }
  }

  /// A context that was removed on one device and changed on another.
  init(_ context: ContextRecord, deletedOn: DeviceID) {
    self.context = context.id
    contextName = context.name
    attribute = nil
    label = nil
    subject = .deletion
    self.deletedOn = deletedOn
    values = []
  }

  /// Everything of `contexts` that a person should decide, in their order.
  static func all(in contexts: [ContextRecord], reveals: Bool = false) -> [ConflictRecord] {
    contexts.flatMap { all(in: $0, reveals: reveals) }
  }

  private static func all(in context: ContextRecord, reveals: Bool) -> [ConflictRecord] {
    var conflicts: [ConflictRecord] = []
    if let device = context.deletedOn {
      conflicts.append(ConflictRecord(context, deletedOn: device))
    }
    if context.names.count > 1 {
      conflicts.append(ConflictRecord(context, nil, reveals: reveals))
    }
    for attribute in context.attributes where attribute.hasConflict {
      conflicts.append(ConflictRecord(context, attribute, reveals: reveals))
    }
    for attribute in context.attributes where attribute.hasLabelConflict {
      conflicts.append(ConflictRecord(context, labelsOf: attribute))
    }
    return conflicts
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(context, forKey: .context)
    try container.encode(contextName, forKey: .contextName)
    try container.encode(attribute, forKey: .attribute)
    try container.encode(label, forKey: .label)
    try container.encode(subject, forKey: .subject)
    try container.encode(deletedOn, forKey: .deletedOn)
    try container.encode(values, forKey: .values)
  }
}
