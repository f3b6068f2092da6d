import Foundation
import Wire

/// Reads Bitwarden's unencrypted JSON export.
///
/// An item becomes a context: its fields become attributes by ``BitwardenLayout``, its folder and
/// star become the attributes "folder" and "favourite", its notes "notes", each custom field an
/// attribute of that name. Earlier passwords become the history of the attribute "password". Items
/// that share a name stay apart.
///
/// Not kept, because an attribute has no place for it: when an item was made and last changed.
public enum BitwardenImport {
  /// The whole file as edits, or an error and nothing.
  public static func read(_ bytes: [UInt8]) throws(ImportError) -> Imported {
    let file = try decode(bytes)
    guard file.items.count <= Limits.contexts else {
      throw .overLimit(item: nil, limit: "items", allowed: Limits.contexts)
    }
    let unread = try unknownItems(of: file, in: bytes)
    var imported = Imported()
    let names = FolderNames(file)
    for (index, item) in file.items.enumerated() {
      var reader = BitwardenItemReader(position: index + 1, item: item, names: names)
      imported.edits.append(try reader.edit(unread: unread[index]))
      let type = BitwardenLayout.ItemType(rawValue: item.type)
      imported.add(reader.made, as: type.map(BitwardenLayout.kind))
    }
    imported.warnings += summary(of: file)
    return imported
  }

  private static func decode(_ bytes: [UInt8]) throws(ImportError) -> BitwardenFile {
    do {
      return try JSONDecoder().decode(BitwardenFile.self, from: Data(bytes))
    } catch let error as ImportError {
      throw error
    } catch let error as DecodingError {
      throw ImportError(error)
    } catch {
      throw .notJSON
    }
  }

  /// The items of types this program does not know, whole, by their index.
  private static func unknownItems(
    of file: BitwardenFile, in bytes: [UInt8]
  ) throws(ImportError) -> [Int: JSONValue] {
    struct Whole: Decodable {
      let items: [JSONValue]
    }
    let indices = file.items.indices.filter {
      BitwardenLayout.ItemType(rawValue: file.items[$0].type) == nil
    }
    // The second reading costs more than the first, so it is done only where something needs it.
    guard !indices.isEmpty else { return [:] }
    do {
      let whole = try JSONDecoder().decode(Whole.self, from: Data(bytes))
      return Dictionary(uniqueKeysWithValues: indices.map { ($0, whole.items[$0]) })
    } catch {
      throw .notJSON
    }
  }

  private static func summary(of file: BitwardenFile) -> [String] {
    var warnings: [String] = []
    let asking = file.items.count { $0.reprompt == 1 }
    if asking > 0 {
      warnings.append(
        "\(asking) items asked for the master password again; that mark is not kept.")
    }
    let used = Set(
      file.items.flatMap { [$0.folderId].compactMap(\.self) + ($0.collectionIds ?? []) })
    let empty = (file.folders + file.collections).count { !used.contains($0.id ?? "") }
    if empty > 0 {
      warnings.append("\(empty) folders without items are not kept.")
    }
    return warnings
  }
}

extension ImportError {
  /// Only keys and positions of the path are kept: the decoder's own text can quote values.
  init(_ error: DecodingError) {
    let path: [any CodingKey]
    switch error {
    case .dataCorrupted(let context): path = context.codingPath
    case .keyNotFound(let key, let context): path = context.codingPath + [key]
    case .typeMismatch(_, let context), .valueNotFound(_, let context): path = context.codingPath
    @unknown default: path = []
    }
    guard let first = path.first else {
      if case .typeMismatch = error { self = .notBitwarden } else { self = .notJSON }
      return
    }
    let isItem = first.stringValue == "items" && path.count > 1
    let rest = isItem ? path.dropFirst(2) : path[...]
    let field = rest.map { $0.intValue.map { String($0 + 1) } ?? $0.stringValue }
      .joined(separator: ".")
    self = .malformed(
      item: isItem ? path[1].intValue.map { $0 + 1 } : nil, field: field.isEmpty ? "item" : field)
  }
}

/// The names of folders and collections by their ids.
struct FolderNames {
  private let folders: [String: String]
  private let collections: [String: String]

  init(_ file: BitwardenFile) {
    folders = Self.names(file.folders)
    collections = Self.names(file.collections)
  }

  private static func names(_ folders: [BitwardenFile.Folder]) -> [String: String] {
    var names: [String: String] = [:]
    for folder in folders {
      if let id = folder.id, let name = folder.name { names[id] = name }
    }
    return names
  }

  func folder(of item: BitwardenItem) -> String? { item.folderId.flatMap { folders[$0] } }

  func collections(of item: BitwardenItem) -> [String] {
    (item.collectionIds ?? []).compactMap { collections[$0] }
  }
}
