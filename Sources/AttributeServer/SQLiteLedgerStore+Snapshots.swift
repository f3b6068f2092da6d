import Foundation
import GRDB
public import Wire

extension SQLiteLedgerTransaction {
  public func accounts() throws -> [AccountID] {
    try db.rows("SELECT id FROM account ORDER BY id").map { row throws in
      try row.identifier("id")
    }
  }

  public func bases(of account: AccountID) throws -> [DeviceID: UInt64] {
    var bases: [DeviceID: UInt64] = [:]
    let rows = try db.rows(
      "SELECT id, base FROM device WHERE account = ? AND base > 0", [Data(account.bytes)])
    for row in rows { bases[try row.identifier("id")] = try row.count("base") }
    return bases
  }

  public func jumps(of device: DeviceID) throws -> [LedgerJump] {
    try db.rows(
      "SELECT after, upTo FROM jump WHERE device = ? ORDER BY after", [Data(device.bytes)]
    ).map { row throws in
      LedgerJump(after: try row.count("after"), upTo: try row.count("upTo"))
    }
  }

  public func snapshots(of account: AccountID) throws -> [LedgerSnapshot] {
    try db.rows(
      "SELECT * FROM snapshot WHERE account = ? ORDER BY place IS NULL, place, offeredAt, id",
      [Data(account.bytes)]
    ).map { row throws in try Self.snapshot(row) }
  }

  public func snapshot(_ id: Digest32) throws -> LedgerSnapshot? {
    try db.row("SELECT * FROM snapshot WHERE id = ?", [Data(id.bytes)])
      .map { row throws in try Self.snapshot(row) }
  }

  private static func snapshot(_ row: Row) throws -> LedgerSnapshot {
    let manifest = try row.bytes("manifest")
    return LedgerSnapshot(
      id: try row.digest("id"), account: try row.identifier("account"),
      device: try row.identifier("device"), manifest: manifest,
      frontier: try Envelope(bytes: manifest).header.covered, chunks: try row.value("chunks"),
      bytes: try row.value("bytes"), offeredAt: try row.value("offeredAt"),
      completedAt: try row.optional("completedAt"))
  }

  public func missingChunks(of id: Digest32, limit: Int) throws -> [Int] {
    try db.rows(
      """
      SELECT number FROM snapshotChunk WHERE snapshot = ? AND bytes IS NULL
      ORDER BY number LIMIT ?
      """, [Data(id.bytes), limit]
    ).map { row throws in try row.value("number") }
  }

  public func chunkHash(_ number: Int, of id: Digest32) throws -> Digest32? {
    try db.row(
      "SELECT hash FROM snapshotChunk WHERE snapshot = ? AND number = ?", [Data(id.bytes), number]
    )?.digest("hash")
  }

  public func chunk(_ number: Int, of id: Digest32) throws -> [UInt8]? {
    try db.row(
      """
      SELECT bytes FROM snapshotChunk
      WHERE snapshot = ? AND number = ? AND bytes IS NOT NULL
      """, [Data(id.bytes), number]
    )?.bytes("bytes")
  }

  public func chunkBytes(of id: Digest32) throws -> Int {
    try db.row(
      "SELECT coalesce(sum(length(bytes)), 0) AS n FROM snapshotChunk WHERE snapshot = ?",
      [Data(id.bytes)])?["n"] ?? 0
  }

  public mutating func insert(snapshot: LedgerSnapshot, chunks: [Digest32]) throws {
    let id = Data(snapshot.id.bytes)
    try db.run(
      """
      INSERT INTO snapshot (id, account, device, chunks, bytes, offeredAt, manifest)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """,
      [
        id, Data(snapshot.account.bytes), Data(snapshot.device.bytes), snapshot.chunks,
        snapshot.bytes, snapshot.offeredAt, Data(snapshot.manifest),
      ])
    for (number, hash) in chunks.enumerated() {
      try db.run(
        "INSERT INTO snapshotChunk (snapshot, number, hash) VALUES (?, ?, ?)",
        [id, number, Data(hash.bytes)])
    }
    try use(snapshot.manifest.count, of: snapshot.account)
  }

  public mutating func renew(snapshot id: Digest32, at: Int64) throws {
    try db.run("UPDATE snapshot SET offeredAt = ? WHERE id = ?", [at, Data(id.bytes)])
  }

  public mutating func put(chunk: [UInt8], number: Int, of snapshot: LedgerSnapshot) throws {
    try db.run(
      "UPDATE snapshotChunk SET bytes = ? WHERE snapshot = ? AND number = ?",
      [Data(chunk), Data(snapshot.id.bytes), number])
    try use(chunk.count, of: snapshot.account)
  }

  public mutating func complete(snapshot id: Digest32, at: Int64) throws {
    try db.run(
      """
      UPDATE snapshot SET completedAt = ?,
        place = (SELECT coalesce(max(place), 0) + 1 FROM snapshot)
      WHERE id = ?
      """, [at, Data(id.bytes)])
  }

  public mutating func remove(snapshot: LedgerSnapshot) throws {
    let stored = try chunkBytes(of: snapshot.id)
    // The chunks go with it.
    try db.run("DELETE FROM snapshot WHERE id = ?", [Data(snapshot.id.bytes)])
    try use(-(stored + snapshot.manifest.count), of: snapshot.account)
  }

  public mutating func jump(
    device: DeviceID, of account: AccountID, from: UInt64, to head: Head
  ) throws {
    let (id, sequence) = (Data(device.bytes), Int64(head.sequence))
    let hash = Data(head.hash.bytes)
    try db.run(
      "INSERT INTO jump (device, after, upTo) VALUES (?, ?, ?)", [id, Int64(from), sequence])
    try db.run(
      "INSERT INTO link (device, sequence, hash) VALUES (?, ?, ?)", [id, sequence, hash])
    try db.run(
      "UPDATE device SET headSequence = ?, headHash = ?, base = ? WHERE id = ?",
      [sequence, hash, sequence, id])
    try queueSignal(device: device, account: account, sequence: head.sequence)
  }

  public mutating func raiseBase(
    of device: DeviceID, in account: AccountID, to sequence: UInt64
  ) throws {
    try db.run(
      "UPDATE device SET base = max(base, ?) WHERE id = ?",
      [Int64(sequence), Data(device.bytes)])
  }

  public mutating func prune(
    device: DeviceID, of account: AccountID, sequences: ClosedRange<UInt64>, limit: Int
  ) throws -> LedgerRemoval {
    let id = Data(device.bytes)
    let rows = try db.rows(
      """
      SELECT sequence, hash, length(bytes) AS bytes FROM commits
      WHERE device = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?
      """,
      [id, Int64(clamping: sequences.lowerBound), Int64(clamping: sequences.upperBound), limit])
    var removal = LedgerRemoval()
    for row in rows {
      let sequence: Int64 = try row.value("sequence")
      try db.run(
        "INSERT INTO link (device, sequence, hash) VALUES (?, ?, ?)",
        [id, sequence, Data(try row.digest("hash").bytes)])
      try db.run("DELETE FROM commits WHERE device = ? AND sequence = ?", [id, sequence])
      removal.commits += 1
      removal.bytes += try row.value("bytes")
    }
    try use(-removal.bytes, of: account)
    return removal
  }

  private func use(_ bytes: Int, of account: AccountID) throws {
    try db.run(
      "UPDATE account SET usedBytes = usedBytes + ? WHERE id = ?", [bytes, Data(account.bytes)])
  }
}
