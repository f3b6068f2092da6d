/// Why something about this device's disk did not work. Nothing on disk is deleted or changed when
/// one of these is thrown.
public enum StorageError: Error, Hashable, Sendable {
  /// Only letters, digits, `-`, `_` and `.` (not first), at most 64 of them.
  case invalidProfileName(String)
  /// Somebody else owns the file or folder, or could change or read it.
  case insecure(path: String, reason: String)
  /// Another process owns the profile; nil when it has not written its number yet.
  case heldBy(pid: Int32?)
  case missing(path: String)
  /// The file is not what was written; `detail` says how that was noticed.
  case corrupted(path: String, detail: String)
  /// A later program wrote the database.
  case newerVersion(path: String, found: Int, supported: Int)
  case diskFull(path: String)
  /// This user may not, or the file system takes no changes.
  case denied(path: String, reason: String)
  /// The store was closed; what comes after the end is not written.
  case closed(path: String)
  /// A commit or record that does not continue what is held; a fork when its place is taken.
  case doesNotContinue(what: String, expected: UInt64, found: UInt64)
  /// The operating system or SQLite refused: `code` is `errno` or SQLite's extended result code.
  case failed(path: String, operation: String, code: Int32)
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidProfileName(let name):
      "\"\(name)\" cannot name a profile: use letters, digits, - _ and . (not first), at most 64"
    case .insecure(let path, let reason):
      "\(path): \(reason); nothing was read or written"
    case .heldBy(let pid?):
      "process \(pid) uses this profile"
    case .heldBy(nil):
      "another process uses this profile"
    case .missing(let path):
      "\(path) is not there"
    case .corrupted(let path, let detail):
      "\(path) is damaged (\(detail)); it was left as it is"
    case .newerVersion(let path, let found, let supported):
      "\(path) has version \(found) and this program reads up to \(supported); use the later program"
    case .diskFull(let path):
      "no space left for \(path); what was saved before is safe"
    case .denied(let path, let reason):
      "\(path) cannot be used: \(reason)"
    case .closed(let path): "\(path) is closed already"
    case .doesNotContinue(let what, let expected, let found):
      "\(what) \(found) does not follow what is held; \(expected) would"
    case .failed(let path, let operation, let code):
      "\(operation) \(path) failed (code \(code))"
    }
  }
}
