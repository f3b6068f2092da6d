import Foundation
import GRDB
import Wire

/// Brings a database to a later layout: copies it, changes the copy, compares the two, and lets the
/// copy take the name over. The old file stays as `PATH.vN` until the next migration.
///
/// Whenever it is interrupted, the file under the name is the old one or the new one, whole.
struct DatabaseMigration {
  let path: String
  /// What the old file has.
  let version: Int
  let schema: Schema
  let digest: @Sendable ([UInt8]) -> Digest32

  private var copy: String { "\(path).new" }
  private func kept(_ version: Int) -> String { "\(path).v\(version)" }

  /// Closes `queue`, which must be the only connection to the old file.
  func run(from queue: DatabaseQueue) throws {
    removeCopy()
    do {
      try SecureFile.write([], to: copy)
      try queue.writeWithoutTransaction {
        try $0.execute(sql: "VACUUM INTO ?", arguments: [copy])
      }
      let target = try DatabaseFile.connect(copy)
      try target.inDatabase { try schema.migrate($0, from: version) }
      try compare(queue, with: target)
      try target.close()
      try SecureFile.flush(copy)
      try queue.close()
      try takeOver()
    } catch {
      removeCopy()
      throw error
    }
  }

  private func removeCopy() {
    for suffix in ["", "-wal", "-shm"] { unlink(copy + suffix) }
  }

  /// Closing emptied the old log; one that is left would be played over the new file.
  private func takeOver() throws {
    for suffix in ["-wal", "-shm"] where SecureFile.exists(path + suffix) {
      throw StorageError.corrupted(path: path, detail: "its log could not be emptied")
    }
    unlink(kept(version))
    guard link(path, kept(version)) == 0 else {
      throw SecureFile.failure(kept(version), "making", errno)
    }
    guard rename(copy, path) == 0 else { throw SecureFile.failure(path, "replacing", errno) }
    try SecureFile.flushFolder(of: path)
    // One version is kept.
    for earlier in 1..<max(version, 2) where earlier != version { unlink(kept(earlier)) }
  }

  private func compare(_ old: DatabaseQueue, with new: DatabaseQueue) throws {
    let findings = try new.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(1)") }
    guard findings == ["ok"] else {
      throw StorageError.corrupted(path: copy, detail: findings.first ?? "it cannot be checked")
    }
    for table in try old.read({ try Self.tables($0) }) {
      let count = "SELECT count(*) FROM \"\(table)\""
      let (before, after) = try (
        old.read { try Int.fetchOne($0, sql: count) }, new.read { try Int.fetchOne($0, sql: count) }
      )
      guard before == after else {
        throw StorageError.corrupted(
          path: copy, detail: "\(after ?? 0) of \(before ?? 0) rows of \(table)")
      }
    }
    let (before, after) = try (old.read { try chains($0) }, new.read { try chains($0) })
    guard before == after else {
      throw StorageError.corrupted(path: copy, detail: "its chains are not those of the old file")
    }
  }

  private static func tables(_ database: Database) throws -> [String] {
    try String.fetchAll(
      database,
      sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  }

  /// A digest over every commit and every record, each found to be what its hash says, and over the
  /// frontier.
  private func chains(_ database: Database) throws -> Digest32 {
    var running = Digest32.zero
    let sources = [
      "SELECT hash, envelope FROM commits ORDER BY place",
      "SELECT hash, record FROM membership ORDER BY number",
    ]
    for sql in sources {
      let rows = try Row.fetchCursor(database, sql: sql)
      while let row = try rows.next() {
        let hash = digest(try row.bytes(1))
        guard hash.bytes == (try row.bytes(0)) else {
          throw StorageError.corrupted(path: path, detail: "a commit is not what was written")
        }
        running = digest(running.bytes + hash.bytes)
      }
    }
    let heads = try Row.fetchCursor(database, sql: "SELECT hash FROM frontier ORDER BY device")
    while let row = try heads.next() { running = digest(running.bytes + (try row.bytes(0))) }
    return running
  }
}
