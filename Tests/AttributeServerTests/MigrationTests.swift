import Foundation
import GRDB
import Testing
import Wire

@testable import AttributeServer

/// A database of the first schema is migrated as a copy; whatever stops that, one complete database
/// stands under the name.
struct MigrationTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/attributes.sqlite" }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Leaves a database as the first schema had it, with two commits.
  private func makeOld() throws -> TestLedger<SQLiteLedgerStore> {
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    try fixture.commitBoth(1)
    try database.close()
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { db in
      try db.execute(
        sql: """
          DROP TABLE snapshotChunk; DROP TABLE snapshot; DROP TABLE jump; DROP TABLE link;
          ALTER TABLE device DROP COLUMN base;
          DELETE FROM grdb_migrations WHERE identifier LIKE '2 %';
          PRAGMA user_version = 1;
          """)
    }
    try queue.close()
    return fixture
  }

  private func version(of path: String) throws -> Int {
    let queue = try DatabaseQueue(path: path)
    defer { try? queue.close() }
    return try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
  }

  @Test func theOldFileStaysBesideTheNewOneAndNothingIsMissing() throws {
    var fixture = try makeOld()
    let identity = try DatabaseQueue(path: path).read {
      try Row.fetchOne($0, sql: "SELECT instance, generation, signingSeed FROM instance")
    }
    let database = try openDatabase(folder)
    #expect(database.identity.generation == identity?["generation"])
    #expect(Data(database.identity.signingSeed) == identity?["signingSeed"])
    #expect(try version(of: path + ".v1") == 1)
    fixture.store = database.store
    #expect(try fixture.sync().frames.count == 2)
    let snapshot = try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot)
    #expect(try database.store.database.read { LedgerCheck.findings(in: $0) } == [])
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect(mode as? NSNumber == 0o600)
    try database.close()
    #expect(try version(of: path) == 2)
    #expect(!FileManager.default.fileExists(atPath: path + ".migrating"))
  }

  /// Stopped while the copy was made, and stopped after the old file had its second name.
  @Test func aMigrationThatWasStoppedIsDoneAgain() throws {
    _ = try makeOld()
    for suffix in [".migrating", ".migrating-wal"] {
      try Data(repeating: 7, count: 9000).write(to: URL(fileURLWithPath: path + suffix))
    }
    try FileManager.default.linkItem(atPath: path, toPath: path + ".v1")
    try openDatabase(folder).close()
    #expect(try version(of: path) == 2)
    #expect(try version(of: path + ".v1") == 1)
  }

  @Test func aChainThatIsBrokenIsNamedAndTheOldFileStays() throws {
    _ = try makeOld()
    let queue = try DatabaseQueue(path: path)
    try queue.write {
      try $0.execute(sql: "UPDATE commits SET hash = zeroblob(32) WHERE sequence = 1")
    }
    try queue.close()
    #expect {
      try openDatabase(folder)
    } throws: { error in
      guard case AttributeServerError.damaged(_, let finding) = error else { return false }
      return finding.contains("commit 1 of device")
    }
    #expect(try version(of: path) == 1)
  }

  @Test func anEmptyFileOrAMissingOneWithItsLogIsDamageAndNoNewServer() throws {
    try openDatabase(folder).close()
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(throws: AttributeServerError.damaged(path: path, finding: "it is empty")) {
      try openDatabase(folder)
    }
    try FileManager.default.removeItem(atPath: path)
    try Data([1]).write(to: URL(fileURLWithPath: path + "-wal"))
    #expect(throws: AttributeServerError.self) { try openDatabase(folder) }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aServerThatLostItsIdentityIsDamagedAndGetsNoNewOne() throws {
    try openDatabase(folder).close()
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "DELETE FROM instance") }
    try queue.close()
    #expect {
      try openDatabase(folder)
    } throws: { error in
      guard case AttributeServerError.damaged = error else { return false }
      return true
    }
  }
}
