import Foundation
import GRDB
public import Sync
import Wire

extension SQLiteStore {
  public func write(_ transaction: Transaction) throws {
    guard !transaction.isEmpty else { return }
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        for rewind in transaction.rewinds { try self.rewind(rewind, in: database) }
        try append(transaction.commits, to: database)
        if let kept = transaction.recordsKept {
          try database.execute(sql: "DELETE FROM membership WHERE number >= ?", arguments: [kept])
        }
        for record in transaction.records { try append(record, to: database) }
        if let ending = transaction.ending {
          try database.execute(
            sql: "INSERT OR REPLACE INTO sealedRows VALUES ('ending', ?)",
            arguments: [Data(ending.bytes)])
        }
        try writeCheckpoint(of: transaction, to: database)
        try update(
          serverFrontier: transaction.serverFrontier, generation: transaction.generation,
          in: database)
        if let settled = transaction.settled { try replace(settled, in: database) }
        if let drafts = transaction.drafts { try replace(drafts, in: database) }
        for code in transaction.clearedNotices { try clear(code, in: database) }
        for notice in transaction.notices { try add(notice, to: database) }
        if let device = transaction.device { try switchIdentity(to: device, in: database) }
        for envelope in transaction.evidence { try keep(evidence: envelope, in: database) }
        if let isUncertain = transaction.isUncertain {
          try database.execute(
            sql: "INSERT OR REPLACE INTO meta VALUES ('isUncertain', ?)", arguments: [isUncertain])
        }
        if let unanswered = transaction.unanswered { try write(unanswered, to: database) }
        if let learned = transaction.learned {
          try write(learned, as: Self.learnedRow, to: database)
        }
        if let forgotten = transaction.forgotten {
          try write(forgotten, as: Self.forgottenRow, to: database)
        }
        return .commit
      }
    }
  }

  private func write(
    _ records: [MembershipRecord], as row: String, to database: Database
  ) throws {
    guard !records.isEmpty else {
      return try database.execute(
        sql: "DELETE FROM sealedRows WHERE name = ?", arguments: [row])
    }
    try database.execute(
      sql: "INSERT OR REPLACE INTO sealedRows VALUES (?, ?)",
      arguments: [row, try JSONEncoder().encode(records.map { Blob($0.bytes) })])
  }

  private func write(_ unanswered: Unanswered, to database: Database) throws {
    switch unanswered {
    case .nothing:
      try database.execute(sql: "DELETE FROM meta WHERE name = 'unansweredSince'")
    case .since(let time):
      try database.execute(
        sql: "INSERT OR REPLACE INTO meta VALUES ('unansweredSince', ?)", arguments: [time])
    }
  }

  private func writeCheckpoint(of transaction: Transaction, to database: Database) throws {
    if let snapshot = transaction.snapshot { try checkpoint(snapshot, in: database) }
    if let since = transaction.snapshotHeldSince {
      try database.execute(
        sql: "UPDATE snapshots SET heldSince = ? WHERE isCheckpoint", arguments: [since])
    }
    if let frontier = transaction.prune { try prune(frontier, in: database) }
  }

  /// Forgets commits of a chain that others do not know. What is left of one that was pruned beyond
  /// that is pruned as well.
  private func rewind(_ rewind: Transaction.Rewind, in database: Database) throws {
    let device = Data(rewind.device.bytes)
    let sequence = Int64(clamping: rewind.head?.sequence ?? 0)
    let floor = try readFloors(database).sequence(of: rewind.device)
    for table in ["commits", "hashes", "floors"] {
      try database.execute(
        sql: "DELETE FROM \(table) WHERE device = ? AND sequence > ?",
        arguments: [device, sequence])
    }
    try lowerCheckpoint(to: rewind, in: database)
    guard let head = rewind.head else {
      try database.execute(sql: "DELETE FROM frontier WHERE device = ?", arguments: [device])
      return
    }
    if floor > head.sequence { try setHead("floors", rewind.device, head, in: database) }
    try setHead("frontier", rewind.device, head, in: database)
  }

  func setHead(_ table: String, _ device: DeviceID, _ head: Head, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO \(table) VALUES (?, ?, ?)",
      arguments: [
        Data(device.bytes), Int64(clamping: head.sequence), Data(head.hash.bytes),
      ])
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

  private func insert(_ commit: Envelope, hash: Digest32, into database: Database) throws {
    let (device, number) = (commit.header.device.bytes, Int64(clamping: commit.header.sequence))
    try database.execute(
      sql: "INSERT INTO commits (device, sequence, hash, envelope) VALUES (?, ?, ?, ?)",
      arguments: [
        Data(device), number, Data(hash.bytes),
        Data(commit.bytes),
      ])
    try setHead(
      "frontier", commit.header.device, Head(sequence: commit.header.sequence, hash: hash),
      in: database)
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
        sql: "INSERT INTO settled (context, sealed, hash) VALUES (?, ?, ?)",
        arguments: [
          Data(row.context.bytes), Data(row.sealed), Data(digest(row.sealed).bytes),
        ])
    }
  }

  private func replace(_ drafts: [DraftRow], in database: Database) throws {
    try database.execute(sql: "DELETE FROM drafts")
    for row in drafts {
      try database.execute(
        sql: "INSERT INTO drafts (id, sealed, hash) VALUES (?, ?, ?)",
        arguments: [Data(row.id.bytes), Data(row.sealed), Data(digest(row.sealed).bytes)])
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

  private func clear(_ code: String, in database: Database) throws {
    try database.execute(sql: "DELETE FROM notices WHERE code = ?", arguments: [code])
  }

  private func keep(evidence envelope: Envelope, in database: Database) throws {
    let held = try Int.fetchOne(database, sql: "SELECT count(*) FROM evidence") ?? 0
    guard held < Self.evidence else { return }
    try database.execute(
      sql: "INSERT OR IGNORE INTO evidence (hash, envelope, at) VALUES (?, ?, ?)",
      arguments: [
        Data(digest(envelope.bytes).bytes), Data(envelope.bytes),
        Int64(Date().timeIntervalSince1970 * 1000),
      ])
  }

  private func switchIdentity(to device: DeviceID, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR REPLACE INTO identity VALUES (1, ?)", arguments: [Data(device.bytes)])
  }
}
