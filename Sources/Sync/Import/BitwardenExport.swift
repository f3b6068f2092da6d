import Foundation
public import Wire

/// Writes Bitwarden's unencrypted JSON export.
///
/// What ``BitwardenImport`` makes of an item becomes that item again: for each field of its type
/// the first attribute with the label and kind of ``BitwardenLayout``. Every other attribute
/// becomes a custom field, hidden if it is concealed. In a conflict the value shown takes the
/// place, the others become custom fields beside it.
///
/// Bitwarden keeps earlier values of the password only; ``JSONExport`` keeps all of them.
public enum BitwardenExport {
  /// The file, in plain text: whoever reads it has everything.
  ///
  /// - Parameters:
  ///   - contexts: In the order in which they are written.
  ///   - history: Every value an attribute ever had, oldest first, as
  ///     ``Replica/history(of:in:)`` tells.
  public static func write(
    _ contexts: [ContextRecord], history: @escaping (AttributeID, ContextID) -> [ValueRecord]
  ) throws -> [UInt8] {
    var folders: [String: String] = [:]
    var items: [BitwardenItem] = []
    for context in contexts {
      var writer = BitwardenItemWriter(context: context) { history($0, context.id) }
      var item = try writer.item()
      item.folderId = writer.folder.map { name in
        folders[name, default: folderID(folders.count + 1)]
      }
      if let name = writer.folder, let id = item.folderId { folders[name] = id }
      items.append(item)
    }
    let file = BitwardenFile(
      folders: folders.sorted { $0.value < $1.value }
        .map { BitwardenFile.Folder(id: $0.value, name: $0.key) },
      items: items)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(file)) + [0x0a]
  }

  /// An id only has to be one of its own inside the file: the importer makes new ones.
  private static func folderID(_ number: Int) -> String {
    let digits = String(number)
    return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
  }
}

/// Turns one context into an item, taking attributes from the list as they find a place.
private struct BitwardenItemWriter {
  let context: ContextRecord
  let type: BitwardenLayout.ItemType
  private let history: (AttributeID) -> [ValueRecord]
  private var rest: [AttributeRecord]
  private(set) var folder: String?

  init(context: ContextRecord, history: @escaping (AttributeID) -> [ValueRecord]) {
    self.context = context
    self.history = history
    type = BitwardenLayout.type(of: context)
    rest = context.attributes
  }

  mutating func item() throws -> BitwardenItem {
    var item = BitwardenItem(type: type)
    item.id = Self.uuid(context.id.description)
    item.name = context.name
    item.creationDate = Timestamp.text(context.updatedAt)
    item.revisionDate = item.creationDate
    item.reprompt = 0
    var section = BitwardenSection()
    section.isNote = type == .note
    for field in BitwardenLayout.fields(of: type) {
      guard let attribute = take(field.label, field.kind) else { continue }
      section.values[field.key] = attribute.text
      if type == .login, field.kind == .password { item.passwordHistory = earlier(of: attribute) }
    }
    if type == .login {
      section.uris = takeURIs()
      section.passkeys = takePasskeys()
    }
    item.set(section, of: type)
    item.notes = take(BitwardenLayout.notesLabel, .note)?.text
    folder = take(BitwardenLayout.folderLabel, .text)?.text
    item.favorite = takeFavourite()
    item.fields = rest.map(field) + otherValues()
    return item
  }

  private mutating func take(_ label: String, _ kind: AttributeRecord.Kind) -> AttributeRecord? {
    rest.firstIndex { $0.label == label && $0.kind == kind }.map { rest.remove(at: $0) }
  }

  private mutating func takeFavourite() -> Bool {
    let label = BitwardenLayout.favouriteLabel
    guard rest.contains(where: { $0.label == label && $0.kind == .boolean && $0.text == "true" })
    else { return false }
    return take(label, .boolean) != nil
  }

  private mutating func takeURIs() -> [BitwardenSection.URI] {
    let found = rest.filter { $0.kind == .url && BitwardenLayout.isURILabel($0.label) }
    rest.removeAll { attribute in found.contains { $0.id == attribute.id } }
    return found.map { attribute in
      BitwardenSection.URI(uri: attribute.text, match: takeMatch(of: attribute.label))
    }
  }

  private mutating func takeMatch(of label: String) -> Int? {
    let label = BitwardenLayout.matchLabel(of: label)
    guard
      let index = rest.firstIndex(where: { $0.label == label && $0.kind == .text }),
      let match = BitwardenLayout.matchNames.firstIndex(of: rest[index].text)
        ?? Int(rest[index].text)
    else { return nil }
    rest.remove(at: index)
    return match
  }

  private mutating func takePasskeys() -> [JSONValue] {
    var passkeys: [JSONValue] = []
    rest.removeAll { attribute in
      guard attribute.label == BitwardenLayout.passkeyLabel, attribute.kind == .text,
        let value = Self.object(attribute.text)
      else { return false }
      passkeys.append(value)
      return true
    }
    return passkeys
  }

  /// The text as a JSON object; nil for a text that somebody wrote in its place.
  private static func object(_ text: String) -> JSONValue? {
    do {
      let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
      if case .object = value { return value }
      return nil
    } catch {
      return nil
    }
  }

  /// Newest first, as Bitwarden writes them.
  private func earlier(of attribute: AttributeRecord) -> [BitwardenItem.Earlier]? {
    let earlier = history(attribute.id).reversed().compactMap { value in
      value.isHead
        ? nil
        : value.text.map {
          BitwardenItem.Earlier(lastUsedDate: Timestamp.text(value.at), password: $0)
        }
    }
    return earlier.isEmpty ? nil : earlier
  }

  private func field(_ attribute: AttributeRecord) -> BitwardenItem.Field {
    if attribute.kind == .boolean, ["true", "false"].contains(attribute.text) {
      return BitwardenItem.Field(name: attribute.label, value: attribute.text, type: .boolean)
    }
    if attribute.kind == .linked, let id = BitwardenLayout.linkID(attribute.text, in: type) {
      return BitwardenItem.Field(name: attribute.label, value: nil, type: .linked, linkedId: id)
    }
    return BitwardenItem.Field(
      name: attribute.label, value: attribute.text,
      type: attribute.isConcealed ? .hidden : .text)
  }

  /// What is not shown in a conflict: nobody has chosen yet, so nothing may be left out.
  private func otherValues() -> [BitwardenItem.Field] {
    var fields: [BitwardenItem.Field] = []
    for attribute in context.attributes {
      for text in Self.distinct(attribute.heads, besides: attribute.text) {
        fields.append(
          BitwardenItem.Field(
            name: "\(attribute.label) (other value)", value: text,
            type: attribute.isConcealed ? .hidden : .text))
      }
    }
    for text in Self.distinct(context.names, besides: context.name) {
      fields.append(BitwardenItem.Field(name: "name (other value)", value: text, type: .text))
    }
    return fields
  }

  private static func distinct(_ values: [ValueRecord], besides shown: String) -> [String] {
    var texts: [String] = []
    for text in values.compactMap(\.text) where text != shown && !texts.contains(text) {
      texts.append(text)
    }
    return texts
  }

  /// 32 hexadecimal digits with the hyphens of a UUID.
  private static func uuid(_ digits: String) -> String {
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }
}
