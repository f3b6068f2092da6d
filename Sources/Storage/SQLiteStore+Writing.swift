import Foundation
import GRDB
public import Sync
import Wire

extension SQLiteStore {
  public func write(_ transaction: Transaction) throws {
    guard !transaction.isEmpty else { return }
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        try append(transaction.commits, to: database)
        for record in transaction.records { try append(record, to: database) }
        try update(
          serverFrontier: transaction.serverFrontier, generation: transaction.generation,
          in: database)
        if let settled = transaction.settled { try replace(settled, in: database) }
        for notice in transaction.notices { try add(notice, to: database) }
        return .commit
      }
    }
  }

  /// A commit that is held already is passed over, so that a page may come twice.
  private func append(_ commits: [Envelope], to database: Database) throws {
    guard !commits.isEmpty else { return }
    var frontier = try readFrontier(database)
    for commit in commits {
      let hash = digest(commit.bytes)
      let (device, number) = (commit.header.device, commit.header.sequence)
      let held = frontier.sequence(of: device)
      guard number != held &+ 1 else {
        try insert(commit, hash: hash, into: database)
        frontier[device] = Head(sequence: number, hash: hash)
        continue
      }
      guard number >= 1, number <= held, try self.hash(of: device, number, in: database) == hash
      else {
        throw StorageError.doesNotContinue(
          what: "commit of device \(device)", expected: held &+ 1, found: number)
      }
    }
  }

  private func hash(
    of device: DeviceID, _ number: UInt64, in database: Database
  ) throws -> Digest32? {
    try Data.fetchOne(
      database, sql: "SELECT hash FROM commits WHERE device = ? AND sequence = ?",
      arguments: [Data(device.bytes), Int64(clamping: number)]
    ).map { try digest32(Array($0)) }
  }

  private func insert(_ commit: Envelope, hash: Digest32, into database: Database) throws {
    let (device, number) = (commit.header.device.bytes, Int64(clamping: commit.header.sequence))
    try database.execute(
      sql: "INSERT INTO commits (device, sequence, hash, envelope) VALUES (?, ?, ?, ?)",
      arguments: [
        Data(device), number, Data(hash.bytes),
        Data(commit.bytes),
      ])
    try database.execute(
      sql: "INSERT OR REPLACE INTO frontier VALUES (?, ?, ?)",
      arguments: [Data(device), number, Data(hash.bytes)])
  }

  private func append(_ record: MembershipRecord, to database: Database) throws {
    let next = UInt64(try Int64.fetchOne(database, sql: "SELECT count(*) FROM membership") ?? 0)
    let hash = digest(record.bytes)
    guard record.number != next else {
      try database.execute(
        sql: "INSERT INTO membership VALUES (?, ?, ?)",
        arguments: [
          Int64(next), Data(hash.bytes), Data(record.bytes),
        ])
      return
    }
    let held = try Data.fetchOne(
      database, sql: "SELECT hash FROM membership WHERE number = ?",
      arguments: [Int64(clamping: record.number)])
    guard record.number < next, held.map(Array.init) == hash.bytes else {
      throw StorageError.doesNotContinue(
        what: "membership record", expected: next, found: record.number)
    }
  }

  private func update(
    serverFrontier: Frontier?, generation: String?, in database: Database
  ) throws {
    guard serverFrontier != nil || generation != nil else { return }
    let (heldFrontier, heldGeneration) = try readServer(database)
    try database.execute(
      sql: "INSERT OR REPLACE INTO server VALUES (1, ?, ?)",
      arguments: [
        try JSONEncoder().encode(serverFrontier ?? heldFrontier), generation ?? heldGeneration,
      ])
  }

  private func replace(_ settled: [SettledRow], in database: Database) throws {
    try database.execute(sql: "DELETE FROM settled")
    for row in settled {
      try database.execute(
        sql: "INSERT INTO settled (context, sealed) VALUES (?, ?)",
        arguments: [Data(row.context.bytes), Data(row.sealed)])
    }
  }

  /// An alarm that stands already is not told twice.
  private func add(_ notice: Notice, to database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO notices (code, text, at, isAlarm) SELECT ?1, ?2, ?3, ?4
        WHERE NOT ?4 OR NOT EXISTS
          (SELECT 1 FROM notices WHERE isAlarm AND code = ?1 AND text = ?2)
        """,
      arguments: [notice.code, notice.text, notice.at, notice.isAlarm])
    try database.execute(
      sql: """
        DELETE FROM notices WHERE NOT isAlarm AND place <=
          (SELECT place FROM notices WHERE NOT isAlarm ORDER BY place DESC LIMIT 1 OFFSET ?)
        """,
      arguments: [Self.notices])
  }

  /// Forgets the notices with `code`, alarms too: somebody has dealt with them.
  public func removeNotices(code: String) throws {
    try guarded("writing") {
      try queue.inTransaction(.immediate) {
        try $0.execute(sql: "DELETE FROM notices WHERE code = ?", arguments: [code])
        return .commit
      }
    }
  }
}
