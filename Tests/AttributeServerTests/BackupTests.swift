import Foundation
import GRDB
import Testing
import Wire

@testable import AttributeServer

struct BackupTests {
  private let folder: TemporaryFolder
  private var backup: String { folder.path + "/backup.sqlite" }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// What a server is while it runs: the folder's lock, the database, the control socket.
  private struct Running {
    let folder: DataFolder
    let database: ServerDatabase
    var fixture: TestLedger<SQLiteLedgerStore>

    init(_ path: String) throws {
      folder = try DataFolder(path: path)
      database = try ServerDatabase(path: folder.database, logger: quietLogger())
      fixture = try TestLedger(store: database.store)
    }

    /// Answers commands while `body` runs.
    func whileAnswering(_ body: () async throws -> Void) async throws {
      let service = ControlService(
        database: database, path: folder.control, logger: quietLogger())
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await service.run() }
        while !FileManager.default.fileExists(atPath: folder.control) {
          try await Task.sleep(for: .milliseconds(5))
        }
        try await body()
        tasks.cancelAll()
      }
    }
  }

  private var data: String { folder.path + "/data" }

  /// Runs `body` on a server and stops it cleanly.
  @discardableResult
  private func stop<Value>(_ body: (inout Running) throws -> Value) throws -> Value {
    var server = try Running(data)
    let value = try body(&server)
    try server.database.close()
    return value
  }

  @Test func aBackupOfAStoppedServerHoldsWhatItHeld() async throws {
    try stop { try $0.fixture.commitBoth(3) }
    let summary = try await ServerBackup.make(backup, of: data)
    #expect(summary.commits == 6)
    #expect(summary.description.hasPrefix("1 account, 6 commits, 0 snapshots, "))
    let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions]
    #expect(mode as? NSNumber == 0o600)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["backup.sqlite", "data"], "one file, no log, nothing half-made")
  }

  /// Commits go on between the steps of the copy; what was answered before it began is in it.
  @Test func aBackupIsMadeWhileTheServerWrites() async throws {
    var server = try Running(data)
    try server.fixture.commitBoth(20, size: 60_000)
    let before = try server.fixture.frontier
    try await server.whileAnswering {
      let frames = try (0..<200).map { _ in
        try server.fixture.home.commit(server.fixture.account, size: 1000)
      }
      let (database, ledger) = (server.database, server.fixture.ledger)
      let caller = Caller(account: server.fixture.account.id, device: server.fixture.home.id)
      let writer = Task {
        var rounds = 0
        for frame in frames where !Task.isCancelled {
          let request = SyncRequest(
            generation: nil, frontier: Frontier(), memberHead: nil, frames: [Blob(frame)],
            maxBytes: 1)
          let response = try await database.run { store throws(Problem) in
            try ledger.sync(request, by: caller, generation: "g", in: &store)
          }
          guard response.outcomes[0].status == .accepted else { throw Unexpected() }
          rounds += 1
        }
        return rounds
      }
      for number in 0..<3 {
        let summary = try await ServerBackup.make(backup + "\(number)", of: data)
        #expect(summary.commits >= 40)
        let copy = try DatabaseQueue(path: backup + "\(number)")
        let held = try await copy.read { db in
          try SQLiteLedgerTransaction(db: db).frontier(of: caller.account)
        }
        #expect(held.reaches(before))
        #expect(!FileManager.default.fileExists(atPath: backup + "\(number)-wal"))
      }
      writer.cancel()
      #expect(try await writer.value > 0, "the server went on writing")
    }
    let findings = try await server.database.perform { database in
      try database.read { LedgerCheck.findings(in: $0) }
    }
    #expect(findings == [])
  }

  @Test func nothingIsWrittenOver() async throws {
    try stop { _ in }
    try Data([1]).write(to: URL(fileURLWithPath: backup))
    await #expect(throws: AttributeServerError.exists(path: backup)) {
      _ = try await ServerBackup.make(backup, of: data)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: backup)) == Data([1]))
  }

  @Test func theServerWritesNoFileThatSomebodyElseMade() async throws {
    let server = try Running(data)
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: backup))
    try await server.whileAnswering {
      for path in [backup, "relative.sqlite", folder.path, folder.path + "/missing"] {
        await #expect(throws: AttributeServerError.self) {
          try await ControlClient(folder: data).copy(to: path)
        }
      }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: backup)) == Data([1, 2, 3]))
  }

  /// The copy's disk is full: the backup fails as such, and the server goes on.
  @Test func aCopyThatDoesNotFitHarmsNothing() async throws {
    var server = try Running(data)
    try server.fixture.commitBoth(2)
    // A folder of the system where nothing can be stored.
    await #expect(throws: AttributeServerError.self) {
      try await server.database.copy(to: "/dev/full")
    }
    try server.fixture.commitBoth(1)
    #expect(try server.fixture.frontier == server.fixture.heads)
  }

  @Test func aFolderThatIsHeldWithoutAnAnswerLeavesNothing() async throws {
    let held = try DataFolder(path: data)
    // Nothing stands where the socket should be, and then something that is none.
    for _ in 0..<2 {
      await #expect(throws: AttributeServerError.self) {
        _ = try await ServerBackup.make(backup, of: data)
      }
      try Data().write(to: URL(fileURLWithPath: held.control))
    }
    withExtendedLifetime(held) {}
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
  }

  @Test func aFaultIsFoundInTheCopyWhichStaysUnderAnotherName() async throws {
    try stop {
      try $0.fixture.commitBoth(2)
      _ = try $0.fixture.store.write { transaction throws in
        try transaction.db.execute(sql: "UPDATE commits SET hash = zeroblob(32) WHERE id = 1")
      }
    }
    let error = await #expect(throws: AttributeServerError.self) {
      _ = try await ServerBackup.make(backup, of: data)
    }
    guard case .findings = error else {
      Issue.record("expected findings, not \(String(describing: error))")
      return
    }
    #expect(!FileManager.default.fileExists(atPath: backup))
    #expect(FileManager.default.fileExists(atPath: backup + ".partial"))
  }

  @Test func aRestoredFolderHasANewGenerationAndTheSameInstance() async throws {
    let (identity, frames) = try stop {
      try $0.fixture.commitBoth(2)
      return ($0.database.identity, try $0.fixture.sync().frames)
    }
    _ = try await ServerBackup.make(backup, of: data)
    let before = try Data(contentsOf: URL(fileURLWithPath: backup))
    let target = folder.path + "/new"
    let summary = try ServerBackup.restore(backup, to: target)
    #expect(summary.generation != identity.generation)
    #expect(try Data(contentsOf: URL(fileURLWithPath: backup)) == before)
    let restored = try ServerDatabase(
      path: target + "/attributes.sqlite", logger: quietLogger())
    #expect(restored.identity.instance == identity.instance)
    #expect(restored.identity.signingSeed == identity.signingSeed)
    #expect(restored.identity.generation == summary.generation)
    let held = try await restored.store.database.read {
      try Data.fetchAll($0, sql: "SELECT bytes FROM commits ORDER BY id")
    }
    #expect(held == frames.map { Data($0.bytes) })
    #expect(throws: AttributeServerError.exists(path: target + "/attributes.sqlite")) {
      _ = try ServerBackup.restore(backup, to: target)
    }
  }

  @Test func aDamagedBackupIsNotRestored() async throws {
    try stop { try $0.fixture.commitBoth(2) }
    _ = try await ServerBackup.make(backup, of: data)
    let queue = try DatabaseQueue(path: backup)
    try await queue.write { try $0.execute(sql: "DELETE FROM commits WHERE id = 1") }
    try queue.close()
    #expect(throws: AttributeServerError.self) {
      _ = try ServerBackup.restore(backup, to: folder.path + "/new")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new")
    #expect(left == ["lock"])
  }

  /// Every commit that was answered is there after a crash at any moment, and nothing of a half.
  @Test func aTornLogLosesNothingThatWasAnsweredBefore() throws {
    let database = try ServerDatabase(
      path: folder.path + "/attributes.sqlite", logger: quietLogger())
    var fixture = try TestLedger(store: database.store)
    let log = folder.path + "/attributes.sqlite-wal"
    var answered: [(commits: Int, logBytes: Int)] = []
    for commits in 1...6 {
      try fixture.commitBoth(1, size: 3000)
      let bytes = try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int ?? 0
      answered.append((commits * 2, bytes))
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: log))
    for cut in stride(from: 0, through: whole.count, by: 19_937) {
      let copy = try TemporaryFolder()
      try FileManager.default.copyItem(
        atPath: folder.path + "/attributes.sqlite", toPath: copy.path + "/attributes.sqlite")
      try (whole.prefix(cut) + Data(repeating: 0x5a, count: 300)).write(
        to: URL(fileURLWithPath: copy.path + "/attributes.sqlite-wal"))
      let (summary, findings) = try ServerBackup.check(copy.path)
      let expected = answered.last { $0.logBytes <= cut }?.commits ?? 0
      #expect(summary.commits >= expected)
      #expect(findings == [])
    }
  }
}
