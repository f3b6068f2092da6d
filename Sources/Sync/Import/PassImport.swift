import Foundation
import Wire

/// Reads the entries of a `pass` store (the standard Unix password manager), decrypted.
///
/// An entry becomes a context with the entry's path as its name. The first line is the password,
/// unless it is an `otpauth://` address. A later line `field: value` becomes an attribute,
/// everything else notes.
public enum PassImport {
  /// One decrypted file of the store.
  public struct Entry: Hashable, Sendable, Codable {
    /// Its path in the store without `.gpg`.
    public let name: String
    public let text: String

    public init(name: String, text: String) {
      self.name = name
      self.text = text
    }
  }

  /// Entries as ``read(_:)`` takes them: JSON, so that they cross from the process that decrypts
  /// to the one that imports.
  public static func bytes(_ entries: [Entry]) throws -> [UInt8] {
    Array(try JSONEncoder().encode(entries))
  }

  static func read(_ bytes: [UInt8]) throws(ImportError) -> Imported {
    let entries: [Entry]
    do {
      entries = try JSONDecoder().decode([Entry].self, from: Data(bytes))
    } catch {
      throw .notPass
    }
    guard !entries.isEmpty else { throw .notPass }
    guard entries.count <= Limits.contexts else {
      throw .overLimit(item: nil, limit: "items", allowed: Limits.contexts)
    }
    var imported = Imported()
    for entry in entries {
      var reader = PassEntryReader(position: imported.edits.count + 1)
      imported.edits.append(try reader.edit(entry))
      imported.add(reader.item, as: reader.item.likelyKind)
    }
    return imported
  }
}

/// Turns one entry into an edit.
private struct PassEntryReader {
  private(set) var item: ImportedItem
  private var notes: [Substring] = []

  init(position: Int) {
    item = ImportedItem(position: position)
  }

  mutating func edit(_ entry: PassImport.Entry) throws(ImportError) -> Edit {
    var lines = entry.text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    if let first = lines.first, !Self.isCode(first) {
      try item.add("password", .password, String(first))
      lines.removeFirst()
    }
    for line in lines { try take(line) }
    let text = notes.joined(separator: "\n").trimmingCharacters(in: .newlines)
    try item.add("notes", .note, text)
    return try item.edit(name: entry.name, kind: item.likelyKind)
  }

  private mutating func take(_ line: Substring) throws(ImportError) {
    if Self.isCode(line) { return try item.addCode(String(line)) }
    guard let (label, value) = Self.field(line) else { return notes.append(line) }
    switch Self.fields[label.lowercased()] {
    case .totp?: try item.addCode(value)
    case let kind?: try item.add(Self.label(of: kind), kind, value)
    case nil: try item.addCustom(label, value, isConcealed: Self.isSecret(label))
    }
  }

  private static func isCode(_ line: Substring) -> Bool {
    line.lowercased().hasPrefix("otpauth://")
  }

  /// The two halves of `field: value`. A field is one or a few words, so that sentences and sites
  /// in notes are none.
  private static func field(_ line: Substring) -> (label: String, value: String)? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    let label = line[..<colon].trimmingCharacters(in: .whitespaces)
    let rest = line[line.index(after: colon)...]
    guard rest.first == " " || rest.isEmpty, !label.isEmpty, label.count <= 32,
      label.split(separator: " ").count <= 3
    else { return nil }
    let value = rest.trimmingCharacters(in: .whitespaces)
    return value.isEmpty ? nil : (label, value)
  }

  private static let fields: [String: AttributeRecord.Kind] = [
    "login": .username, "user": .username, "username": .username, "url": .url, "site": .url,
    "website": .url, "email": .email, "e-mail": .email, "phone": .phone, "totp": .totp,
    "otp": .totp, "otpauth": .totp, "tags": .tags, "password": .password,
  ]

  private static func label(of kind: AttributeRecord.Kind) -> String { kind.rawValue }

  /// Whether a field of this name is masked.
  private static func isSecret(_ label: String) -> Bool {
    let words = ["pin", "puk", "cvv", "cvc", "secret", "code", "key", "token", "pass"]
    return words.contains { label.lowercased().contains($0) }
  }
}
