import Foundation
import GRDB
import Sync
import Testing
import Vault
import Wire

@testable import Storage

@Suite struct MigrationTests {
  let scratch = Scratch()

  private func filled() throws {
    var ann = Author(2)
    let store = try scratch.store()
    try store.write(Transaction(commits: ann.commits(3)))
    try store.close()
  }

  private func migrated(
    with step: @escaping @Sendable (Database) throws -> Void
  ) throws -> SQLiteStore {
    try SQLiteStore(
      path: scratch.database, opening: .existing,
      schema: Schema(steps: Schema.current.steps + [step]),
      digest: digest)
  }

  @Test func aStepMigratesACopyAndKeepsTheOldFile() throws {
    try filled()
    let before = try Data(contentsOf: URL(fileURLWithPath: scratch.database))
    let store = try migrated { try $0.execute(sql: "ALTER TABLE notices ADD COLUMN seen INTEGER") }
    #expect(try store.load().frontier.sequence(of: id(2)) == 3)
    try store.close()
    let kept = try Data(
      contentsOf: URL(fileURLWithPath: scratch.database + ".v\(Schema.current.version)"))
    #expect(kept.count == before.count)
    let copy = try SQLiteStore(
      path: scratch.database + ".v\(Schema.current.version)", digest: digest)
    #expect(try copy.load().frontier.sequence(of: id(2)) == 3)
    #expect(
      throws: StorageError.newerVersion(
        path: scratch.database, found: Schema.current.version + 1, supported: Schema.current.version
      )
    ) {
      try scratch.store(.existing)
    }
    #expect(try scratch.mode(scratch.database) == 0o600)
  }

  @Test func aFailingStepLeavesTheOldFile() throws {
    try filled()
    #expect(throws: StorageError.self) {
      try migrated {
        try $0.execute(sql: "DELETE FROM commits")
        try $0.execute(sql: "ALTER TABLE nothing ADD COLUMN seen INTEGER")
      }
    }
    let store = try scratch.store(.existing)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: .max).count == 3)
  }

  @Test(arguments: [
    "DELETE FROM commits WHERE sequence = 3", "UPDATE frontier SET hash = zeroblob(32)",
    "UPDATE commits SET hash = zeroblob(32) WHERE sequence = 2",
  ])
  func aStepThatLosesSomethingIsNotTaken(_ loss: String) throws {
    try filled()
    #expect(throws: StorageError.self) { try migrated { try $0.execute(sql: loss) } }
    #expect(!FileManager.default.fileExists(atPath: scratch.database + ".new"))
    let store = try scratch.store(.existing)
    #expect(try store.commits(beyond: Frontier(), count: 9, bytes: .max).count == 3)
  }

  @Test func anInterruptedMigrationBeginsAnew() throws {
    try filled()
    for suffix in [".new", ".new-wal", ".v\(Schema.current.version)"] {
      try Data("rest".utf8).write(to: URL(fileURLWithPath: scratch.database + suffix))
    }
    let store = try migrated { try $0.execute(sql: "CREATE TABLE more (a) ") }
    #expect(try store.load().frontier.sequence(of: id(2)) == 3)
  }

  @Test func aFullDiskLeavesTheOldFile() throws {
    try filled()
    #expect(throws: StorageError.self) {
      try migrated {
        let pages = try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0
        _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)")
        try $0.execute(sql: "CREATE TABLE large (a); INSERT INTO large VALUES (zeroblob(100000))")
      }
    }
    #expect(try scratch.store(.existing).load().frontier.sequence(of: id(2)) == 3)
  }

  /// Written by version 1 of the program: 7 commits of one device, one of them not sent, and 1 of
  /// another. It must open for ever.
  @Test func aStoreOfVersion1Opens() throws {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/version1/database").path
    try FileManager.default.copyItem(atPath: fixture, toPath: scratch.database)
    chmod(scratch.database, 0o600)
    let store = try SQLiteStore(path: scratch.database, digest: { .sha256($0) })
    let state = try store.load()
    #expect(state.frontier.heads.values.map(\.sequence).sorted() == [1, 7])
    #expect(state.serverFrontier.heads.values.map(\.sequence).sorted() == [1, 6])
    #expect(state.records.count == 2)
    #expect(state.logCommits == 8)
    #expect(state.drafts.isEmpty && state.checkpoint == nil && !state.isUncertain)
    var count = 0
    try store.forEachCommit { _ in count += 1 }
    #expect(count == 8)
    #expect(try store.row("device name").map { String(decoding: $0, as: UTF8.self) } == "home pc")
    #expect(FileManager.default.fileExists(atPath: scratch.database + ".v1"))
  }
}
