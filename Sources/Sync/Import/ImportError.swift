/// Why a file was not imported. Nothing of it was taken then: an import is whole or not at all.
///
/// Items are counted from 1 in the order of the file. No case carries anything of an item's
/// content.
public enum ImportError: Error, Hashable, Sendable {
  /// The file is larger than ``ImportLimits/fileBytes``.
  case fileTooLarge(bytes: Int)
  case notJSON
  /// It is JSON, but has no list of items.
  case notBitwarden
  /// Lines are counted from 1.
  case notXML(line: Int)
  /// It is XML, but no KeePass export.
  case notKeePass
  /// Its values are encrypted, as inside a database.
  case keePassProtected
  case notCSV(line: Int)
  /// Its first row names no columns of logins.
  case unknownColumns
  /// There is no entry of a `pass` store.
  case notPass
  /// `passwordProtected`: with a password of its own, else with the account's key.
  case encrypted(passwordProtected: Bool)
  /// A part of the file does not read; `item` is nil outside the items.
  case malformed(item: Int?, field: String)
  /// An item, or the file for nil, has more than `allowed`; `limit` says of what.
  case overLimit(item: Int?, limit: String, allowed: Int)
}

/// What an import file may be.
public enum ImportLimits {
  /// 256 MiB: more than 50,000 contexts with attachments left out ever are.
  public static let fileBytes = 256 * 1024 * 1024
}

extension ImportError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fileTooLarge(let bytes):
      "The file has \(bytes) bytes, more than the \(ImportLimits.fileBytes) an import takes."
        + " Nothing was imported. Export it in parts."
    case .notJSON:
      "The file is not JSON. Nothing was imported."
        + " Export from Bitwarden again as \".json\", not \".csv\" or \".zip\"."
    case .notBitwarden:
      "The file is JSON, but no Bitwarden export: it has no list of items. Nothing was imported."
    case .notXML(let line):
      "Line \(line) of the file is no XML that can be read. Nothing was imported."
        + " Export from KeePass as \"KeePass XML (2.x)\", from KeePassXC as \"XML\"."
    case .notKeePass:
      "The file is XML, but no KeePass export. Nothing was imported."
        + " Export from KeePass as \"KeePass XML (2.x)\", from KeePassXC as \"XML\"."
    case .keePassProtected:
      "The values in the file are encrypted. Nothing was imported."
        + " Export from KeePass as \"KeePass XML (2.x)\", from KeePassXC as \"XML\"."
    case .notCSV(let line):
      "Line \(line) of the file does not read as CSV. Nothing was imported."
        + " Export it again, as CSV in UTF-8."
    case .unknownColumns:
      "The first row of the file names no columns for password and site or user name."
        + " Nothing was imported. Give its columns names such as name, url, username, password."
    case .notPass:
      "There is no entry of a pass store. Nothing was imported. Name its folder, mostly"
        + " ~/.password-store."
    case .encrypted(passwordProtected: true):
      "The export is encrypted with a password, which cannot be read here. Nothing was imported."
        + " Export again as \".json\" without encryption."
    case .encrypted(passwordProtected: false):
      "The export is encrypted for its account, and only that account can read it. Nothing was"
        + " imported. Export again as \".json\" without encryption."
    case .malformed(let item, let field):
      "\(Self.place(item)): \"\(field)\" does not read. Nothing was imported."
    case .overLimit(let item, let limit, let allowed):
      "\(Self.place(item)): over the limit of \(allowed) \(limit). Nothing was imported."
        + " Shorten it there and export again."
    }
  }

  private static func place(_ item: Int?) -> String {
    item.map { "Item \($0) of the file" } ?? "The file"
  }
}
