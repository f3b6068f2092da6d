import Foundation
import GRDB

/// Makes, opens, checks and migrates the file of a ``ServerDatabase``, with one connection.
///
/// SQLite before 3.51.3 can damage a database in WAL mode that several connections write and
/// checkpoint, so nothing in this program ever opens a second one on a file that is in use.
enum ServerDatabaseFile {
  /// "HIGD": tells our files from those of other programs.
  static let applicationID = 0x4849_4744
  /// Up to 16 MiB a check takes no noticeable time, so it always runs.
  private static let alwaysCheckedBytes = 16 * 1024 * 1024

  /// The file, made if it is not there, whole and of the newest schema.
  static func open(_ path: String) throws -> DatabaseQueue {
    if !FileManager.default.fileExists(atPath: path) { try make(path) }
    try checkFile(path)
    let database = try connect(path)
    let version = try checkIdentity(of: database, path: path)
    try checkWhole(database, path: path)
    guard version < ServerDatabase.schema else { return database }
    try ServerDatabaseMigration(path: path, from: version).run(database)
    return try connect(path)
  }

  /// Makes the file under another name and renames it when it is complete, so that an empty or
  /// half-made file under `path` is always damage.
  private static func make(_ path: String) throws {
    guard !FileManager.default.fileExists(atPath: path + "-wal") else {
      throw AttributeServerError.damaged(path: path, finding: "it is gone and its log is left")
    }
    let temporary = path + ".new"
    try reserve(temporary)
    let database = try connect(temporary)
    try database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try harden(db)
    }
    try ServerDatabase.migrator().migrate(database)
    try database.write(ServerDatabase.insertIdentity)
    try database.close()
    try replace(path, with: temporary)
  }

  /// An empty file of our own under that name, without what an earlier attempt left. SQLite gives
  /// its journal files the permissions of the database file.
  static func reserve(_ path: String) throws(AttributeServerError) {
    for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    let descriptor = Foundation.open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw unusable(path) }
    close(descriptor)
  }

  /// Puts a complete, closed file in the place of `path`: after a crash there is the one or the
  /// other.
  static func replace(_ path: String, with complete: String) throws(AttributeServerError) {
    try flush(complete)
    guard rename(complete, path) == 0 else { throw unusable(path) }
    try flush((path as NSString).deletingLastPathComponent)
  }

  /// Makes a file, or a folder's list of names, survive a power cut.
  static func flush(_ path: String) throws(AttributeServerError) {
    let descriptor = Foundation.open(path.isEmpty ? "." : path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unusable(path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw unusable(path) }
  }

  /// What the last system call on `path` failed with.
  static func unusable(_ path: String) -> AttributeServerError {
    let code = errno
    return code == ENOSPC || code == EDQUOT
      ? .diskFull(path: path)
      : .databaseUnusable(path: path, reason: String(cString: strerror(code)))
  }

  private static func checkFile(_ path: String) throws {
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    // SQLite would take an empty file for a new database: every account would be gone in silence.
    guard size > 0 else { throw AttributeServerError.damaged(path: path, finding: "it is empty") }
    guard chmod(path, 0o600) == 0 else { throw unusable(path) }
  }

  static func connect(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = true
    // A tool that copies files may hold a lock for a moment.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      // Read-only questions come first: a file of another program must stay as it is.
      let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      guard id == applicationID else { return }
      try harden(db)
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Opens without changing a byte, also after a crash: the log beside the file is read, and not
  /// written back. For files that no process serves.
  static func connectReadOnly(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  private static func harden(_ db: Database) throws {
    try db.execute(
      sql: """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        """)
  }

  /// The schema of a database of ours that this program can read.
  static func checkIdentity(of database: DatabaseQueue, path: String) throws -> Int {
    let (application, version) = try database.read { db in
      (
        try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
      )
    }
    guard application == applicationID else { throw AttributeServerError.notOurs(path: path) }
    guard version <= ServerDatabase.schema else {
      throw AttributeServerError.newerSchema(
        path: path, found: version, known: ServerDatabase.schema)
    }
    guard version >= 1 else {
      throw AttributeServerError.damaged(path: path, finding: "it has no tables")
    }
    return version
  }

  private static func checkWhole(_ database: DatabaseQueue, path: String) throws {
    let clean = try database.read {
      try Bool.fetchOne($0, sql: "SELECT clean FROM instance") ?? false
    }
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    guard !clean || bytes <= alwaysCheckedBytes else { return }
    let finding = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
    guard finding == "ok" else {
      throw AttributeServerError.damaged(path: path, finding: finding ?? "it cannot be checked")
    }
  }

  /// What a failing database means for whoever started the program.
  static func error(_ error: any Error, path: String) -> AttributeServerError {
    switch error {
    case let error as AttributeServerError: return error
    case let error as DatabaseError:
      let message = error.message ?? "\(error.resultCode)"
      switch error.resultCode {
      case .SQLITE_NOTADB, .SQLITE_CORRUPT: return .damaged(path: path, finding: message)
      case .SQLITE_ERROR where message.hasPrefix("no such "):
        return .damaged(path: path, finding: message)
      case .SQLITE_FULL: return .diskFull(path: path)
      // The file beside the log cannot grow.
      case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
        return .diskFull(path: path)
      default: return .databaseUnusable(path: path, reason: message)
      }
    // Its own words hold what was read.
    case is RowDecodingError:
      return .damaged(path: path, finding: "a value has another type")
    default: return .databaseUnusable(path: path, reason: "\(error)")
    }
  }
}
