import Foundation
import GRDB
import Sync
import Testing
import Wire

@testable import Storage

@Suite struct DamageTests {
  let scratch = Scratch()

  private func corrupted(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      return false
    } catch StorageError.corrupted(let path, _) {
      return path == scratch.database
    } catch {
      Issue.record(error)
      return false
    }
  }

  private func filled(_ count: Int = 30) throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(count, bytes: 3000)))
    try store.close()
  }

  private func change(_ body: (inout Data) -> Void) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.database))
    body(&bytes)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.database))
    try handle.truncate(atOffset: 0)
    try handle.write(contentsOf: bytes)
    try handle.close()
  }

  @Test func aKilledProcessLosesNothingItWrote() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(5)))
    let after = Scratch()
    try scratch.copy(to: after)
    try store.write(Transaction(commits: ann.commits(5)))
    let reopened = try after.store(.existing)
    #expect(try reopened.load().frontier.sequence(of: ann.device) == 5)
  }

  @Test func aTornLogGivesTheStateBefore() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(5)))
    let size = try FileManager.default.attributesOfItem(atPath: scratch.database + "-wal")[.size]
    try store.write(Transaction(commits: ann.commits(5, bytes: 9000)))
    let after = Scratch()
    try scratch.copy(to: after)
    let log = try FileHandle(forWritingTo: URL(fileURLWithPath: after.database + "-wal"))
    try log.truncate(atOffset: UInt64((size as! NSNumber).intValue + 10_000))
    try log.close()
    let reopened = try after.store(.existing)
    #expect(try reopened.load().frontier.sequence(of: ann.device) == 5)
    #expect(try reopened.commits(beyond: Frontier(), count: 99, bytes: .max).count == 5)
  }

  @Test func aTruncatedDatabaseIsReportedAndLeftAlone() throws {
    try filled()
    try change { $0 = $0.prefix($0.count / 2) }
    let before = try Data(contentsOf: URL(fileURLWithPath: scratch.database))
    #expect(corrupted { _ = try scratch.store(.existing).load() })
    #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.database)) == before)
  }

  @Test func anEmptyDatabaseIsNotTakenForANewOne() throws {
    try filled()
    try change { $0 = Data() }
    #expect(corrupted { _ = try scratch.store(.existing) })
  }

  @Test func garbageIsReported() throws {
    try filled()
    try change { $0 = Data((0..<$0.count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }) }
    #expect(corrupted { _ = try scratch.store(.existing) })
  }

  @Test func anotherProgramsDatabaseIsRefused() throws {
    let queue = try DatabaseQueue(path: scratch.database)
    try queue.inDatabase { try $0.execute(sql: "CREATE TABLE t (a); PRAGMA user_version = 1") }
    try queue.close()
    chmod(scratch.database, 0o600)
    #expect(corrupted { _ = try scratch.store(.existing) })
  }

  @Test func aFlippedByteInACommitIsNoticed() throws {
    try filled()
    // The ciphertext's bytes count upwards: the run is inside an envelope.
    try change { bytes in
      let run = Data((0..<64).map { UInt8($0 + 100) })
      bytes[bytes.range(of: run)!.lowerBound + 20] ^= 1
    }
    let store = try scratch.store(.existing)
    #expect(corrupted { try store.forEachCommit { _ in } })
    #expect(corrupted { _ = try store.commits(beyond: Frontier(), count: 99, bytes: .max) })
  }

  @Test func commitsThatAreGoneAreMissed() throws {
    try filled(4)
    let store = try scratch.store(.existing)
    try store.queue.inDatabase { try $0.execute(sql: "DELETE FROM commits WHERE sequence = 4") }
    #expect(corrupted { try store.forEachCommit { _ in } })
    #expect(corrupted { _ = try store.commits(beyond: Frontier(), count: 99, bytes: .max) })
  }

  @Test(arguments: 0..<40) func noFlippedByteCrashes(_ seed: Int) throws {
    try filled(4)
    var generator = Seeded(state: UInt64(seed))
    try change { bytes in
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
          UInt8.random(in: 1...255, using: &generator)
      }
    }
    var commits: [Envelope] = []
    do {
      let store = try scratch.store(.existing)
      _ = try store.load()
      try store.forEachCommit { commits.append($0) }
    } catch is StorageError {
      return
    }
    var ann = Author(2)
    let written = ann.commits(4, bytes: 3000)
    #expect(commits == written, "a changed or missing commit went unnoticed")
  }

  @Test func theWholeFileIsCheckedAfterAnUncleanStop() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(30, bytes: 3000)))
    try store.queue.inDatabase { _ = try $0.checkpoint(.truncate) }
    let after = Scratch()
    try scratch.copy(to: after)
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: after.database))
    // The page of an index that opening does not read.
    let root = try store.queue.read {
      try Int.fetchOne(
        $0, sql: "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_commits_1'")!
    }
    try handle.seek(toOffset: UInt64((root - 1) * 4096 + 8))
    try handle.write(contentsOf: Data(repeating: 0xff, count: 64))
    try handle.close()
    #expect(throws: StorageError.self) { try after.store(.existing) }
  }

  @Test func aLaterProgramsDatabaseIsRefusedWithBothVersions() throws {
    let store = try scratch.store()
    try store.queue.inDatabase { try $0.execute(sql: "PRAGMA user_version = 7") }
    try store.close()
    #expect(
      throws: StorageError.newerVersion(
        path: scratch.database, found: 7, supported: Schema.current.version)
    ) { try scratch.store(.existing) }
  }

  @Test func aMissingDatabaseIsNotMade() throws {
    #expect(throws: StorageError.missing(path: scratch.database)) {
      try scratch.store(.existing)
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.database))
  }

  @Test func aNewStoreDoesNotReplaceAnOldOne() throws {
    try filled(1)
    #expect(throws: StorageError.self) { try scratch.store(.new) }
    #expect(try scratch.store(.existing).load().frontier.heads.count == 1)
  }

  @Test func aDatabaseOthersCanReadIsRefused() throws {
    try filled(1)
    chmod(scratch.database, 0o640)
    #expect(throws: StorageError.self) { try scratch.store(.existing) }
  }
}

/// SplitMix64, so that a failing case comes back.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
