import Foundation
import GRDB
public import Wire

extension SQLiteLedgerTransaction {
  public mutating func begin(
    epoch: UInt32, of account: AccountID, slot: MembershipRecord.SlotChange
  ) throws {
    let id = Data(account.bytes)
    try db.run("UPDATE account SET epoch = ? WHERE id = ?", [epoch, id])
    try db.run(
      """
      UPDATE login SET loginKey = ?, slot = ?, memoryKibibytes = ?, passes = ?, salt = ?
      WHERE account = ?
      """,
      [
        Data(slot.loginKey.bytes), Data(slot.slot.bytes), slot.hashing.memoryKibibytes,
        slot.hashing.passes, Data(slot.hashing.salt.bytes), id,
      ])
  }

  public mutating func revoke(
    device: DeviceID, of account: AccountID, by number: UInt64
  ) throws {
    let id = Data(device.bytes)
    try db.run("UPDATE device SET revokedBy = ? WHERE id = ?", [Int64(number), id])
    try db.run(
      "INSERT INTO revocation (device, account) VALUES (?, ?)",
      [id, Data(account.bytes)])
  }

  public mutating func rewind(device: DeviceID, of account: AccountID, to head: Head?) throws {
    let (id, place) = (Data(device.bytes), Int64(clamping: head?.sequence ?? 0))
    for snapshot in try snapshots(of: account)
    where snapshot.frontier.sequence(of: device) > head?.sequence ?? 0 {
      try remove(snapshot: snapshot)
    }
    let beyond: StatementArguments = [id, place]
    try db.run(
      """
      UPDATE account SET usedBytes = usedBytes - (
        SELECT coalesce(sum(length(bytes)), 0) FROM commits WHERE device = ? AND sequence > ?)
      WHERE id = ?
      """, beyond + [Data(account.bytes)])
    try db.run("DELETE FROM commits WHERE device = ? AND sequence > ?", beyond)
    try db.run("DELETE FROM link WHERE device = ? AND sequence > ?", beyond)
    try db.run("DELETE FROM jump WHERE device = ? AND upTo > ?", beyond)
    try db.run("DELETE FROM signal WHERE device = ?", [id])
    try db.run(
      "UPDATE device SET headSequence = ?, headHash = ?, base = min(base, ?) WHERE id = ?",
      [place, head.map { Data($0.hash.bytes) }, place, id])
  }

  public func farewells(of account: AccountID) throws -> [Farewell] {
    try db.rows(
      "SELECT id, farewell FROM device WHERE account = ? AND farewell IS NOT NULL ORDER BY id",
      [Data(account.bytes)]
    ).map { row throws in
      Farewell(device: try row.identifier("id"), signature: Blob(try row.bytes("farewell")))
    }
  }

  public mutating func keep(_ farewell: Farewell) throws {
    try db.run(
      "UPDATE device SET farewell = ? WHERE id = ?",
      [Data(farewell.signature.bytes), Data(farewell.device.bytes)])
  }

  public func ending(of account: AccountID) throws -> [UInt8]? {
    try db.row("SELECT record FROM ending WHERE account = ?", [Data(account.bytes)])?
      .bytes("record")
  }

  public mutating func delete(account: AccountID, ending: [UInt8]) throws {
    let id = Data(account.bytes)
    try db.run(
      """
      INSERT INTO revocation (device, account)
      SELECT id, account FROM device WHERE account = ?
      """, [id])
    for table in ["link", "jump"] {
      try db.run(
        "DELETE FROM \(table) WHERE device IN (SELECT id FROM device WHERE account = ?)", [id])
    }
    // With its chunks; then what refers to what follows.
    for table in ["snapshot", "signal", "recordSignal", "commits", "member", "login", "device"] {
      try db.run("DELETE FROM \(table) WHERE account = ?", [id])
    }
    try db.run("DELETE FROM account WHERE id = ?", [id])
    try db.run("INSERT INTO ending (account, record) VALUES (?, ?)", [id, Data(ending)])
  }
}

/// The feed of revocations, numbered in the transactions of their records.
extension ServerDatabase {
  /// A day: every token of a device that was revoked before has ended long since.
  static let feedSeconds = 86_400

  /// The entries after `number`, oldest first; for nil, all that are kept.
  func revocations(
    after number: UInt64?, limit: Int, now: Int64
  ) async throws(Problem) -> RevocationPage {
    try await run { store throws(Problem) in
      try store.read { transaction throws in
        let db = transaction.db
        let newest = try db.row("SELECT seq FROM sqlite_sequence WHERE name = 'revocation'")
        let oldest = try db.row("SELECT min(number) AS number FROM revocation")
        let end = try newest?.count("seq") ?? 0
        let first: Int64? = try oldest?.optional("number")
        let before = first.map { UInt64(max($0, 1)) - 1 } ?? end
        // Who asks for what is no more is given what there is, and sees the gap.
        let after = max(number ?? 0, before)
        let rows = try db.rows(
          "SELECT * FROM revocation WHERE number > ? ORDER BY number LIMIT ?",
          [Int64(clamping: after), limit])
        let entries = try rows.map { row throws in
          RevocationPage.Entry(
            account: try row.identifier("account"), device: try row.identifier("device"),
            at: try row.value("at"))
        }
        return RevocationPage(
          after: min(after, end), entries: entries, newest: end, at: now / 1000)
      }
    }
  }

  /// How far the Push Service was told.
  func toldRevocations() async throws(Problem) -> UInt64 {
    try await run { store throws(Problem) in
      try store.read { transaction throws in
        try transaction.db.row("SELECT told FROM instance")?.count("told") ?? 0
      }
    }
  }

  /// Notes what was delivered, and forgets what is too old to matter to anybody.
  func told(revocations number: UInt64) async throws(Problem) {
    try await run { store throws(Problem) in
      try store.write { transaction throws in
        try transaction.db.run("UPDATE instance SET told = ?", [Int64(clamping: number)])
        try transaction.db.run(
          "DELETE FROM revocation WHERE number <= ? AND at < strftime('%s', 'now') - ?",
          [Int64(clamping: number), Self.feedSeconds])
      }
    }
  }
}
