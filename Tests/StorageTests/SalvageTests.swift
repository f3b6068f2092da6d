import Foundation
import GRDB
import Sync
import Testing
import Wire

@testable import Storage

@Suite struct SalvageTests {
  let scratch = Scratch()
  /// 2026-11-23 02:25:42 UTC.
  static let now: Int64 = 1_795_400_742_000

  private func open() throws -> (store: SQLiteStore, salvage: Salvage?) {
    try SQLiteStore.openOrSalvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
  }

  /// 20 commits of device 2, 10 of device 3 that depend on them, records, drafts, notices.
  @discardableResult
  private func filled() throws -> [Envelope] {
    var (ann, mobile) = (Author(2), Author(3))
    let store = try scratch.store()
    var log: [Envelope] = []
    for _ in 0..<10 {
      log += ann.commits(2, bytes: 3000)
      log.append(mobile.commit(bytes: 3000, dependencies: ann.frontier))
    }
    var transaction = Transaction(commits: log)
    transaction.records = [record(0)]
    transaction.drafts = [DraftRow(id: id(5), sealed: [1, 2])]
    transaction.settled = [SettledRow(context: id(6), sealed: [3])]
    transaction.notices = [Notice(code: "fork", text: "a fork", at: 1, isAlarm: true)]
    transaction.serverFrontier = Frontier([ann.device: Head(sequence: 18, hash: .zero)])
    try store.write(transaction)
    try store.setRow("device name", Array("home pc".utf8))
    try store.close()
    return log
  }

  private func change(_ sql: String) throws {
    let queue = try DatabaseQueue(path: scratch.database)
    try queue.inDatabase { try $0.execute(sql: sql) }
    try queue.close()
  }

  private func corrupt(_ body: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.database))
    body(&bytes)
    try bytes.write(to: URL(fileURLWithPath: scratch.database))
    chmod(scratch.database, 0o600)
  }

  @Test func anIntactStoreIsLeftAlone() throws {
    try filled()
    let (store, salvage) = try open()
    #expect(salvage == nil)
    #expect(try !store.load().isUncertain)
  }

  @Test func everythingButTheDamagedCommitAndItsSuccessorsIsKept() throws {
    let log = try filled()
    // A commit's bytes: found only when it is read.
    try change("UPDATE commits SET envelope = zeroblob(10) WHERE place = 25")
    try SQLiteStore(path: scratch.database, digest: digest).close()
    let found = try SQLiteStore.salvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
    let salvage = try #require(found.salvage)
    #expect(salvage.kept == 24)
    #expect(salvage.missing == 6)
    #expect(salvage.unsent == 2)
    let state = try found.store.load()
    #expect(state.isUncertain)
    #expect(state.records.count == 1)
    #expect(state.drafts.map(\.sealed) == [[1, 2]])
    #expect(state.settled.map(\.sealed) == [[3]])
    #expect(state.serverFrontier.sequence(of: id(2)) == 18)
    #expect(state.notices.first?.code == "fork")
    #expect(try found.store.row("device name") == Array("home pc".utf8))
    let kept = try found.store.commits(beyond: Frontier(), count: 99, bytes: .max)
    #expect(kept == Array(log[..<24]))
    try found.store.forEachCommit { _ in }
    // What comes again from the server continues.
    try found.store.write(Transaction(commits: Array(log[24...])))
    #expect(try found.store.load().frontier.sequence(of: id(2)) == 20)
  }

  @Test func theNoticeNamesWhatHappened() throws {
    try filled()
    try change("UPDATE commits SET envelope = zeroblob(10) WHERE place = 28")
    let found = try SQLiteStore.salvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
    #expect(
      try found.store.load().notices.last?.text
        == "The store was damaged: 3 changes are fetched again from the server; the damaged file"
        + " is kept as database.damaged-20261123-022542. 2 of this device's own had not reached the"
        + " server when it was last heard.")
    #expect(
      FileManager.default.fileExists(atPath: scratch.database + ".damaged-20261123-022542"))
  }

  @Test(arguments: [0.05, 0.3, 0.6, 0.95]) func aTruncatedFileKeepsItsPrefix(_ part: Double) throws
  {
    let log = try filled()
    try corrupt { $0 = $0.prefix(Int(Double($0.count) * part)) }
    let (store, salvage) = try open()
    #expect(salvage != nil)
    let kept = try store.commits(beyond: Frontier(), count: 99, bytes: .max)
    #expect(kept == Array(log[..<kept.count]))
    #expect(try store.load().isUncertain)
  }

  @Test func garbageBecomesAnEmptyStoreThatFetchesAll() throws {
    try filled()
    try corrupt { $0 = Data((0..<$0.count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }) }
    let (store, salvage) = try open()
    #expect(salvage?.kept == 0 && salvage?.missing == nil)
    #expect(try store.load().frontier == Frontier())
    #expect(try store.load().isUncertain)
    #expect(
      try store.load().notices.last?.text.contains("everything is fetched again") == true)
  }

  @Test func aMissingFileBecomesAnEmptyStore() throws {
    let (store, salvage) = try open()
    #expect(salvage?.kept == 0 && salvage?.damagedFile == nil)
    #expect(try store.load().isUncertain)
    #expect(
      try store.load().notices.last?.text
        == "The store was missing: everything is fetched again from the server.")
  }

  @Test func anInterruptedSalvageIsFinished() throws {
    let log = try filled()
    // As if the process had ended between moving the file away and making the new one.
    let aside = scratch.database + ".damaged-20261123-000000"
    try FileManager.default.moveItem(atPath: scratch.database, toPath: aside)
    try Data("rest".utf8).write(to: URL(fileURLWithPath: scratch.database + ".salvaged"))
    let (store, salvage) = try open()
    #expect(salvage?.damagedFile == aside)
    #expect(salvage?.kept == UInt64(log.count))
    #expect(try store.commits(beyond: Frontier(), count: 99, bytes: .max) == log)
  }

  @Test func whatIsNoFileIsNotSalvaged() throws {
    try filled()
    #expect(throws: StorageError.insecure(path: scratch.database, reason: "is not a file")) {
      try FileManager.default.removeItem(atPath: scratch.database)
      mkdir(scratch.database, 0o700)
      _ = try open()
    }
  }

  @Test func whatWentBackBehindTheCheckpointStaysSo() throws {
    var ann = Author(2)
    let store = try scratch.store()
    let log = ann.commits(4)
    try store.write(Transaction(commits: log))
    var back = Transaction()
    back.snapshot = snapshot(covering: ann.frontier)
    try store.write(back)
    back = Transaction()
    back.rewinds = [Transaction.Rewind(device: ann.device, to: nil)]
    try store.write(back)
    var twin = Author(2)
    let others = twin.commits(2, bytes: 77)
    try store.write(Transaction(commits: others))
    try store.close()
    let (salvaged, _) = try SQLiteStore.salvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
    #expect(try salvaged.load().frontier.sequence(of: ann.device) == 2)
    var folded: [Envelope] = []
    try salvaged.forEachCommit { folded.append($0) }
    #expect(folded == others)
  }

  @Test func aDamagedDraftIsLeftOutAndTheOthersStay() throws {
    try filled()
    let store = try scratch.store(.existing)
    var transaction = Transaction()
    transaction.drafts = [
      DraftRow(id: id(5), sealed: [1, 2]), DraftRow(id: id(6), sealed: [3, 4]),
    ]
    try store.write(transaction)
    try store.close()
    try change("UPDATE drafts SET sealed = x'0909' WHERE place = 1")
    let (salvaged, found) = try open()
    #expect(found?.missing == 0)
    #expect(try salvaged.load().drafts.map(\.sealed) == [[3, 4]])
    #expect(try salvaged.load().settled.map(\.sealed) == [[3]])
    #expect(try salvaged.load().notices.last?.text.contains("nothing of it is missing") == true)
  }

  @Test func anIntactCheckpointStandsForTheCommitsBelowIt() throws {
    let log = try filled()
    var store = try scratch.store(.existing)
    let covered = try store.load().frontier
    let held = snapshot(covering: covered)
    var transaction = Transaction()
    transaction.snapshot = held
    transaction.snapshotHeldSince = 5
    try store.write(transaction)
    try store.close()
    try change("UPDATE commits SET envelope = zeroblob(10) WHERE place = 2")
    store =
      try SQLiteStore.salvage(
        path: scratch.database, device: id(2), now: Self.now, digest: digest
      ).store
    #expect(try store.checkpoint() == held)
    #expect(try store.load().checkpoint?.heldSince == 5)
    #expect(try store.load().frontier == covered)
    try store.forEachCommit { _ in Issue.record("the checkpoint covers all") }
    _ = log
  }

  @Test func withoutItsCheckpointAPrunedStoreFetchesAll() throws {
    try filled()
    let store = try scratch.store(.existing)
    let covered = try store.load().frontier
    var transaction = Transaction()
    transaction.snapshot = snapshot(covering: covered)
    transaction.prune = covered
    try store.write(transaction)
    try store.close()
    try change("UPDATE chunks SET bytes = x'00' WHERE number = 0")
    let found = try SQLiteStore.salvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
    #expect(try found.store.load().frontier == Frontier())
    #expect(try found.store.load().checkpoint == nil)
    #expect(found.salvage?.missing == 30)
  }

  /// The last page of the table is its first once more, so that its rows end with an early one.
  @Test func aTableWhoseEndIsItsBeginningIsReadToItsEnd() throws {
    let log = try filled()
    try corrupt { bytes in
      let pages = [log[0], log[29]].compactMap { commit in
        bytes.range(of: Data(commit.bytes.prefix(147)))
          .map { $0.lowerBound / 4096 * 4096 }
          .map { $0..<($0 + 4096) }
      }
      #expect(pages.count == 2)
      bytes.replaceSubrange(pages[1], with: bytes[pages[0]])
    }
    let (store, salvage) = try SQLiteStore.salvage(
      path: scratch.database, device: id(2), now: Self.now, digest: digest)
    var kept: [Envelope] = []
    try store.forEachCommit { kept.append($0) }
    #expect(kept.map { log.firstIndex(of: $0) } == Array(0..<29))
    #expect(salvage?.missing == 1)
  }

  @Test(arguments: 0..<30) func noFlippedBytesLoseACommitThatReads(_ seed: Int) throws {
    let log = try filled()
    var generator = Seeded(state: UInt64(seed))
    try corrupt { bytes in
      for _ in 0..<4 {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        for offset in place..<min(place + 64, bytes.count) { bytes[offset] ^= 0x5a }
      }
    }
    var (store, salvage) = try open()
    do {
      try store.forEachCommit { _ in }
    } catch is StorageError {
      try store.abandon()
      (store, salvage) = try SQLiteStore.salvage(
        path: scratch.database, device: id(2), now: Self.now, digest: digest)
    }
    var kept: [Envelope] = []
    try store.forEachCommit { kept.append($0) }
    let places = kept.compactMap { log.firstIndex(of: $0) }
    #expect(places.count == kept.count, "something came that was never written")
    if salvage == nil { #expect(kept == log) }
  }
}
