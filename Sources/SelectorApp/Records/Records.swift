import Foundation
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
  let updatedAt: Int64

  init(_ context: ContextRecord) {
    id = context.id
    name = context.name
    kind = context.kind.rawValue
    attributes = context.attributes.count
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

/// A line of `history`: one version.
struct HistoryRecord: Encodable {
  let id: VersionID
  let device: DeviceID
  let at: Int64
  let head: Bool
  let attribute: AttributeID
  let label: String
  let removed: Bool
  /// Left out while concealed, and for a removal.
  let value: String?

  init(_ version: ValueRecord, of attribute: AttributeRecord, reveals: Bool) {
    id = version.id
    device = version.device
    at = version.at
    head = version.isHead
    self.attribute = attribute.id
    label = attribute.label
    removed = version.text == nil
    value = reveals || !attribute.isConcealed ? version.text : nil
  }
}

/// A line of `conflicts`. `attribute` and `label` are null when the context's name is in conflict.
struct ConflictRecord: Encodable {
  struct Value: Encodable {
    let id: VersionID
    let device: DeviceID
    let at: Int64
  }

  let context: ContextID
  let contextName: String
  let attribute: AttributeID?
  let label: String?
  let values: [Value]

  private enum Key: String, CodingKey {
    case context, contextName, attribute, label, values
  }

  init(_ context: ContextRecord, _ attribute: AttributeRecord?) {
    self.context = context.id
    contextName = context.name
    self.attribute = attribute?.id
    label = attribute?.label
    values = (attribute?.heads ?? context.names)
      .map { Value(id: $0.id, device: $0.device, at: $0.at) }
  }

  /// Everything of `contexts` that a person should decide, in their order.
  static func all(in contexts: [ContextRecord]) -> [ConflictRecord] {
    contexts.flatMap { context in
      (context.names.count > 1 ? [ConflictRecord(context, nil)] : [])
        + context.attributes.filter(\.hasConflict).map { ConflictRecord(context, $0) }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(context, forKey: .context)
    try container.encode(contextName, forKey: .contextName)
    try container.encode(attribute, forKey: .attribute)
    try container.encode(label, forKey: .label)
    try container.encode(values, forKey: .values)
  }
}
