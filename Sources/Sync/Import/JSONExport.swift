import Foundation
public import Wire

/// Writes contexts as plain JSON with nothing left out: one object a line, one line a context.
///
/// The keys are those of `higgins show --json`, values revealed, and beside them each attribute's
/// `history`: every value it ever had, oldest first.
/// ```
/// {"attributes":[{"concealed":true,"conflict":false,"history":[{"at":…,"device":…,"head":true,
/// "id":…,"value":"…"}],"id":…,"label":"password","pending":false,"type":"password",
/// "updatedAt":…,"updatedBy":…,"value":"…"}],"id":…,"kind":"account","name":"github.example",
/// "updatedAt":…,"updatedBy":…}
/// ```
/// Times are milliseconds since 1970. A value that is a deletion has no key `value`. `recipe` is
/// there where values were generated, and says how.
public enum JSONExport {
  /// The file, in plain text: whoever reads it has everything.
  ///
  /// - Parameters:
  ///   - contexts: In the order in which they are written.
  ///   - history: As for ``BitwardenExport/write(_:history:)``.
  public static func write(
    _ contexts: [ContextRecord], history: @escaping (AttributeID, ContextID) -> [ValueRecord]
  ) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes: [UInt8] = []
    for context in contexts {
      let line = Line(context) { history($0, context.id) }
      bytes += try encoder.encode(line)
      bytes.append(0x0a)
    }
    return bytes
  }
}

private struct Line: Encodable {
  let id: ContextID
  let name: String
  let kind: String
  let attributes: [Attribute]
  let updatedAt: Int64
  let updatedBy: DeviceID
  /// Only in a conflict of names.
  let names: [Value]?

  init(_ context: ContextRecord, history: (AttributeID) -> [ValueRecord]) {
    id = context.id
    name = context.name
    kind = context.kind.rawValue
    attributes = context.attributes.map { Attribute($0, history: history($0.id)) }
    updatedAt = context.updatedAt
    updatedBy = context.updatedBy
    names = context.names.count > 1 ? context.names.map(Value.init) : nil
  }

  struct Attribute: Encodable {
    let id: AttributeID
    let label: String
    let type: String
    let concealed: Bool
    let value: String
    let conflict: Bool
    let pending: Bool
    let updatedAt: Int64
    let updatedBy: DeviceID
    let recipe: String?
    let history: [Value]

    init(_ attribute: AttributeRecord, history: [ValueRecord]) {
      id = attribute.id
      label = attribute.label
      type = attribute.kind.rawValue
      concealed = attribute.isConcealed
      value = attribute.text
      conflict = attribute.hasConflict
      pending = attribute.isPending
      recipe = attribute.recipe
      updatedAt = attribute.updatedAt
      updatedBy = attribute.updatedBy
      self.history = history.map(Value.init)
    }
  }

  struct Value: Encodable {
    let id: VersionID
    let device: DeviceID
    let at: Int64
    let head: Bool
    let value: String?

    init(_ value: ValueRecord) {
      id = value.id
      device = value.device
      at = value.at
      head = value.isHead
      self.value = value.text
    }
  }
}
