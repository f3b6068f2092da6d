import Foundation
import GRDB

/// Brings a database to the newest schema without touching the old file: a copy is migrated, what
/// it holds is compared and its chains are followed, and only then it takes the old one's place.
///
/// The old file stays beside it as `PATH.vN` until the next migration. A crash at any point leaves
/// the old database or the new one under `PATH`, each complete.
struct ServerDatabaseMigration {
  let path: String
  let from: Int

  private var copy: String { path + ".migrating" }
  private var kept: String { "\(path).v\(from)" }

  /// Migrates and closes `old`.
  func run(_ old: DatabaseQueue) throws {
    try ServerDatabaseFile.reserve(copy)
    try old.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
    let before = try old.read(Self.counts)
    let new = try ServerDatabaseFile.connect(copy)
    try ServerDatabase.migrator().migrate(new)
    try verify(new, holds: before)
    try close(new, at: copy)
    try close(old, at: path)
    unlink(kept)
    // A second name rather than a rename: there is a database under `path` at every moment.
    guard link(path, kept) == 0 else { throw ServerDatabaseFile.unusable(path) }
    try ServerDatabaseFile.replace(path, with: copy)
  }

  private func verify(_ new: DatabaseQueue, holds before: [String: Int]) throws {
    let after = try new.read(Self.counts)
    for (table, rows) in before where after[table] != rows {
      throw AttributeServerError.damaged(
        path: path, finding: "\(rows) rows of \(table) became \(after[table] ?? 0) in a copy")
    }
    // Signatures were checked when the commits were taken; hashes tell whether they are the same.
    let findings = try new.read { LedgerCheck.findings(in: $0, signatures: false) }
    if let first = findings.first {
      throw AttributeServerError.damaged(path: path, finding: first.description)
    }
  }

  /// Leaves WAL mode before closing: a log that stayed behind would be played into another file.
  private func close(_ database: DatabaseQueue, at path: String) throws {
    try database.writeWithoutTransaction { db in
      let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
      guard mode == "delete" else {
        throw AttributeServerError.databaseUnusable(path: path, reason: "another process reads it")
      }
    }
    try database.close()
    guard !FileManager.default.fileExists(atPath: path + "-wal") else {
      throw AttributeServerError.databaseUnusable(path: path, reason: "its log was not closed")
    }
  }

  /// The rows of each table.
  private static func counts(_ db: Database) throws -> [String: Int] {
    let tables = try String.fetchAll(
      db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    var counts: [String: Int] = [:]
    for table in tables where table != "grdb_migrations" {
      counts[table] = try Int.fetchOne(
        db, sql: "SELECT count(*) FROM \(table.quotedDatabaseIdentifier)")
    }
    return counts
  }
}
