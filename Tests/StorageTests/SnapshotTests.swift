import Foundation
import GRDB
import Sync
import Testing
import Vault
import Wire

@testable import Storage

@Suite struct SnapshotTests {
  let scratch = Scratch()

  private func writing(_ change: (inout Transaction) -> Void) -> Transaction {
    var transaction = Transaction()
    change(&transaction)
    return transaction
  }

  @Test func aCheckpointIsKeptAndCommitsBeyondItAreFolded() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(5)))
    let snapshot = snapshot(covering: try store.load().frontier)
    try store.write(writing { $0.snapshot = snapshot })
    try store.write(Transaction(commits: ann.commits(2)))
    let state = try store.load()
    #expect(state.checkpoint?.frontier.sequence(of: ann.device) == 5)
    #expect(state.checkpoint?.heldSince == nil)
    #expect(state.logCommits == 2)
    #expect(try store.checkpoint() == snapshot)
    var folded: [UInt64] = []
    try store.forEachCommit { folded.append($0.header.sequence) }
    #expect(folded == [6, 7])
    #expect(try store.commits(beyond: Frontier(), count: 99, bytes: .max).count == 7)
    try store.write(writing { $0.snapshotHeldSince = 77 })
    #expect(try store.load().checkpoint?.heldSince == 77)
  }

  @Test func aNewCheckpointTakesThePlaceOfTheOld() throws {
    var ann = Author(2)
    let store = try scratch.store()
    for size in [1, 3] {
      try store.write(Transaction(commits: ann.commits(2)))
      let next = snapshot(covering: try store.load().frontier, chunks: size)
      try store.write(writing { $0.snapshot = next })
      #expect(try store.checkpoint() == next)
    }
    #expect(try store.queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM chunks") } == 3)
  }

  @Test func aSnapshotAheadMovesTheFrontier() throws {
    var (ann, mobile) = (Author(2), Author(3))
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(2)))
    let unseen = ann.commits(3)
    let other = mobile.commits(4)
    let ahead = Frontier([
      ann.device: Head(sequence: 5, hash: digest(unseen[2].bytes)),
      mobile.device: Head(sequence: 4, hash: digest(other[3].bytes)),
    ])
    try store.write(writing { $0.snapshot = snapshot(covering: ahead) })
    #expect(try store.load().frontier == ahead)
    // What lies between was never here: it is not sent, and not missed.
    #expect(try store.commits(beyond: Frontier(), count: 99, bytes: .max).count == 2)
    #expect(try store.hash(of: mobile.device, at: 4) == digest(other[3].bytes))
    #expect(try store.hash(of: mobile.device, at: 3) == nil)
    try store.write(Transaction(commits: [ann.commit(), mobile.commit()]))
    var folded: [UInt64] = []
    try store.forEachCommit { folded.append($0.header.sequence) }
    #expect(folded == [6, 5])
    #expect(try store.commits(beyond: ahead, count: 99, bytes: .max).count == 2)
  }

  @Test func aCommitMissingAboveTheFloorIsStillDamage() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(5)))
    let covered = try store.load().frontier
    try store.write(writing { $0.snapshot = snapshot(covering: covered) })
    try store.write(Transaction(commits: ann.commits(3)))
    try store.queue.inDatabase { try $0.execute(sql: "DELETE FROM commits WHERE sequence = 7") }
    #expect(throws: StorageError.self) { try store.forEachCommit { _ in } }
    #expect(throws: StorageError.self) {
      try store.commits(beyond: covered, count: 99, bytes: .max)
    }
  }

  @Test func prunedCommitsLeaveTheirHashes() throws {
    var ann = Author(2)
    let store = try scratch.store()
    let log = ann.commits(5)
    try store.write(Transaction(commits: log))
    let covered = try store.load().frontier
    try store.write(writing { $0.snapshot = snapshot(covering: covered) })
    try store.write(writing { $0.prune = covered })
    #expect(try store.commits(beyond: Frontier(), count: 99, bytes: .max).isEmpty)
    #expect(try store.hash(of: ann.device, at: 3) == digest(log[2].bytes))
    #expect(try store.load().frontier == covered)
    try store.write(Transaction(commits: [ann.commit()]))
    try store.forEachCommit { #expect($0.header.sequence == 6) }
    // A page that comes again is still recognised.
    try store.write(Transaction(commits: [log[1]]))
    try store.close()
    #expect(try scratch.store(.existing).load().frontier.sequence(of: ann.device) == 6)
  }

  @Test func whatNoCheckpointCoversIsNotPruned() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(5)))
    let frontier = try store.load().frontier
    #expect(throws: StorageError.self) { try store.write(writing { $0.prune = frontier }) }
    // The same sequence with another hash is another chain.
    let other = Frontier([ann.device: Head(sequence: 5, hash: .zero)])
    try store.write(writing { $0.snapshot = snapshot(covering: other) })
    #expect(throws: StorageError.self) { try store.write(writing { $0.prune = frontier }) }
    #expect(throws: StorageError.self) { try store.write(writing { $0.prune = other }) }
    #expect(try store.commits(beyond: Frontier(), count: 99, bytes: .max).count == 5)
  }

  @Test func fetchingGoesOnAfterARestart() throws {
    var ann = Author(2)
    let whole = snapshot(
      covering: Frontier([ann.device: Head(sequence: 1, hash: .zero)]), chunks: 3)
    let snapshotID = digest(whole.manifest.bytes)
    var store = try scratch.store()
    #expect(try store.missingChunks(of: snapshotID) == nil)
    try store.beginFetching(whole.manifest, chunks: 3)
    try store.keep(chunk: whole.chunks[1], at: 1, of: snapshotID)
    try store.close()
    store = try scratch.store(.existing)
    try store.beginFetching(whole.manifest, chunks: 3)
    #expect(try store.missingChunks(of: snapshotID) == [0, 2])
    #expect(try store.fetched(snapshotID) == nil)
    #expect(try store.load().checkpoint == nil)
    try store.keep(chunk: whole.chunks[0], at: 0, of: snapshotID)
    try store.keep(chunk: whole.chunks[2], at: 2, of: snapshotID)
    #expect(try store.fetched(snapshotID) == whole)
    try store.write(writing { $0.snapshot = whole })
    #expect(try store.checkpoint() == whole)
    #expect(try store.queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM chunks") } == 3)
    _ = ann.commit()
  }

  @Test func fetchingAnotherSnapshotForgetsTheFirst() throws {
    let first = snapshot(covering: Frontier([id(2): Head(sequence: 1, hash: .zero)]))
    let second = snapshot(covering: Frontier([id(2): Head(sequence: 2, hash: .zero)]))
    let store = try scratch.store()
    try store.beginFetching(first.manifest, chunks: 2)
    try store.keep(chunk: [1], at: 0, of: digest(first.manifest.bytes))
    try store.beginFetching(second.manifest, chunks: 2)
    #expect(try store.missingChunks(of: digest(first.manifest.bytes)) == nil)
    try store.dropFetched()
    #expect(try store.missingChunks(of: digest(second.manifest.bytes)) == nil)
  }

  @Test func rewindingForgetsWhatNobodyElseKnows() throws {
    var ann = Author(2)
    let store = try scratch.store()
    let log = ann.commits(4)
    try store.write(Transaction(commits: log))
    let head = Head(sequence: 2, hash: digest(log[1].bytes))
    var transaction = Transaction()
    transaction.rewinds = [Transaction.Rewind(device: ann.device, to: head)]
    transaction.settled = [SettledRow(context: id(7), sealed: [1])]
    transaction.device = id(9)
    transaction.isUncertain = true
    try store.write(transaction)
    #expect(try store.load().frontier == Frontier([ann.device: head]))
    #expect(try store.load().isUncertain)
    #expect(try store.device() == id(9))
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: .max) == Array(log[..<2]))
    try store.write(Transaction(commits: [log[2]]))
    try store.write(writing { $0.rewinds = [Transaction.Rewind(device: ann.device, to: nil)] })
    #expect(try store.load().frontier == Frontier())
  }

  @Test func whatIsLeftOfAPrunedChainThatWentBackIsPruned() throws {
    var ann = Author(2)
    let store = try scratch.store()
    let log = ann.commits(4)
    try store.write(Transaction(commits: log))
    let covered = try store.load().frontier
    try store.write(writing { $0.snapshot = snapshot(covering: covered) })
    try store.write(writing { $0.prune = covered })
    let head = Head(sequence: 2, hash: digest(log[1].bytes))
    try store.write(
      writing {
        $0.rewinds = [Transaction.Rewind(device: ann.device, to: head)]
        $0.snapshot = snapshot(covering: Frontier([ann.device: head]))
      })
    #expect(try store.load().floor == Frontier([ann.device: head]))
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: .max) == [])
    try store.write(Transaction(commits: [log[2]]))
    let rest = try store.commits(beyond: Frontier([ann.device: head]), count: 9, bytes: .max)
    #expect(rest == [log[2]])
  }

  /// The checkpoint stands for commits that have become others: those are folded from the log.
  @Test func aChainThatWentBackBehindTheCheckpointIsFoldedFromTheLog() throws {
    var (ann, mobile) = (Author(2), Author(3))
    let store = try scratch.store()
    let before = ann.commits(4)
    try store.write(Transaction(commits: before + mobile.commits(2)))
    let covered = Frontier(
      [
        ann.device: Head(sequence: 4, hash: digest(before[3].bytes)),
        mobile.device: mobile.frontier[mobile.device],
      ].compactMapValues { $0 })
    try store.write(writing { $0.snapshot = snapshot(covering: covered) })
    let head = Head(sequence: 2, hash: digest(before[1].bytes))
    try store.write(writing { $0.rewinds = [Transaction.Rewind(device: ann.device, to: head)] })
    #expect(try store.load().checkpoint?.frontier.sequence(of: ann.device) == 2)
    #expect(try store.load().checkpoint?.frontier.sequence(of: mobile.device) == 2)
    try store.write(writing { $0.rewinds = [Transaction.Rewind(device: ann.device, to: nil)] })
    #expect(try store.load().checkpoint?.frontier[ann.device] == nil)
    var twin = Author(2)
    let others = twin.commits(3, bytes: 77)
    try store.write(Transaction(commits: others))
    var folded: [Envelope] = []
    try store.forEachCommit { folded.append($0) }
    #expect(folded == others)
    #expect(try store.load().logCommits == 3)
    let held = try store.load().frontier
    try store.write(writing { $0.snapshot = snapshot(covering: held) })
    #expect(try store.load().checkpoint?.frontier.sequence(of: ann.device) == 3)
  }

  @Test func draftsAndEvidenceAreKept() throws {
    var ann = Author(2)
    let proof = ann.commit()
    var store = try scratch.store()
    try store.write(
      writing {
        $0.drafts = [DraftRow(id: id(1), sealed: [1]), DraftRow(id: id(2), sealed: [2])]
        $0.evidence = [proof, proof]
      })
    try store.close()
    store = try scratch.store(.existing)
    #expect(try store.load().drafts.map(\.sealed) == [[1], [2]])
    #expect(try store.evidence() == [proof])
    try store.write(writing { $0.drafts = [] })
    #expect(try store.load().drafts.isEmpty)
  }

  @Test func aDamagedChunkIsNoticed() throws {
    let store = try scratch.store()
    let covered = Frontier([id(2): Head(sequence: 1, hash: .zero)])
    try store.write(writing { $0.snapshot = snapshot(covering: covered) })
    try store.queue.inDatabase {
      try $0.execute(sql: "UPDATE chunks SET bytes = x'00' WHERE number = 1")
    }
    #expect(throws: StorageError.self) { try store.checkpoint() }
    try store.queue.inDatabase { try $0.execute(sql: "DELETE FROM chunks WHERE number = 1") }
    #expect(throws: StorageError.self) { try store.checkpoint() }
  }

  @Test func aFullDiskKeepsTheOldCheckpoint() throws {
    let store = try scratch.store()
    let covered = Frontier([id(2): Head(sequence: 1, hash: .zero)])
    let old = snapshot(covering: covered)
    try store.write(writing { $0.snapshot = old })
    try store.queue.inDatabase {
      let pages = try Int.fetchOne($0, sql: "PRAGMA page_count")!
      _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)")
    }
    let large = snapshot(
      covering: Frontier([id(2): Head(sequence: 9, hash: .zero)]), chunks: 40, bytes: 60_000)
    #expect(throws: StorageError.diskFull(path: scratch.database)) {
      try store.write(writing { $0.snapshot = large })
    }
    #expect(try store.checkpoint() == old)
    #expect(try store.load().frontier == covered)
  }
}
