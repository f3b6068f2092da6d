import Foundation
import GRDB
import Testing
import Wire

@testable import AttributeServer

/// Each kind of damage, planted alone, is found and named.
struct CheckTests {
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let found: String
    let sql: String
  }

  static let cases: [Damage] = [
    Damage(
      testDescription: "a commit's bytes changed", found: "is not what was taken",
      sql: "UPDATE commits SET bytes = bytes || x'00' WHERE id = 6"),
    Damage(
      testDescription: "a commit's hash changed", found: "is not what was taken",
      sql: "UPDATE commits SET hash = zeroblob(32) WHERE id = 5"),
    Damage(
      testDescription: "a commit replaced by rubbish of its own hash", found: "does not read",
      sql: "UPDATE commits SET bytes = x'00' WHERE id = 5"),
    Damage(
      testDescription: "a commit gone", found: "are missing",
      sql: "DELETE FROM commits WHERE id = 5"),
    Damage(
      testDescription: "the last commit gone", found: "its head says",
      sql: "DELETE FROM commits WHERE id = (SELECT max(id) FROM commits)"),
    Damage(
      testDescription: "a head set back", found: "its head says",
      sql: "UPDATE device SET headSequence = headSequence - 1"),
    Damage(
      testDescription: "a head of another hash", found: "its head says",
      sql: "UPDATE device SET headHash = zeroblob(32)"),
    Damage(
      testDescription: "two commits swapped", found: "is another one",
      sql: """
        UPDATE commits SET hash = (SELECT hash FROM commits c WHERE c.id = 7),
          bytes = (SELECT bytes FROM commits c WHERE c.id = 7) WHERE id = 5
        """),
    Damage(
      testDescription: "commits out of their order", found: "depends on commit",
      sql: "UPDATE commits SET id = 100 WHERE id = 5"),
    Damage(
      testDescription: "a device's key changed", found: "does not verify",
      sql: "UPDATE device SET signingKey = zeroblob(32)"),
    Damage(
      testDescription: "a device that no record adds", found: "no membership record adds",
      sql: """
        INSERT INTO device (id, account, signingKey, authenticationKey, addedBy)
        SELECT randomblob(16), id, randomblob(32), randomblob(32), 1 FROM account
        """),
    Damage(
      testDescription: "a membership record changed", found: "is not what was kept",
      sql: "UPDATE member SET bytes = bytes || x'00' WHERE number = 1"),
    Damage(
      testDescription: "the last membership record gone", found: "does not end where it should",
      sql: "DELETE FROM member WHERE number = 1"),
    Damage(
      testDescription: "the membership head changed", found: "does not end where it should",
      sql: "UPDATE account SET memberHead = zeroblob(32)"),
    Damage(
      testDescription: "used bytes miscounted", found: "bytes are kept and",
      sql: "UPDATE account SET usedBytes = usedBytes + 1"),
    Damage(
      testDescription: "a kept digest gone", found: "are missing",
      sql: "DELETE FROM link WHERE sequence = 1"),
    Damage(
      testDescription: "a kept digest changed", found: "does not follow the one before",
      sql: "UPDATE link SET hash = zeroblob(32) WHERE sequence = 2"),
    Damage(
      testDescription: "a commit kept twice", found: "is kept twice",
      sql: """
        INSERT INTO link (device, sequence, hash) SELECT device, sequence, hash FROM commits
        WHERE id = 5
        """),
    Damage(
      testDescription: "bytes pruned beyond the snapshot", found: "no snapshot stands for them",
      sql: """
        INSERT INTO link (device, sequence, hash) SELECT device, sequence, hash FROM commits
        WHERE id = 5;
        DELETE FROM commits WHERE id = 5;
        """),
    Damage(
      testDescription: "the snapshot gone", found: "no complete snapshot stands for them",
      sql: "DELETE FROM snapshot"),
    Damage(
      testDescription: "a chunk changed", found: "chunk 1 of snapshot",
      sql: "UPDATE snapshotChunk SET bytes = zeroblob(1000) WHERE number = 1"),
    Damage(
      testDescription: "a chunk gone", found: "has not the chunks it should",
      sql: "DELETE FROM snapshotChunk WHERE number = 1"),
    Damage(
      testDescription: "a chunk's bytes gone", found: "chunk 0 of snapshot",
      sql: "UPDATE snapshotChunk SET bytes = NULL WHERE number = 0"),
    Damage(
      testDescription: "a manifest changed", found: "is not what was taken",
      sql: """
        PRAGMA foreign_keys = OFF;
        UPDATE snapshot SET id = zeroblob(32);
        UPDATE snapshotChunk SET snapshot = zeroblob(32);
        """),
    Damage(
      testDescription: "rows that belong to nothing", found: "belongs to nothing",
      sql: "PRAGMA foreign_keys = OFF; DELETE FROM snapshot"),
    Damage(
      testDescription: "the identity gone", found: "identity of the installation",
      sql: "DELETE FROM instance"),
    Damage(
      testDescription: "an index that lost a row", found: "the file is damaged",
      sql: """
        PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET rootpage =
          (SELECT rootpage FROM sqlite_master WHERE name = 'deviceOfAccount')
          WHERE name = 'commitOfAccount';
        """),
  ]

  /// Eight commits, of which the first four are pruned below a snapshot. Made once.
  private static let whole = Result {
    let folder = try TemporaryFolder()
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    try fixture.commitBoth(2)
    let snapshot = try TestSnapshot(of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot)
    _ = try fixture.ledger.prune(now: Ledger.retention, in: &fixture.store)
    try fixture.commitBoth(2)
    try database.close()
    return folder
  }

  private func makeWhole(_ folder: TemporaryFolder) throws {
    let name = "/attributes.sqlite"
    try FileManager.default.copyItem(
      atPath: try Self.whole.get().path + name, toPath: folder.path + name)
  }

  @Test func aWholeDatabaseHasNoFindingsAndIsNotChanged() throws {
    let folder = try TemporaryFolder()
    try makeWhole(folder)
    let file = URL(fileURLWithPath: folder.path + "/attributes.sqlite")
    let before = try Data(contentsOf: file)
    let (summary, findings) = try ServerBackup.check(folder.path)
    #expect(findings == [])
    #expect(summary.commits == 4)
    #expect(summary.snapshots == 1)
    #expect(try Data(contentsOf: file) == before)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["attributes.sqlite", "lock"], "no log is left beside it")
  }

  @Test(arguments: cases) func plantedDamageIsNamed(damage: Damage) throws {
    let folder = try TemporaryFolder()
    try makeWhole(folder)
    let path = folder.path + "/attributes.sqlite"
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: damage.sql) }
    try queue.close()
    let findings = try findings(path)
    #expect(findings.contains { $0.contains(damage.found) }, "\(findings)")
  }

  /// SQLite keeps any value in any column; where one of another kind is read, nothing may end but
  /// the reading.
  @Test(arguments: [
    "account SET memberCount = -1", "account SET epoch = x'00'", "account SET usedBytes = 'x'",
    "account SET accountKey = 7", "device SET signingKey = 7", "device SET authenticationKey = 1",
    "device SET addedBy = -1", "device SET revokedBy = 'x'", "device SET headSequence = 'x'",
    "device SET base = 'x'", "member SET number = -1 WHERE number = 1",
    "member SET bytes = 5 WHERE number = 1", "commits SET sequence = -1 WHERE id = 5",
    "commits SET sequence = 'x' WHERE id = 5", "commits SET bytes = 5 WHERE id = 6",
    "link SET sequence = -1 WHERE sequence = 1", "snapshot SET chunks = x'00'",
    "snapshot SET offeredAt = 'x'", "snapshot SET manifest = 5",
    "snapshotChunk SET number = -5 WHERE number = 1", "snapshotChunk SET bytes = 5",
    "instance SET secret = 5", "instance SET instance = x'00'",
  ])
  func aValueOfAnotherKindIsNamed(_ change: String) throws {
    let folder = try TemporaryFolder()
    try makeWhole(folder)
    let path = folder.path + "/attributes.sqlite"
    let queue = try DatabaseQueue(path: path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "UPDATE OR IGNORE \(change)") }
    try queue.close()
    #expect(try !findings(path).isEmpty)
    do {
      var store = try openDatabase(folder).store
      let request = SyncRequest(
        generation: nil, frontier: Frontier(), memberHead: nil, frames: [])
      _ = try Ledger().sync(
        request, by: Caller(account: id(200), device: id(1)), generation: "g", in: &store)
    } catch {
      #expect(error is AttributeServerError || error is Problem, "\(error)")
    }
  }

  /// One that SQLite itself stumbles over is a finding too.
  private func findings(_ path: String) throws -> [String] {
    let result = Result { try ServerBackup.check(path).findings.map(\.description) }
    if case .failure(let error) = result, case .damaged = error as? AttributeServerError {
      return ["the file is damaged: \(error)"]
    }
    return try result.get()
  }

  @Test func aFolderThatIsServedIsNotChecked() throws {
    let folder = try TemporaryFolder()
    try makeWhole(folder)
    let held = try DataFolder(path: folder.path)
    for path in [folder.path, folder.path + "/attributes.sqlite"] {
      #expect(throws: AttributeServerError.folderInUse(path: folder.path)) {
        _ = try ServerBackup.check(path)
      }
    }
    withExtendedLifetime(held) {}
  }

  @Test func whatIsNotThereIsNoEmptySuccess() throws {
    let folder = try TemporaryFolder()
    for path in [folder.path, folder.path + "/nothing", folder.path + "/nothing.sqlite"] {
      #expect(throws: AttributeServerError.self) { _ = try ServerBackup.check(path) }
    }
  }

  /// A crash: the log beside the file holds what was answered, and the check reads it.
  @Test func commitsThatStandInTheLogOnlyAreChecked() throws {
    let folder = try TemporaryFolder()
    let copy = try TemporaryFolder()
    var fixture = try TestLedger(store: try openStore(folder))
    try fixture.commitBoth(3)
    for name in ["attributes.sqlite", "attributes.sqlite-wal"] {
      try FileManager.default.copyItem(
        atPath: folder.path + "/" + name, toPath: copy.path + "/" + name)
    }
    let (summary, findings) = try ServerBackup.check(copy.path)
    #expect(summary.commits == 6)
    #expect(findings == [])
    let log = try Data(contentsOf: URL(fileURLWithPath: copy.path + "/attributes.sqlite-wal"))
    #expect(!log.isEmpty, "checking changes nothing")
  }
}
