import Foundation
import GRDB
import Wire

/// Makes, opens and checks the database file of a ``SQLiteStore``.
enum DatabaseFile {
  /// Makes the file under another name and renames it when it is complete, so that an empty or
  /// half-made file under `path` is always damage.
  static func make(_ path: String, schema: Schema) throws {
    for suffix in ["", "-wal"] where SecureFile.exists(path + suffix) {
      throw StorageError.failed(path: path + suffix, operation: "making", code: EEXIST)
    }
    let temporary = "\(path).new"
    for suffix in ["", "-wal", "-shm"] { unlink(temporary + suffix) }
    try SecureFile.write([], to: temporary)
    do {
      let queue = try connect(temporary)
      try queue.inDatabase { try schema.migrate($0, from: 0) }
      try queue.close()
      try SecureFile.flush(temporary)
    } catch let error as DatabaseError {
      throw failure(error, path: path, operation: "making")
    }
    guard rename(temporary, path) == 0 else { throw SecureFile.failure(path, "making", errno) }
    try SecureFile.flushFolder(of: path)
  }

  /// Opens the database, and brings one of an earlier program up to `schema` first.
  ///
  /// - Parameter digest: SHA-256, to compare what a migration wrote.
  static func open(
    _ path: String, schema: Schema, digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws -> DatabaseQueue {
    try checkFile(path)
    do {
      let queue = try connect(path)
      let version = try queue.read { try checkIdentity($0, path: path, schema: schema) }
      guard version < schema.version else {
        try queue.inDatabase { try checkStop($0, path: path) }
        return queue
      }
      // Damage would be copied, too, and the copy look as if it were meant.
      try queue.inDatabase { try checkStop($0, path: path) }
      let migration = DatabaseMigration(
        path: path, version: version, schema: schema, digest: digest)
      try migration.run(from: queue)
      return try open(path, schema: schema, digest: digest)
    } catch let error as DatabaseError {
      throw failure(error, path: path, operation: "opening")
    }
  }

  private static func checkFile(_ path: String) throws {
    guard SecureFile.exists(path) else {
      guard !SecureFile.exists("\(path)-wal") else {
        throw StorageError.corrupted(path: path, detail: "it is gone and its log is left")
      }
      throw StorageError.missing(path: path)
    }
    try SecureFile.checkFile(path)
    // SQLite would take an empty file for a new database.
    var status = stat()
    guard stat(path, &status) == 0 else { throw SecureFile.failure(path, "examining", errno) }
    guard status.st_size > 0 else {
      throw StorageError.corrupted(path: path, detail: "it is empty")
    }
    // SQLite makes the files beside it as it is: ones that cannot be written would keep it from
    // being opened when it can be written again.
    guard status.st_mode & S_IWUSR != 0 else {
      throw StorageError.denied(path: path, reason: "it is read-only (chmod u+w)")
    }
    for suffix in ["-wal", "-shm"] { chmod(path + suffix, 0o600) }
  }

  static func connect(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "store"
    // A backup tool may hold the file for a moment.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { database in
      try database.execute(
        sql: """
          PRAGMA journal_mode = WAL;
          PRAGMA synchronous = FULL;
          PRAGMA secure_delete = ON;
          PRAGMA temp_store = MEMORY;
          PRAGMA trusted_schema = OFF;
          PRAGMA cell_size_check = ON;
          """)
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  private static func checkIdentity(
    _ database: Database, path: String, schema: Schema
  ) throws -> Int {
    let identity = try Int.fetchOne(database, sql: "PRAGMA application_id")
    guard identity == Schema.applicationID else {
      throw StorageError.corrupted(path: path, detail: "another program made it")
    }
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard version <= schema.version else {
      throw StorageError.newerVersion(path: path, found: version, supported: schema.version)
    }
    guard version >= 1 else {
      throw StorageError.corrupted(path: path, detail: "its version is \(version)")
    }
    return version
  }

  /// After a stop that was not clean the pages are checked; either way the next one is not clean
  /// until ``markStop(_:clean:)`` says so.
  private static func checkStop(_ database: Database, path: String) throws {
    let mark = try Bool.fetchOne(
      database, sql: "SELECT value FROM meta WHERE name = 'stoppedCleanly'")
    guard mark != true else {
      do {
        try markStop(database, clean: false)
      } catch DatabaseError.SQLITE_FULL {
        // What is there can still be read, and nothing can be written that a crash could harm.
      }
      return
    }
    let findings = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
    guard findings == ["ok"] else {
      throw StorageError.corrupted(path: path, detail: findings.first ?? "it cannot be checked")
    }
  }

  static func markStop(_ database: Database, clean: Bool) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO meta VALUES ('stoppedCleanly', ?)", arguments: [clean])
  }

  static func failure(_ error: DatabaseError, path: String, operation: String) -> StorageError {
    switch error.resultCode {
    case .SQLITE_FULL: .diskFull(path: path)
    // The file beside the log cannot grow: on a full disk not even reading goes without it.
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
      .diskFull(path: path)
    case .SQLITE_READONLY, .SQLITE_PERM:
      .denied(path: path, reason: "it cannot be written")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      .corrupted(path: path, detail: error.message ?? "it does not read")
    case .SQLITE_ERROR where error.message?.hasPrefix("no such table") == true:
      .corrupted(path: path, detail: error.message ?? "a table is gone")
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHORT_READ:
      .corrupted(path: path, detail: "it is cut short")
    default:
      .failed(path: path, operation: operation, code: error.extendedResultCode.rawValue)
    }
  }
}
