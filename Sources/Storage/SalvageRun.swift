import Foundation
import GRDB
import Sync
import Wire

/// Copies what still reads of a damaged database into a new one, checking every commit, record and
/// chunk by its hash.
struct SalvageRun {
  private let source: TolerantReader
  private let aside: String
  private let path: String
  private let device: DeviceID
  private let now: Int64
  private let digest: @Sendable ([UInt8]) -> Digest32

  /// - Parameter path: where the new database is made; nothing may be there.
  init(
    from aside: String, to path: String, device: DeviceID, now: Int64,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) {
    source = TolerantReader(aside)
    self.aside = aside
    self.path = path
    self.device = device
    self.now = now
    self.digest = digest
  }

  func run() throws -> Salvage {
    let target = try SQLiteStore(path: path, opening: .new, digest: digest)
    let salvage = try target.guarded("salvaging") {
      var salvage: Salvage?
      try target.queue.inTransaction(.immediate) { database in
        try copyRecords(to: database)
        let covered = try copyCheckpoint(to: database)
        let frontier = try copyCommits(beyond: covered, to: database)
        let server = try copyServer(to: database)
        try copyRows(to: database)
        let found = judge(frontier, server: server)
        let notice = found.notice(at: now)
        try database.execute(
          sql: "INSERT INTO notices (code, text, at, isAlarm) VALUES (?, ?, ?, 0)",
          arguments: [notice.code, notice.text, notice.at])
        try database.execute(sql: "INSERT OR REPLACE INTO meta VALUES ('isUncertain', 1)")
        salvage = found
        return .commit
      }
      return salvage
    }
    source.close()
    try target.close()
    guard let salvage else {
      throw StorageError.corrupted(path: aside, detail: "it cannot be salvaged")
    }
    return salvage
  }

  private func judge(_ kept: Frontier, server: Frontier) -> Salvage {
    var had = server
    for row in source.rows("SELECT device, sequence, hash FROM frontier") {
      guard let (author, head) = entry(row) else { continue }
      if head.sequence > had.sequence(of: author) { had[author] = head }
    }
    let missing = had.heads.reduce(into: UInt64(0)) { sum, entry in
      let held = kept.sequence(of: entry.key)
      if entry.value.sequence > held { sum += entry.value.sequence - held }
    }
    let (own, safe) = (
      had.sequence(of: device), max(kept.sequence(of: device), server.sequence(of: device))
    )
    return Salvage(
      damagedFile: SecureFile.exists(aside) ? aside : nil,
      kept: kept.heads.values.reduce(0) { $0 + $1.sequence },
      missing: had.heads.isEmpty ? nil : missing, unsent: own > safe ? own - safe : 0)
  }

  private func entry(_ row: Row) -> (DeviceID, Head)? {
    guard let device = row.blob(0).flatMap({ DeviceID(bytes: $0) }),
      let sequence = row.integer(1).flatMap({ UInt64(exactly: $0) }),
      let hash = row.blob(2).flatMap({ Digest32(bytes: $0) })
    else { return nil }
    return (device, Head(sequence: sequence, hash: hash))
  }

  /// The chain up to the first record that does not read.
  private func copyRecords(to database: Database) throws {
    var next: Int64 = 0
    var previous = Digest32.zero
    try source.scan("membership", key: "number", columns: "hash, record") { number, row in
      guard number == next, let bytes = row.blob(1),
        let record = try? MembershipRecord(bytes: bytes),
        row.blob(0) == digest(bytes).bytes, record.previous == previous
      else { return }
      previous = digest(bytes)
      try database.execute(
        sql: "INSERT INTO membership VALUES (?, ?, ?)",
        arguments: [number, Data(previous.bytes), Data(bytes)])
      next += 1
    }
  }

  /// The checkpoint if all of it reads; what it covers.
  private func copyCheckpoint(to database: Database) throws -> Frontier {
    let rows = source.rows(
      "SELECT id, manifest, chunks, heldSince FROM snapshots WHERE isCheckpoint")
    for row in rows {
      guard let id = row.blob(0), let bytes = row.blob(1), digest(bytes).bytes == id,
        let manifest = try? Envelope(bytes: bytes), let count = row.integer(2)
      else { continue }
      var found = Set<Int64>()
      try source.scan("chunks", key: "place", columns: "snapshot, number, hash, bytes") { _, row in
        guard row.blob(0) == id, let number = row.integer(1), let chunk = row.blob(3),
          let hash = row.blob(2), digest(chunk).bytes == hash, found.insert(number).inserted
        else { return }
        try database.execute(
          sql: "INSERT INTO chunks (snapshot, number, hash, bytes) VALUES (?, ?, ?, ?)",
          arguments: [Data(id), number, Data(hash), Data(chunk)])
      }
      guard found == Set(0..<max(count, 0)) else {
        try database.execute(sql: "DELETE FROM chunks")
        continue
      }
      try database.execute(
        sql: "INSERT INTO snapshots VALUES (?, ?, ?, 1, ?)",
        arguments: [Data(id), Data(bytes), count, row.integer(3)])
      return try copyLowered(manifest.header.covered, to: database)
    }
    return Frontier()
  }

  /// What the checkpoint stands for, less what went back since.
  private func copyLowered(_ covered: Frontier, to database: Database) throws -> Frontier {
    var covered = covered
    for row in source.rows("SELECT device, sequence, hash FROM lowered") {
      guard let device = row.blob(0).flatMap({ DeviceID(bytes: $0) }),
        let sequence = row.integer(1)
      else { continue }
      let head = entry(row)?.1
      covered[device] = head
      try database.execute(
        sql: "INSERT OR REPLACE INTO lowered VALUES (?, ?, ?)",
        arguments: [
          Data(device.bytes), head == nil ? 0 : sequence, head.map { Data($0.hash.bytes) },
        ])
    }
    return covered
  }

  /// Commits in their old order, of each device those that continue what is covered without a gap,
  /// and none whose dependencies are missing.
  private func copyCommits(beyond covered: Frontier, to database: Database) throws -> Frontier {
    var frontier = covered
    try source.scan("commits", key: "place", columns: "hash, envelope") { _, row in
      guard let bytes = row.blob(1), row.blob(0) == digest(bytes).bytes,
        let envelope = try? Envelope(bytes: bytes)
      else { return }
      let header = envelope.header
      let head = frontier[header.device]
      let isCovered = header.sequence <= covered.sequence(of: header.device)
      let follows =
        header.sequence == (head?.sequence ?? 0) + 1 && header.previous == (head?.hash ?? .zero)
        && header.dependencies.heads.allSatisfy {
          frontier.sequence(of: $0.key) >= $0.value.sequence
        }
      guard isCovered || follows else { return }
      let hash = digest(bytes)
      try database.execute(
        sql: "INSERT OR IGNORE INTO commits (device, sequence, hash, envelope) VALUES (?, ?, ?, ?)",
        arguments: [
          Data(header.device.bytes), Int64(clamping: header.sequence), Data(hash.bytes),
          Data(bytes),
        ])
      if follows { frontier[header.device] = Head(sequence: header.sequence, hash: hash) }
    }
    for (table, heads) in [("floors", covered.heads), ("frontier", frontier.heads)] {
      for (author, head) in heads {
        try database.execute(
          sql: "INSERT INTO \(table) VALUES (?, ?, ?)",
          arguments: [
            Data(author.bytes), Int64(clamping: head.sequence), Data(head.hash.bytes),
          ])
      }
    }
    return frontier
  }

  private func copyServer(to database: Database) throws -> Frontier {
    guard let row = source.rows("SELECT frontier, generation FROM server").first,
      let bytes = row.blob(0),
      let frontier = try? JSONDecoder().decode(Frontier.self, from: Data(bytes))
    else { return Frontier() }
    try database.execute(
      sql: "INSERT INTO server VALUES (1, ?, ?)", arguments: [Data(bytes), row.text(1)])
    return frontier
  }

  /// What is sealed or short. A sealed row that is not what its hash says could not be opened, and
  /// would keep everything else from being opened.
  private func copyRows(to database: Database) throws {
    for (table, key) in [("settled", "context"), ("drafts", "id")] {
      // Version 1 had none.
      let hasHash = source.reads("SELECT hash FROM \(table) LIMIT 1")
      let columns = "\(key), sealed" + (hasHash ? ", hash" : "")
      try source.scan(table, key: "place", columns: columns) { _, row in
        guard let id = row.blob(0), let sealed = row.blob(1) else { return }
        let hash = digest(sealed).bytes
        guard !hasHash || row.blob(2) == nil || row.blob(2) == hash else { return }
        try database.execute(
          sql: "INSERT OR IGNORE INTO \(table) (\(key), sealed, hash) VALUES (?, ?, ?)",
          arguments: [Data(id), Data(sealed), Data(hash)])
      }
    }
    try source.scan("notices", key: "place", columns: "code, text, at, isAlarm") { _, row in
      guard let code = row.text(0), let text = row.text(1), let at = row.integer(2),
        let isAlarm = row.integer(3)
      else { return }
      try database.execute(
        sql: "INSERT INTO notices (code, text, at, isAlarm) VALUES (?, ?, ?, ?)",
        arguments: [code, text, at, isAlarm])
    }
    try source.scan("evidence", key: "place", columns: "hash, envelope, at") { _, row in
      guard let hash = row.blob(0), let bytes = row.blob(1), digest(bytes).bytes == hash,
        let at = row.integer(2)
      else { return }
      try database.execute(
        sql: "INSERT OR IGNORE INTO evidence (hash, envelope, at) VALUES (?, ?, ?)",
        arguments: [Data(hash), Data(bytes), at])
    }
    for row in source.rows("SELECT name, bytes FROM sealedRows") {
      guard let name = row.text(0), let bytes = row.blob(1) else { continue }
      try database.execute(
        sql: "INSERT OR REPLACE INTO sealedRows VALUES (?, ?)", arguments: [name, Data(bytes)])
    }
    if let bytes = source.rows("SELECT device FROM identity").first?.blob(0),
      DeviceID(bytes: bytes) != nil
    {
      try database.execute(sql: "INSERT INTO identity VALUES (1, ?)", arguments: [Data(bytes)])
    }
  }
}

extension Row {
  /// A column's value, nil for one of another type: a damaged row may hold anything.
  fileprivate func blob(_ column: Int) -> [UInt8]? { (try? bytes(column)) ?? nil }
  fileprivate func text(_ column: Int) -> String? { try? value(column) }
  fileprivate func integer(_ column: Int) -> Int64? { try? value(column) }
}
