import Foundation
import GRDB
import Sync
public import Vault
public import Wire

/// The checkpoint, and a snapshot that is being fetched.
extension SQLiteStore {
  public func checkpoint() throws -> SealedSnapshot? {
    try guarded("reading") {
      try queue.read { database in
        let id = try Data.fetchOne(database, sql: "SELECT id FROM snapshots WHERE isCheckpoint")
        guard let id else { return nil }
        guard let snapshot = try self.snapshot(Array(id), in: database) else {
          throw damaged("a part of the checkpoint is gone")
        }
        return snapshot
      }
    }
  }

  /// Begins to keep a snapshot that is fetched piece by piece; another one that was begun goes.
  public func beginFetching(_ manifest: Envelope, chunks: Int) throws {
    let id = Data(digest(manifest.bytes).bytes)
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        try forget("id <> ? AND NOT isCheckpoint", [id], in: database)
        try database.execute(
          sql: "INSERT OR IGNORE INTO snapshots VALUES (?, ?, ?, 0, NULL)",
          arguments: [id, Data(manifest.bytes), chunks])
        return .commit
      }
    }
  }

  /// Keeps one chunk, so that fetching can go on after a crash.
  public func keep(chunk: [UInt8], at position: Int, of snapshot: Digest32) throws {
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        try insert(chunk, at: position, of: Data(snapshot.bytes), in: database)
        return .commit
      }
    }
  }

  /// Positions of the chunks still missing; nil where fetching was not begun.
  public func missingChunks(of snapshot: Digest32) throws -> [Int]? {
    try guarded("reading") {
      try queue.read { database in
        let id = Data(snapshot.bytes)
        let count = try Int.fetchOne(
          database, sql: "SELECT chunks FROM snapshots WHERE id = ?", arguments: [id])
        guard let count else { return nil }
        let held = try Set(
          Int.fetchAll(
            database, sql: "SELECT number FROM chunks WHERE snapshot = ?", arguments: [id]))
        return (0..<max(count, 0)).filter { !held.contains($0) }
      }
    }
  }

  /// A snapshot all of whose chunks were kept.
  public func fetched(_ snapshot: Digest32) throws -> SealedSnapshot? {
    try guarded("reading") {
      try queue.read { try self.snapshot(snapshot.bytes, in: $0) }
    }
  }

  /// Forgets what was fetched of a snapshot that is not to be used.
  public func dropFetched() throws {
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        try forget("NOT isCheckpoint", [], in: database)
        return .commit
      }
    }
  }

  func readCheckpoint(_ database: Database) throws -> StoredState.Checkpoint? {
    let row = try Row.fetchOne(
      database, sql: "SELECT id, manifest, heldSince FROM snapshots WHERE isCheckpoint")
    guard let row else { return nil }
    let id = try digest32(row.bytes(0))
    let manifest = try envelope(bytes: row.bytes(1), what: "the checkpoint")
    guard digest(manifest.bytes) == id else { throw damaged("the checkpoint") }
    var covered = manifest.header.covered
    for (device, head) in try readLowered(database) { covered[device] = head }
    return StoredState.Checkpoint(
      id: id, frontier: covered, epoch: manifest.header.epoch, heldSince: try row.value(2))
  }

  /// Devices whose chain went back behind what the checkpoint covers, and to where.
  private func readLowered(_ database: Database) throws -> [DeviceID: Head?] {
    try Row.fetchAll(database, sql: "SELECT device, sequence, hash FROM lowered")
      .reduce(into: [:]) { lowered, row in
        guard let sequence = UInt64(exactly: try row.value(1) as Int64) else {
          throw damaged("a sequence")
        }
        let hash: Data? = try row.value(2)
        let head = try hash.map { Head(sequence: sequence, hash: try digest32(Array($0))) }
        lowered.updateValue(head, forKey: try identifier(row.bytes(0)))
      }
  }

  /// The checkpoint no longer stands for commits of the device beyond the point it goes back to:
  /// they may become others.
  func lowerCheckpoint(to rewind: Transaction.Rewind, in database: Database) throws {
    let covered = try readCheckpoint(database)?.frontier.sequence(of: rewind.device) ?? 0
    guard covered > rewind.head?.sequence ?? 0 else { return }
    try database.execute(
      sql: "INSERT OR REPLACE INTO lowered VALUES (?, ?, ?)",
      arguments: [
        Data(rewind.device.bytes), Int64(clamping: rewind.head?.sequence ?? 0),
        rewind.head.map { Data($0.hash.bytes) },
      ])
  }

  /// Takes the place of the former checkpoint; the frontier moves to what it covers.
  func checkpoint(_ snapshot: SealedSnapshot, in database: Database) throws {
    let id = Data(digest(snapshot.manifest.bytes).bytes)
    try forget("id <> ?", [id], in: database)
    try database.execute(sql: "DELETE FROM lowered")
    try database.execute(
      sql: "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, 1, NULL)",
      arguments: [id, Data(snapshot.manifest.bytes), snapshot.chunks.count])
    for (position, chunk) in snapshot.chunks.enumerated() {
      try insert(chunk, at: position, of: id, in: database)
    }
    let held = try readFrontier(database)
    for (device, head) in snapshot.frontier.heads where head.sequence > held.sequence(of: device) {
      try setHead("frontier", device, head, in: database)
      try setHead("floors", device, head, in: database)
    }
  }

  /// Gives up commits the checkpoint covers, keeping their hashes.
  ///
  /// Throws ``StorageError/doesNotContinue(what:expected:found:)`` for one that is not proven to be
  /// covered: nothing is given up then.
  func prune(_ frontier: Frontier, in database: Database) throws {
    let covered = try readCheckpoint(database)?.frontier ?? Frontier()
    var floors = try readFloors(database)
    for (device, head) in frontier.heads where head.sequence > floors.sequence(of: device) {
      guard head.sequence <= covered.sequence(of: device),
        try hash(of: device, head.sequence, in: database) == head.hash,
        try isProven(covered[device], of: device, in: database)
      else {
        throw StorageError.doesNotContinue(
          what: "pruning of device \(device)", expected: covered.sequence(of: device),
          found: head.sequence)
      }
      floors[device] = head
      try setHead("floors", device, head, in: database)
    }
    for (device, head) in floors.heads {
      let arguments: StatementArguments = [Data(device.bytes), Int64(clamping: head.sequence)]
      try database.execute(
        sql: """
          INSERT OR IGNORE INTO hashes SELECT device, sequence, hash FROM commits
          WHERE device = ? AND sequence <= ?
          """, arguments: arguments)
      try database.execute(
        sql: "DELETE FROM commits WHERE device = ? AND sequence <= ?", arguments: arguments)
    }
  }

  private func isProven(
    _ head: Head?, of device: DeviceID, in database: Database
  ) throws -> Bool {
    guard let head else { return false }
    return try hash(of: device, head.sequence, in: database) == head.hash
  }

  private func insert(
    _ chunk: [UInt8], at position: Int, of id: Data, in database: Database
  ) throws {
    try database.execute(
      sql: "INSERT OR IGNORE INTO chunks (snapshot, number, hash, bytes) VALUES (?, ?, ?, ?)",
      arguments: [id, position, Data(digest(chunk).bytes), Data(chunk)])
  }

  private func forget(
    _ condition: String, _ arguments: StatementArguments, in database: Database
  ) throws {
    try database.execute(
      sql: "DELETE FROM chunks WHERE snapshot IN (SELECT id FROM snapshots WHERE \(condition))",
      arguments: arguments)
    try database.execute(sql: "DELETE FROM snapshots WHERE \(condition)", arguments: arguments)
  }

  /// nil while chunks are missing.
  private func snapshot(_ id: [UInt8], in database: Database) throws -> SealedSnapshot? {
    let row = try Row.fetchOne(
      database, sql: "SELECT manifest, chunks FROM snapshots WHERE id = ?", arguments: [Data(id)])
    guard let row else { return nil }
    let bytes = try row.bytes(0)
    guard digest(bytes).bytes == id else { throw damaged("a snapshot") }
    let count: Int = try row.value(1)
    var chunks: [[UInt8]] = []
    let rows = try Row.fetchCursor(
      database, sql: "SELECT number, hash, bytes FROM chunks WHERE snapshot = ? ORDER BY number",
      arguments: [Data(id)])
    while let row = try rows.next() {
      let chunk = try row.bytes(2)
      guard try row.value(0) == chunks.count else { return nil }
      guard try digest32(row.bytes(1)) == digest(chunk) else { throw damaged("a snapshot") }
      chunks.append(chunk)
    }
    guard chunks.count == count else { return nil }
    return SealedSnapshot(
      manifest: try envelope(bytes: bytes, what: "a snapshot"), chunks: chunks)
  }

  func envelope(bytes: [UInt8], what: String) throws -> Envelope {
    do {
      return try Envelope(bytes: bytes)
    } catch {
      throw damaged(what)
    }
  }
}
