import Foundation
import GRDB

/// What a database holds, for whoever made or checked a copy of it.
public struct DatabaseSummary: Hashable, Sendable {
  public let accounts: Int
  public let commits: Int
  public let snapshots: Int
  public let bytes: Int
  public let generation: String
}

extension DatabaseSummary: CustomStringConvertible {
  public var description: String {
    [(accounts, "account"), (commits, "commit"), (snapshots, "snapshot"), (bytes, "byte")]
      .map { $0 == 1 ? "1 \($1)" : "\($0) \($1)s" }.joined(separator: ", ")
  }
}

/// Copies of a server's database: made while it runs, checked, and put into a folder again.
public enum ServerBackup {
  /// Makes `file` (0600) from the database of a data folder and checks it; nothing stands under
  /// that name before it is complete. A running server makes the copy itself, asked through the
  /// socket in its folder; without one the folder is locked meanwhile.
  ///
  /// - Throws: ``AttributeServerError/findings(path:_:)`` when the copy has faults. It stays as
  ///   `file.partial` then: a copy with a fault can be worth more than none.
  public static func make(
    _ file: String, of folder: String
  ) async throws(AttributeServerError) -> DatabaseSummary {
    let file = absolute(file)
    guard !FileManager.default.fileExists(atPath: file) else { throw .exists(path: file) }
    let partial = file + ".partial"
    try ServerDatabaseFile.reserve(partial)
    do throws(AttributeServerError) {
      try await copy(folder, to: partial)
    } catch {
      unlink(partial)
      throw error
    }
    let summary = try requireSound(partial)
    try place(partial, as: file)
    return summary
  }

  private static func copy(
    _ folder: String, to path: String
  ) async throws(AttributeServerError) {
    let held: DataFolder
    do {
      held = try DataFolder(existing: folder)
    } catch .folderInUse {
      return try await ControlClient(folder: folder).copy(to: path)
    }
    try copyFile(held.database, to: path)
    withExtendedLifetime(held) {}
  }

  /// Copies the database of a stopped server.
  private static func copyFile(
    _ source: String, to path: String
  ) throws(AttributeServerError) {
    guard FileManager.default.fileExists(atPath: source) else {
      throw .databaseUnusable(path: source, reason: "it is not there")
    }
    do {
      let database = try ServerDatabaseFile.connectReadOnly(source)
      _ = try ServerDatabaseFile.checkIdentity(of: database, path: source)
      try database.read { db in
        let copy = try DatabaseCopy(of: db, to: path)
        defer { copy.close() }
        while try copy.step(pages: Int(Int32.max)) {}
        try copy.finish()
      }
      try database.close()
    } catch {
      throw ServerDatabaseFile.error(error, path: source)
    }
    try ServerDatabaseFile.flush(path)
  }

  /// Gives a complete file its name unless something took that meanwhile.
  private static func place(_ partial: String, as file: String) throws(AttributeServerError) {
    if link(partial, file) != 0 {
      guard errno == EPERM || errno == EOPNOTSUPP else {
        throw errno == EEXIST ? .exists(path: file) : ServerDatabaseFile.unusable(file)
      }
      // A disk that knows one name a file, as memory sticks do.
      guard !FileManager.default.fileExists(atPath: file) else { throw .exists(path: file) }
      guard rename(partial, file) == 0 else { throw ServerDatabaseFile.unusable(file) }
    }
    unlink(partial)
    try ServerDatabaseFile.flush((file as NSString).deletingLastPathComponent)
  }

  // MARK: Checking

  /// Checks a stopped server's folder, or one file; nothing is changed.
  public static func check(
    _ path: String
  ) throws(AttributeServerError) -> (summary: DatabaseSummary, findings: [LedgerFinding]) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .databaseUnusable(path: path, reason: "it is not there")
    }
    // A file in a data folder may be served: a second connection is never opened on it.
    let parent = (absolute(path) as NSString).deletingLastPathComponent
    guard isFolder.boolValue || FileManager.default.fileExists(atPath: parent + "/lock") else {
      return try checkFile(path)
    }
    let folder = try DataFolder(existing: isFolder.boolValue ? path : parent)
    defer { withExtendedLifetime(folder) {} }
    let file = isFolder.boolValue ? folder.database : path
    guard FileManager.default.fileExists(atPath: file) else {
      throw .databaseUnusable(path: file, reason: "it is not there")
    }
    return try checkFile(file)
  }

  private static func checkFile(
    _ path: String
  ) throws(AttributeServerError) -> (summary: DatabaseSummary, findings: [LedgerFinding]) {
    // SQLite makes these to read a database in WAL mode and cannot remove them read-only.
    let made = ["-wal", "-shm"].map { path + $0 }
      .filter { !FileManager.default.fileExists(atPath: $0) }
    defer { for file in made { unlink(file) } }
    do {
      let database = try ServerDatabaseFile.connectReadOnly(path)
      let version = try ServerDatabaseFile.checkIdentity(of: database, path: path)
      guard version == ServerDatabase.schema else {
        throw AttributeServerError.olderSchema(path: path, found: version)
      }
      let findings = try database.read { LedgerCheck.findings(in: $0) }
      let held = try database.read(Self.summary)
      try database.close()
      return (held, findings)
    } catch {
      throw ServerDatabaseFile.error(error, path: path)
    }
  }

  private static func requireSound(
    _ path: String
  ) throws(AttributeServerError) -> DatabaseSummary {
    let (summary, findings) = try checkFile(path)
    guard findings.isEmpty else { throw .findings(path: path, findings) }
    return summary
  }

  private static func summary(_ db: Database) throws -> DatabaseSummary {
    func count(_ table: String) throws -> Int {
      try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
    }
    return DatabaseSummary(
      accounts: try count("account"), commits: try count("commits"),
      snapshots: try count("snapshot WHERE completedAt IS NOT NULL"),
      // Of the pages: after a crash some stand in the log and not in the file yet.
      bytes: try (Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0)
        * (Int.fetchOne(db, sql: "PRAGMA page_size") ?? 0),
      generation: try String.fetchOne(db, sql: "SELECT generation FROM instance") ?? "none")
  }

  // MARK: Restoring

  /// Makes a backup the database of a folder that has none, with a new generation. The file itself
  /// is not changed; one of an older schema is migrated in the folder.
  public static func restore(
    _ file: String, to path: String
  ) throws(AttributeServerError) -> DatabaseSummary {
    let folder = try DataFolder(path: path)
    defer { withExtendedLifetime(folder) {} }
    for suffix in ["", "-wal"]
    where FileManager.default.fileExists(atPath: folder.database + suffix) {
      throw .exists(path: folder.database + suffix)
    }
    let copy = folder.database + ".restoring"
    try ServerDatabaseFile.reserve(copy)
    do throws(AttributeServerError) {
      try copyFile(file, to: copy)
      try renew(copy)
      let summary = try requireSound(copy)
      try ServerDatabaseFile.replace(folder.database, with: copy)
      return summary
    } catch {
      unlink(copy)
      throw error
    }
  }

  /// Migrates the copy and gives it a new generation, so that devices hear of the restore.
  private static func renew(_ copy: String) throws(AttributeServerError) {
    do {
      let database = try ServerDatabaseFile.connect(copy)
      try ServerDatabase.migrator().migrate(database)
      try database.write { db in
        try db.execute(
          sql: "UPDATE instance SET generation = ?, clean = 0",
          arguments: [ServerDatabase.newGeneration()])
      }
      try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      try database.close()
    } catch {
      throw ServerDatabaseFile.error(error, path: copy)
    }
  }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }
}
