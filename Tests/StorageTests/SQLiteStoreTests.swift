import Foundation
import GRDB
import Sync
import Testing
import Wire

@testable import Storage

@Suite struct SQLiteStoreTests {
  let scratch = Scratch()

  @Test func newStoreIsEmpty() throws {
    let store = try scratch.store()
    #expect(try store.load() == StoredState())
    #expect(try store.commits(beyond: Frontier(), count: 10, bytes: 1000).isEmpty)
  }

  @Test func aClosedStoreRefusesInsteadOfCrashing() throws {
    let store = try scratch.store()
    try store.close()
    #expect(throws: StorageError.closed(path: store.path)) { _ = try store.load() }
    var transaction = Transaction()
    transaction.generation = "1"
    #expect(throws: StorageError.closed(path: store.path)) { try store.write(transaction) }
  }

  @Test func everythingWrittenIsReadBackAfterReopening() throws {
    var ann = Author(2)
    var transaction = Transaction(commits: ann.commits(3))
    transaction.records = [record(0), record(1)]
    transaction.ending = record(9)
    transaction.serverFrontier = Frontier([ann.device: Head(sequence: 2, hash: .zero)])
    transaction.generation = "g1"
    transaction.settled = [
      SettledRow(context: id(9), sealed: [1, 2]), SettledRow(context: id(8), sealed: []),
    ]
    transaction.notices = [Notice(code: "fork", text: "two histories", at: 5, isAlarm: true)]
    let first = try scratch.store()
    try first.write(transaction)
    try first.close()

    let store = try scratch.store(.existing)
    let state = try store.load()
    let head = Head(sequence: 3, hash: digest(transaction.commits[2].bytes))
    #expect(state.frontier == Frontier([ann.device: head]))
    #expect(state.serverFrontier == transaction.serverFrontier)
    #expect(state.generation == "g1")
    #expect(state.records == transaction.records)
    #expect(state.ending == transaction.ending)
    #expect(state.settled == transaction.settled)
    #expect(state.notices == transaction.notices)
    var read: [Envelope] = []
    try store.forEachCommit { read.append($0) }
    #expect(read == transaction.commits)
  }

  @Test func recordsThatWaitAreKeptUntilTheyAreTaken() throws {
    let store = try scratch.store()
    var transaction = Transaction()
    transaction.learned = [record(1), record(2)]
    try store.write(transaction)
    transaction.learned = nil
    transaction.generation = "2"
    try store.write(transaction)
    #expect(try store.load().learned == [record(1), record(2)])
    transaction.learned = []
    try store.write(transaction)
    #expect(try store.load().learned.isEmpty)
  }

  @Test func aListOfDevicesGivesWayToAnother() throws {
    let store = try scratch.store()
    var transaction = Transaction()
    transaction.records = [record(0), record(1), record(2)]
    try store.write(transaction)
    transaction.recordsKept = 1
    transaction.records = [record(1, body: "[7]")]
    transaction.forgotten = [record(1), record(2)]
    try store.write(transaction)
    #expect(try store.load().records == [record(0), record(1, body: "[7]")])
    #expect(try store.load().forgotten == [record(1), record(2)])
    transaction = Transaction()
    transaction.forgotten = []
    try store.write(transaction)
    #expect(try store.load().forgotten.isEmpty)
  }

  @Test func whatATransactionLeavesOutStays() throws {
    let store = try scratch.store()
    var transaction = Transaction()
    transaction.serverFrontier = Frontier([id(2): Head(sequence: 1, hash: .zero)])
    transaction.settled = [SettledRow(context: id(9), sealed: [1])]
    try store.write(transaction)
    #expect(try store.load().generation == nil)
    transaction = Transaction()
    transaction.generation = "g2"
    try store.write(transaction)
    let state = try store.load()
    #expect(state.serverFrontier.sequence(of: id(2)) == 1)
    #expect(state.generation == "g2")
    #expect(state.settled.count == 1)
    transaction.settled = []
    try store.write(transaction)
    #expect(try store.load().settled.isEmpty)
  }

  @Test func aFailingPartUndoesTheWholeTransaction() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(2)))
    let before = try store.load()
    var transaction = Transaction(commits: ann.commits(2))
    transaction.generation = "g2"
    // Two rows for one context break a constraint after everything else was written.
    transaction.settled = [
      SettledRow(context: id(9), sealed: [1]), SettledRow(context: id(9), sealed: [2]),
    ]
    #expect(throws: StorageError.self) { try store.write(transaction) }
    #expect(try store.load() == before)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: 9999).count == 2)
  }

  @Test func commitsThatAreHeldArePassedOver() throws {
    var ann = Author(2)
    let commits = ann.commits(3)
    let store = try scratch.store()
    try store.write(Transaction(commits: commits))
    try store.write(Transaction(commits: commits + [ann.commit()]))
    #expect(try store.load().frontier.sequence(of: ann.device) == 4)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: 9999).count == 4)
  }

  @Test func gapsAndForksAreRefused() throws {
    var ann = Author(2)
    var other = Author(2)
    let commits = ann.commits(3)
    let store = try scratch.store()
    try store.write(Transaction(commits: [commits[0]]))
    #expect(throws: StorageError.self) { try store.write(Transaction(commits: [commits[2]])) }
    #expect(throws: StorageError.self) {
      try store.write(Transaction(commits: [other.commit(bytes: 50)]))
    }
    var transaction = Transaction()
    transaction.records = [record(1)]
    #expect(throws: StorageError.self) { try store.write(transaction) }
    transaction.records = [record(0)]
    try store.write(transaction)
    try store.write(transaction)
    transaction.records = [record(0, body: "{\"other\":1}")]
    #expect(throws: StorageError.self) { try store.write(transaction) }
  }

  @Test func missingCommitsComeInTheOrderTheyWereWritten() throws {
    var (ann, mobile, work) = (Author(2), Author(3), Author(4))
    let log =
      ann.commits(2) + mobile.commits(2) + [ann.commit()] + work.commits(1) + [mobile.commit()]
    let store = try scratch.store()
    try store.write(Transaction(commits: log))
    #expect(try store.commits(beyond: Frontier(), count: 100, bytes: .max) == log)
    let partial = Frontier([
      ann.device: Head(sequence: 2, hash: .zero), mobile.device: Head(sequence: 9, hash: .zero),
    ])
    #expect(try store.commits(beyond: partial, count: 100, bytes: .max) == [log[4], log[5]])
    #expect(try store.commits(beyond: Frontier(), count: 3, bytes: .max) == Array(log[..<3]))
    let all = Frontier(
      [ann, mobile, work].reduce(into: [:]) { $0[$1.device] = Head(sequence: .max, hash: .zero) })
    #expect(try store.commits(beyond: all, count: 100, bytes: .max).isEmpty)
  }

  @Test func thePageStaysUnderItsBytesButNeverEmpty() throws {
    var ann = Author(2)
    let log = ann.commits(5, bytes: 100)
    let size = log[0].bytes.count
    let store = try scratch.store()
    try store.write(Transaction(commits: log))
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: 2 * size).count == 2)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: 2 * size - 1).count == 1)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: 1).count == 1)
  }

  @Test func missingCommitsAreFoundByTheIndex() throws {
    let store = try scratch.store()
    let plan = try store.queue.read {
      try Row.fetchAll(
        $0,
        sql: """
          EXPLAIN QUERY PLAN SELECT place, length(envelope) FROM commits
          WHERE device = x'00' AND sequence > 5 ORDER BY sequence LIMIT 3
          """
      ).map { $0["detail"] as String }
    }
    #expect(plan.count == 1)
    #expect(plan.first?.hasPrefix("SEARCH commits USING INDEX") == true)
  }

  @Test func forEachCommitGoesBeyondOneBatchAndMayWrite() throws {
    var ann = Author(2)
    var mobile = Author(3)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(150)))
    var count = 0
    try store.forEachCommit { _ in
      count += 1
      if count == 10 { try store.write(Transaction(commits: [mobile.commit()])) }
    }
    #expect(count == 151)
  }

  @Test func rowsAreReplacedAndRemoved() throws {
    let store = try scratch.store()
    #expect(try store.row("drafts") == nil)
    try store.setRow("drafts", [1, 2, 3])
    try store.setRow("drafts", [4])
    #expect(try store.row("drafts") == [4])
    try store.setRow("drafts", [])
    #expect(try store.row("drafts") == [])
    try store.setRow("drafts", nil)
    #expect(try store.row("drafts") == nil)
  }

  @Test func oldNoticesGoButAlarmsStandOnce() throws {
    let store = try scratch.store()
    var transaction = Transaction()
    transaction.notices = [
      Notice(code: "fork", text: "a", at: 1, isAlarm: true),
      Notice(code: "fork", text: "a", at: 2, isAlarm: true),
    ]
    transaction.notices += (0..<(SQLiteStore.notices + 10)).map {
      Notice(code: "refused", text: "\($0)", at: 3, isAlarm: false)
    }
    try store.write(transaction)
    var notices = try store.load().notices
    #expect(notices.count == SQLiteStore.notices + 1)
    #expect(notices.first?.at == 1)
    #expect(notices.last?.text == "\(SQLiteStore.notices + 9)")
    var clearing = Transaction()
    clearing.clearedNotices = ["fork"]
    try store.write(clearing)
    notices = try store.load().notices
    #expect(!notices.contains { $0.isAlarm })
  }

  @Test func aFullDiskChangesNothing() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(2)))
    let before = try store.load()
    try store.queue.inDatabase {
      let pages = try Int.fetchOne($0, sql: "PRAGMA page_count")!
      _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)")
    }
    let large = Transaction(commits: ann.commits(20, bytes: 20_000))
    #expect(throws: StorageError.diskFull(path: scratch.database)) { try store.write(large) }
    #expect(try store.load() == before)
    try store.queue.inDatabase { _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = 100000") }
    try store.write(large)
    #expect(try store.load().frontier.sequence(of: ann.device) == 22)
  }

  @Test func whatTheDiskRefusesIsNamed() {
    func failure(_ code: ResultCode) -> StorageError {
      DatabaseFile.failure(DatabaseError(resultCode: code), path: "/x", operation: "opening")
    }
    // What a full disk answers to opening, and not to writing.
    #expect(failure(.SQLITE_IOERR_SHMSIZE) == .diskFull(path: "/x"))
    #expect(failure(.SQLITE_IOERR_FSYNC) != .diskFull(path: "/x"))
    #expect(failure(.SQLITE_READONLY) == .denied(path: "/x", reason: "it cannot be written"))
    #expect(SecureFile.failure("/x", "opening", ENOSPC) == .diskFull(path: "/x"))
    #expect(
      SecureFile.failure("/x", "opening", EROFS)
        == .denied(path: "/x", reason: "the file system is read-only"))
    #expect(
      SecureFile.failure("/x", "opening", EACCES)
        == .denied(path: "/x", reason: "you have no permission"))
  }

  @Test func aReadOnlyDatabaseIsSaidAndOpensOnceItIsNot() throws {
    try scratch.store().close()
    chmod(scratch.database, 0o400)
    #expect(
      throws: StorageError.denied(
        path: scratch.database, reason: "it is read-only (chmod u+w)")
    ) { try scratch.store(.existing) }
    #expect(!SecureFile.exists(scratch.database + "-shm"))
    chmod(scratch.database, 0o600)
    // What was left beside it by who opened it meanwhile.
    let log = scratch.database + "-wal"
    try SecureFile.write([], to: log)
    chmod(log, 0o400)
    let store = try scratch.store(.existing)
    let mode = try FileManager.default.attributesOfItem(atPath: log)[.posixPermissions]
    #expect(mode as? NSNumber == 0o600)
    try store.close()
  }

  @Test func theConnectionIsSetUpAsDecided() throws {
    let store = try scratch.store()
    func pragma(_ name: String) throws -> String? {
      try store.queue.inDatabase { try String.fetchOne($0, sql: "PRAGMA \(name)") }
    }
    #expect(try pragma("journal_mode") == "wal")
    #expect(try pragma("synchronous") == "2")
    #expect(try pragma("secure_delete") == "1")
    #expect(try pragma("temp_store") == "2")
    #expect(try pragma("foreign_keys") == "1")
    #expect(try pragma("trusted_schema") == "0")
    #expect(try pragma("cell_size_check") == "1")
    #expect(try pragma("application_id") == "\(Schema.applicationID)")
    #expect(try pragma("user_version") == "\(Schema.current.version)")
  }

  @Test func allFilesAreForTheirOwnerOnly() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(2)))
    for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path) {
      #expect(try scratch.mode("\(scratch.path)/\(name)") == 0o600, "\(name)")
    }
  }
}
