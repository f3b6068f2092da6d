import Foundation
import GRDB
public import Wire

/// Something in a database that is not as the ledger would have written it.
public struct LedgerFinding: Hashable, Sendable, CustomStringConvertible {
  /// Nil for what concerns the whole file.
  public let account: AccountID?
  public let text: String

  public var description: String {
    account.map { "account \($0): \(text)" } ?? text
  }
}

/// Follows every chain of a database and compares what is kept twice.
///
/// Pages and references; each account's membership chain, device rows, commits (bytes, hash,
/// signature, predecessor, dependencies, membership), heads, kept digests, used bytes; each
/// snapshot's manifest and chunks; and that a complete snapshot stands for all that was pruned.
struct LedgerCheck {
  /// More than anyone reads; a file that is broken everywhere gives millions.
  static let mostFindings = 1000

  let db: Database
  let transaction: SQLiteLedgerTransaction
  let signatures: Bool
  var findings: [LedgerFinding] = []

  /// What is wrong with the database; empty when all is well. Without `signatures` commits are not
  /// verified, which is most of the time it takes.
  static func findings(in db: Database, signatures: Bool = true) -> [LedgerFinding] {
    var check = LedgerCheck(
      db: db, transaction: SQLiteLedgerTransaction(db: db), signatures: signatures)
    do {
      try check.run()
    } catch {
      check.add("what follows cannot be read: \(Self.reason(error))")
    }
    return Array(check.findings.prefix(mostFindings))
  }

  private mutating func run() throws {
    for line in try String.fetchAll(db, sql: "PRAGMA integrity_check(20)") where line != "ok" {
      add("the file is damaged: \(line)")
    }
    for row in try db.rows("PRAGMA foreign_key_check").prefix(20) {
      add("a row of \(try row.value("table") as String) belongs to nothing")
    }
    do {
      _ = try ServerDatabase.identity(db)
    } catch {
      add("the identity of the installation: \(Self.reason(error))")
    }
    for id in try transaction.accounts() {
      do {
        try checkAccount(id)
      } catch {
        add("what follows cannot be read: \(Self.reason(error))", id)
      }
      if findings.count >= Self.mostFindings { return }
    }
  }

  mutating func add(_ text: String, _ account: AccountID? = nil) {
    findings.append(LedgerFinding(account: account, text: text))
  }

  private static func reason(_ error: any Error) -> String {
    (error as? DatabaseError)?.message ?? "\(type(of: error))"
  }

  private mutating func checkAccount(_ id: AccountID) throws {
    guard let account = try transaction.account(id) else { return }
    let devices = try checkMembership(of: account)
    for device in devices.values.sorted(by: { $0.id < $1.id }) {
      try checkChain(of: device, account: account)
    }
    try checkSnapshots(of: account, devices: devices)
    try checkUsedBytes(of: account)
  }

  private mutating func checkUsedBytes(of account: LedgerAccount) throws {
    let sum =
      """
      SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM commits WHERE account = :id)
        + (SELECT coalesce(sum(length(manifest)), 0) FROM snapshot WHERE account = :id)
        + (SELECT coalesce(sum(length(c.bytes)), 0) FROM snapshotChunk c
           JOIN snapshot s ON s.id = c.snapshot WHERE s.account = :id) AS n
      """
    let bytes: Int = try db.row(sum, ["id": Data(account.id.bytes)])?.value("n") ?? 0
    if bytes != account.usedBytes {
      add("\(bytes) bytes are kept and \(account.usedBytes) counted", account.id)
    }
  }
}

// MARK: Membership

extension LedgerCheck {
  /// The devices of the account, by their rows.
  private mutating func checkMembership(
    of account: LedgerAccount
  ) throws -> [DeviceID: LedgerDevice] {
    let rows = try db.rows(
      "SELECT id FROM device WHERE account = ?", [Data(account.id.bytes)])
    var devices: [DeviceID: LedgerDevice] = [:]
    for row in rows {
      let id: DeviceID = try row.identifier("id")
      devices[id] = try transaction.device(id)
    }
    var added: Set<DeviceID> = []
    var head = Digest32.zero
    var number: UInt64 = 0
    let records = try db.rows(
      "SELECT number, hash, bytes FROM member WHERE account = ? ORDER BY number",
      [Data(account.id.bytes)])
    for row in records {
      let bytes = try row.bytes("bytes")
      let name = "membership record \(number)"
      if try row.count("number") != number { add("\(name) is missing", account.id) }
      let hash = digest(bytes)
      if try row.digest("hash") != hash { add("\(name) is not what was kept", account.id) }
      if let device = checkRecord(
        bytes, name: name, number: number, after: head, account: account, devices: devices)
      {
        added.insert(device)
      }
      head = hash
      number += 1
    }
    if head != account.memberHead || number != account.memberCount {
      add("the membership chain does not end where it should", account.id)
    }
    for id in Set(devices.keys).subtracting(added).sorted() {
      add("no membership record adds device \(id)", account.id)
    }
    return devices
  }

  /// The device that the record adds, if the chain, the signature and the device's row agree.
  private mutating func checkRecord(
    _ bytes: [UInt8], name: String, number: UInt64, after head: Digest32, account: LedgerAccount,
    devices: [DeviceID: LedgerDevice]
  ) -> DeviceID? {
    let record: MembershipRecord
    let device: DeviceDescription?
    do {
      record = try MembershipRecord(bytes: bytes)
      device =
        switch record.kind {
        case .genesis: try record.genesis().device
        case .addDevice: try record.addition().device
        case .replaceDevice: try record.replacement().device
        case .rotateEpoch, .raiseSuite, .trustServer, .changeSlot, .renameDevice, .deleteAccount:
          nil
        }
      if record.kind == .rotateEpoch {
        checkRevoked(try record.rotation().revoked, by: number, of: account, devices: devices)
      }
    } catch {
      add("\(name) does not read", account.id)
      return nil
    }
    if record.account != account.id || record.number != number || record.previous != head
      || (record.kind == .genesis) != (number == 0)
    {
      add("\(name) does not follow the one before", account.id)
    }
    let key: [UInt8]? =
      switch record.signer {
      case .account: account.accountKey
      case .device(let id): devices[id]?.signingKey
      }
    if !verifies(record.signature, of: record.signedBytes, by: key ?? []) {
      add("the signature of \(name) does not verify", account.id)
    }
    guard let device else { return nil }
    guard let row = devices[device.device] else {
      add("device \(device.device) of \(name) is missing", account.id)
      return nil
    }
    if row.signingKey != device.signingKey.bytes
      || row.authenticationKey != device.authenticationKey.bytes || row.addedBy != number
    {
      add("the keys of device \(row.id) are not those of \(name)", account.id)
    }
    return row.id
  }

  private mutating func checkRevoked(
    _ revoked: [DeviceID], by number: UInt64, of account: LedgerAccount,
    devices: [DeviceID: LedgerDevice]
  ) {
    for id in revoked where devices[id]?.revokedBy != number {
      add("device \(id) is not marked as revoked by membership record \(number)", account.id)
    }
    for (id, device) in devices where device.revokedBy == number && !revoked.contains(id) {
      add("membership record \(number) does not revoke device \(id)", account.id)
    }
  }
}
