import Foundation
import GRDB
import Logging
public import Wire

/// The ledger in the server's database.
public struct SQLiteLedgerStore: LedgerStore, Sendable {
  let database: DatabaseQueue
  let logger: Logger

  public mutating func write<Value>(
    _ body: (inout SQLiteLedgerTransaction) throws -> Value
  ) throws(Problem) -> Value {
    try report {
      try database.write { db in
        var transaction = SQLiteLedgerTransaction(db: db)
        return try body(&transaction)
      }
    }
  }

  public func read<Value>(
    _ body: (SQLiteLedgerTransaction) throws -> Value
  ) throws(Problem) -> Value {
    try report { try database.read { try body(SQLiteLedgerTransaction(db: $0)) } }
  }

  /// Turns a failing database into a problem the caller can retry; the process lives on.
  private func report<Value>(_ body: () throws -> Value) throws(Problem) -> Value {
    do {
      return try body()
    } catch let problem as Problem {
      throw problem
    } catch let error as DatabaseError {
      throw Self.problem(of: error, logger: logger)
    } catch {
      logger.error("The database failed", metadata: ["type": "\(type(of: error))"])
      throw Problem(.internalFailure)
    }
  }

  private static func problem(of error: DatabaseError, logger: Logger) -> Problem {
    let facts: Logger.Metadata = ["code": "\(error.extendedResultCode.rawValue)"]
    switch error.resultCode {
    case .SQLITE_FULL:
      logger.error("The disk is full; nothing was taken", metadata: facts)
      return Problem(.storageFull)
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      logger.critical(
        "The database is damaged; stop the server and run `higginsd check`", metadata: facts)
      return Problem(.internalFailure)
    default:
      logger.error("The database failed", metadata: facts)
      return Problem(.internalFailure)
    }
  }
}

/// One transaction of a ``SQLiteLedgerStore``.
public struct SQLiteLedgerTransaction: LedgerTransaction {
  let db: Database

  public func account(_ id: AccountID) throws -> LedgerAccount? {
    guard let row = try db.row("SELECT * FROM account WHERE id = ?", [Data(id.bytes)]) else {
      return nil
    }
    return LedgerAccount(
      id: id, accountKey: try row.bytes("accountKey"), epoch: try row.value("epoch"),
      memberHead: try row.digest("memberHead"), memberCount: try row.count("memberCount"),
      usedBytes: try row.value("usedBytes"))
  }

  public func device(_ id: DeviceID) throws -> LedgerDevice? {
    guard let row = try db.row("SELECT * FROM device WHERE id = ?", [Data(id.bytes)]) else {
      return nil
    }
    return LedgerDevice(
      id: id, account: try row.identifier("account"), signingKey: try row.bytes("signingKey"),
      authenticationKey: try row.bytes("authenticationKey"), addedBy: try row.count("addedBy"),
      revokedBy: (try row.optional("revokedBy") as Int64?).map { UInt64(clamping: $0) })
  }

  public func deviceCount(of account: AccountID) throws -> Int {
    try db.row("SELECT count(*) AS n FROM device WHERE account = ?", [Data(account.bytes)])?
      .value("n") ?? 0
  }

  public func frontier(of account: AccountID) throws -> Frontier {
    var frontier = Frontier()
    let rows = try db.rows(
      """
      SELECT id, headSequence, headHash FROM device
      WHERE account = ? AND headSequence > 0
      """, [Data(account.bytes)])
    for row in rows {
      frontier[try row.identifier("id")] = Head(
        sequence: try row.count("headSequence"), hash: try row.digest("headHash"))
    }
    return frontier
  }

  public func hash(device: DeviceID, sequence: UInt64) throws -> Digest32? {
    guard let sequence = Int64(exactly: sequence) else { return nil }
    let place: StatementArguments = [Data(device.bytes), sequence]
    let row =
      try db.row("SELECT hash FROM commits WHERE device = ? AND sequence = ?", place)
      ?? db.row("SELECT hash FROM link WHERE device = ? AND sequence = ?", place)
    return try row?.digest("hash")
  }

  public func memberNumber(of hash: Digest32, account: AccountID) throws -> UInt64? {
    try db.row(
      "SELECT number FROM member WHERE account = ? AND hash = ?",
      [Data(account.bytes), Data(hash.bytes)]
    ).map { row throws in try row.count("number") }
  }

  public func memberRecords(from number: UInt64, account: AccountID) throws -> [[UInt8]] {
    try db.rows(
      "SELECT bytes FROM member WHERE account = ? AND number >= ? ORDER BY number",
      [Data(account.bytes), Int64(clamping: number)]
    ).map { row throws in try row.bytes("bytes") }
  }

  public func page(
    of account: AccountID, lacking frontier: Frontier, maxBytes: Int
  ) throws -> LedgerPage {
    guard let first = try firstRow(of: account, lacking: frontier) else { return LedgerPage() }
    var page = LedgerPage()
    var room = maxBytes
    let rows = try Row.fetchCursor(
      db.cachedStatement(
        sql: """
          SELECT device, sequence, bytes FROM commits
          WHERE account = ? AND id >= ? ORDER BY id
          """), arguments: [Data(account.bytes), first])
    while let row = try rows.next() {
      let held = frontier.sequence(of: try row.identifier("device"))
      guard try row.count("sequence") > held else { continue }
      let bytes = try row.bytes("bytes")
      room -= bytes.count
      guard room >= 0 || page.frames.isEmpty else {
        page.more = true
        break
      }
      page.frames.append(bytes)
    }
    return page
  }

  /// The oldest row the frontier lacks: found by one index look-up a device, so that a caller that
  /// is nearly up to date costs little however long the log is.
  private func firstRow(of account: AccountID, lacking frontier: Frontier) throws -> Int64? {
    var first: Int64?
    for (device, head) in try self.frontier(of: account).heads {
      let held = frontier.sequence(of: device)
      guard held < head.sequence else { continue }
      let row = try db.row(
        "SELECT id FROM commits WHERE device = ? AND sequence > ? ORDER BY sequence LIMIT 1",
        [Data(device.bytes), Int64(clamping: held)])
      guard let id = try row?.value("id") as Int64? else { continue }
      first = min(first ?? id, id)
    }
    return first
  }

  public mutating func insert(account: LedgerAccount, genesis: [UInt8]) throws {
    try db.run(
      """
      INSERT INTO account (id, accountKey, epoch, memberHead, memberCount, usedBytes)
      VALUES (?, ?, ?, ?, ?, ?)
      """,
      [
        Data(account.id.bytes), Data(account.accountKey), account.epoch,
        Data(account.memberHead.bytes), Int64(account.memberCount), account.usedBytes,
      ])
    try db.run(
      "INSERT INTO member (account, number, hash, bytes) VALUES (?, 0, ?, ?)",
      [Data(account.id.bytes), Data(account.memberHead.bytes), Data(genesis)])
  }

  public mutating func insert(device: LedgerDevice) throws {
    try db.run(
      """
      INSERT INTO device (id, account, signingKey, authenticationKey, addedBy)
      VALUES (?, ?, ?, ?, ?)
      """,
      [
        Data(device.id.bytes), Data(device.account.bytes), Data(device.signingKey),
        Data(device.authenticationKey), Int64(device.addedBy),
      ])
  }

  public mutating func append(record: [UInt8], hash: Digest32, account: AccountID) throws {
    try db.run(
      """
      INSERT INTO member (account, number, hash, bytes)
      SELECT id, memberCount, ?, ? FROM account WHERE id = ?
      """, [Data(hash.bytes), Data(record), Data(account.bytes)])
    try db.run(
      "UPDATE account SET memberHead = ?, memberCount = memberCount + 1 WHERE id = ?",
      [Data(hash.bytes), Data(account.bytes)])
  }

  public mutating func append(commit: LedgerCommit) throws {
    let account = Data(commit.account.bytes)
    let device = Data(commit.device.bytes)
    let sequence = Int64(commit.sequence)
    let hash = Data(commit.hash.bytes)
    try db.run(
      "INSERT INTO commits (account, device, sequence, hash, bytes) VALUES (?, ?, ?, ?, ?)",
      [account, device, sequence, hash, Data(commit.bytes)])
    try db.run(
      "UPDATE device SET headSequence = ?, headHash = ? WHERE id = ?", [sequence, hash, device])
    try db.run(
      "UPDATE account SET usedBytes = usedBytes + ? WHERE id = ?", [commit.bytes.count, account])
    try queueSignal(device: commit.device, account: commit.account, sequence: commit.sequence)
  }

  public mutating func queueSignal(
    ofRecord number: UInt64, of account: AccountID, by device: DeviceID
  ) throws {
    try db.run(
      "INSERT OR REPLACE INTO recordSignal (account, device, number) VALUES (?, ?, ?)",
      [Data(account.bytes), Data(device.bytes), Int64(number)])
  }

  func queueSignal(device: DeviceID, account: AccountID, sequence: UInt64) throws {
    try db.run(
      """
      INSERT INTO signal (device, account, sequence) VALUES (?, ?, ?)
      ON CONFLICT (device) DO UPDATE SET sequence = excluded.sequence
      """, [Data(device.bytes), Data(account.bytes), Int64(sequence)])
  }
}
