import Wire

/// Why the server cannot start. Requests fail with a ``/Wire/Problem`` instead.
public enum AttributeServerError: Error, Hashable, Sendable {
  /// Another process has the data folder.
  case folderInUse(path: String)
  case folderUnusable(path: String, reason: String)
  /// The file is a database of some other program.
  case notOurs(path: String)
  case newerSchema(path: String, found: Int, known: Int)
  /// A file that only a start or a restore migrates.
  case olderSchema(path: String, found: Int)
  /// The file is truncated or damaged. It was not changed.
  case damaged(path: String, finding: String)
  case databaseUnusable(path: String, reason: String)
  case diskFull(path: String)
  /// Nothing is ever written over.
  case exists(path: String)
  case backupFailed(path: String, reason: String)
  /// The database has faults; never empty.
  case findings(path: String, [LedgerFinding])
  /// Anyone who reaches the server could create accounts.
  case openRegistrationBeyondLoopback
  case cannotListen(address: String, reason: String)
}

extension AttributeServerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .folderInUse(let path):
      "Another higginsd uses \(path). Nothing was changed; stop that one or choose another --data."
    case .folderUnusable(let path, let reason):
      "The data folder \(path) cannot be used: \(reason)."
    case .notOurs(let path):
      "\(path) is no database of higginsd. Nothing was changed; choose another --data."
    case .newerSchema(let path, let found, let known):
      """
      \(path) was written by a newer higginsd (schema \(found), this one knows \(known)). \
      Nothing was changed; start the newer one.
      """
    case .olderSchema(let path, let found):
      """
      \(path) was written by an older higginsd (schema \(found)). Start the server once, or restore \
      the file into a new folder: both migrate a copy and check it.
      """
    case .damaged(let path, let finding):
      """
      \(path) is damaged: \(finding). Nothing was changed or deleted; copy the folder, then \
      restore a backup. Devices send again what the backup lacks.
      """
    case .databaseUnusable(let path, let reason):
      "The database \(path) cannot be opened: \(reason)."
    case .diskFull(let path):
      "No space is left for \(path). What was accepted before is safe; make room and try again."
    case .exists(let path):
      "\(path) is there already. Nothing was changed; move it away or choose another name."
    case .backupFailed(let path, let reason):
      "\(path) was not written: \(reason). The server's own data is as it was."
    case .findings(let path, let findings):
      (findings.map(\.description) + ["\(path) has faults; it is not used."])
        .joined(separator: "\n")
    case .openRegistrationBeyondLoopback:
      """
      Registration cannot be open on an address that others reach; use --registration invite \
      or closed.
      """
    case .cannotListen(let address, let reason):
      "Cannot listen on \(address): \(reason). Stop what uses it, or choose another address."
    }
  }
}
