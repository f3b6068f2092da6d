/// Whose export is read, by the name a person gives it.
public enum ImportFormat: String, CaseIterable, Hashable, Sendable {
  /// Bitwarden's unencrypted JSON.
  case bitwarden
  /// KeePass XML 2.x, as KeePass and KeePassXC write it.
  case keepass
  /// Columns with a heading, as browsers and most password managers write them.
  case csv
  /// The folder of a `pass` store, decrypted on the way: ``PassImport``.
  case pass

  /// The whole file as edits, or an error and nothing.
  public func read(_ bytes: [UInt8]) throws(ImportError) -> Imported {
    guard bytes.count <= ImportLimits.fileBytes else {
      throw .fileTooLarge(bytes: bytes.count)
    }
    return switch self {
    case .bitwarden: try BitwardenImport.read(bytes)
    case .keepass: try KeePassImport.read(bytes)
    case .csv: try CSVImport.read(bytes)
    case .pass: try PassImport.read(bytes)
    }
  }
}
