@testable import AttributeServer
import Foundation
import GRDB
import Testing
import Wire

struct DatabaseTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private var path: String { folder.path + "/attributes.sqlite" }

  /// What opening the file fails with.
  private func failure() -> AttributeServerError? {
    do {
      _ = try openDatabase(folder)
      return nil
    } catch {
      return error as? AttributeServerError
    }
  }

  @Test func identityAndLedgerSurviveAStop() throws {
    let first = try openDatabase(folder)
    var fixture = try TestLedger(store: first.store)
    let frame = try fixture.home.commit(fixture.account)
    #expect(try fixture.outcome(of: frame) == "accepted")
    try first.close()
    let second = try openDatabase(folder)
    #expect(second.identity.instance == first.identity.instance)
    #expect(second.identity.generation == first.identity.generation)
    #expect(second.identity.signingSeed == first.identity.signingSeed)
    fixture.store = second.store
    #expect(try fixture.outcome(of: frame) == "known")
  }

  @Test func aCommitWithoutACleanStopIsThereToo() async throws {
    var fixture = try TestLedger(store: try openDatabase(folder).store)
    let frame = try fixture.home.commit(fixture.account)
    _ = try fixture.outcome(of: frame)
    // Copied while open, as a crash would leave it.
    let copy = try TemporaryFolder()
    for name in ["attributes.sqlite", "attributes.sqlite-wal"] {
      try FileManager.default.copyItem(
        atPath: folder.path + "/" + name, toPath: copy.path + "/" + name)
    }
    let database = try openDatabase(copy)
    fixture.store = database.store
    #expect(try fixture.outcome(of: frame) == "known")
    #expect(try await database.pendingSignals(limit: 10).map(\.sequence) == [1])
  }

  @Test func aTruncatedFileIsNamedAndLeftAlone() throws {
    let database = try openDatabase(folder)
    _ = try TestLedger(store: database.store)
    try database.close()
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let half = whole.prefix(whole.count / 2 + 100)
    try half.write(to: URL(fileURLWithPath: path))
    guard case .damaged = failure() else {
      Issue.record("expected damage, not \(String(describing: failure()))")
      return
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == half)
  }

  @Test func overwrittenPagesAreFound() throws {
    let database = try openDatabase(folder)
    _ = try TestLedger(store: database.store)
    try database.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes.replaceSubrange(8192..<20_000, with: Data(repeating: 0xff, count: 11_808))
    try bytes.write(to: URL(fileURLWithPath: path))
    guard case .damaged = failure() else {
      Issue.record("expected damage, not \(String(describing: failure()))")
      return
    }
  }

  @Test func textIsNoDatabase() throws {
    try Data(repeating: 0x41, count: 5000).write(to: URL(fileURLWithPath: path))
    guard case .damaged = failure() else {
      Issue.record("expected damage, not \(String(describing: failure()))")
      return
    }
  }

  @Test func aDatabaseOfAnotherProgramIsLeftAlone() throws {
    let other = try DatabaseQueue(path: path)
    try other.write { try $0.execute(sql: "CREATE TABLE person (id INTEGER)") }
    try other.close()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(failure() == .notOurs(path: path))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
  }

  @Test func aNewerSchemaIsLeftAlone() throws {
    try openDatabase(folder).close()
    let other = try DatabaseQueue(path: path)
    try other.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
    try other.close()
    #expect(failure() == .newerSchema(path: path, found: 99, known: 5))
  }

  @Test func aFolderHasOneOwnerAndIsPrivate() throws {
    let path = folder.path + "/data"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let first = try DataFolder(path: path)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
    #expect(mode as? NSNumber == 0o700)
    #expect(throws: AttributeServerError.folderInUse(path: path)) { try DataFolder(path: path) }
    withExtendedLifetime(first) {}
  }

  /// A full disk: the commit is refused as such, and the next one is taken once there is room.
  @Test func aFullDiskRefusesACommitAndNothingElse() throws {
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    try database.store.database.writeWithoutTransaction { db in
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      try db.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
    let frame = try fixture.home.commit(fixture.account, size: 100_000)
    let response = try fixture.sync([frame])
    #expect(response.outcomes[0].problem?.code == .storageFull)
    #expect(response.outcomes[0].problem?.retryable == true)
    #expect(response.serverFrontier == Frontier())
    try database.store.database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA max_page_count = 100000")
    }
    #expect(try fixture.outcome(of: frame) == "accepted")
  }

  /// A full disk in the middle of an upload: the chunk is refused, those before it stay, and the
  /// upload goes on once there is room. Nothing half-done counts.
  @Test func aFullDiskRefusesAChunkAndTheUploadResumes() throws {
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    try fixture.commitBoth(1)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads, chunks: 3, size: 100_000)
    _ = try fixture.offer(snapshot)
    try fixture.put(0, of: snapshot)
    let used = try fixture.usedBytes
    try limitPages(of: database, isFull: true)
    #expect(refusal { try fixture.put(1, of: snapshot) } == "storage_full")
    #expect(try fixture.usedBytes == used)
    #expect(try database.store.database.read { LedgerCheck.findings(in: $0) } == [])
    try limitPages(of: database, isFull: false)
    let missing = try fixture.offer(snapshot).missing
    #expect(missing == [1, 2])
    for number in missing { try fixture.put(number, of: snapshot) }
    _ = try fixture.finish(snapshot)
    #expect(try database.store.database.read { LedgerCheck.findings(in: $0) } == [])
  }

  private func limitPages(of database: ServerDatabase, isFull: Bool) throws {
    try database.store.database.writeWithoutTransaction { db in
      let pages = isFull ? try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0 : 1_000_000
      try db.execute(sql: "PRAGMA max_page_count = \(pages)")
    }
  }

  /// A server prunes at its start what has become ripe while it was stopped.
  @Test func pruningRunsOverEveryAccount() async throws {
    let database = try openDatabase(folder)
    var fixture = try TestLedger(store: database.store)
    try fixture.commitBoth(2)
    let snapshot = try TestSnapshot(
      of: fixture.account, by: fixture.home, covering: fixture.heads)
    try fixture.upload(snapshot, now: TestClock.start)
    let clock = TestClock()
    let arguments = ServerArguments(
      database: database, invites: Invites(dataPath: folder.path), registration: .closed,
      clock: clock.clock, logger: quietLogger())
    let service = PruningService(arguments)
    try await service.prune()
    #expect(try fixture.sync().frames.count == 4)
    clock.advance(Limits.snapshotRetention)
    try await service.prune()
    let response = try fixture.sync()
    #expect(response.frames.isEmpty)
    #expect(response.snapshot?.id == snapshot.id)
  }
}
