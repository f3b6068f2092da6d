import Foundation
import GRDB
public import Sync
public import Wire

/// The commits.
extension SQLiteStore {
  public func commits(beyond frontier: Frontier, count: Int, bytes: Int) throws -> [Envelope] {
    try guarded("reading") {
      try queue.read { database in
        var places = try missing(from: frontier, count: count, in: database)
        places.sort { $0.place < $1.place }
        var total = 0
        let chosen = places.prefix(max(count, 1)).prefix {
          total += $0.size
          return total <= bytes || total == $0.size
        }
        return try chosen.map { try envelope(at: $0.place, in: database) }
      }
    }
  }

  /// Where the commits are that `frontier` lacks, at most `count` of each device: reads the index,
  /// not the log.
  private func missing(
    from frontier: Frontier, count: Int, in database: Database
  ) throws -> [(place: Int64, size: Int)] {
    var places: [(place: Int64, size: Int)] = []
    let floors = try readFloors(database)
    for (device, head) in try readFrontier(database).heads
    where head.sequence > frontier.sequence(of: device) {
      places += try run(
        of: device, after: frontier.sequence(of: device), to: head.sequence,
        floor: floors.sequence(of: device), count: max(count, 1), in: database)
    }
    return places
  }

  /// The commits that follow `start` one by one, at most `count`; fewer where the floor hides them.
  private func run(
    of device: DeviceID, after start: UInt64, to end: UInt64, floor: UInt64, count: Int,
    in database: Database
  ) throws -> [(place: Int64, size: Int)] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT place, length(envelope), sequence FROM commits
        WHERE device = ? AND sequence > ? ORDER BY sequence LIMIT ?
        """,
      arguments: [Data(device.bytes), Int64(clamping: start), count])
    var places: [(place: Int64, size: Int)] = []
    var next = start + 1
    while let row = try rows.next(), try row.value(2) == Int64(clamping: next) {
      places.append((try row.value(0), try row.value(1)))
      next += 1
    }
    guard places.count == count || next > end || next <= floor else {
      throw damaged("commits of device \(device) are gone")
    }
    return places
  }

  /// The commits of one device after a sequence, as far as they are in the log.
  public func commits(of device: DeviceID, beyond sequence: UInt64) throws -> [Envelope] {
    try guarded("reading") {
      try queue.read { database in
        try Row.fetchAll(
          database,
          sql: """
            SELECT place, hash, envelope FROM commits
            WHERE device = ? AND sequence > ? ORDER BY sequence
            """,
          arguments: [Data(device.bytes), Int64(clamping: sequence)]
        ).map { try envelope($0) }
      }
    }
  }

  private func envelope(at place: Int64, in database: Database) throws -> Envelope {
    guard
      let row = try Row.fetchOne(
        database, sql: "SELECT place, hash, envelope FROM commits WHERE place = ?",
        arguments: [place])
    else { throw damaged("commit \(place) is gone") }
    return try envelope(row)
  }

  private func envelope(_ row: Row) throws -> Envelope {
    let (place, bytes): (Int64, [UInt8]) = (try row.value(0), try row.bytes(2))
    guard try digest32(row.bytes(1)) == digest(bytes) else { throw damaged("commit \(place)") }
    do {
      return try Envelope(bytes: bytes)
    } catch {
      throw damaged("commit \(place)")
    }
  }

  /// `body` may use the store: what it adds comes at the end.
  ///
  /// Throws ``StorageError/corrupted(path:detail:)`` also when commits are gone without a trace:
  /// those of each device must count from the checkpoint to the frontier.
  public func forEachCommit(_ body: (Envelope) throws -> Void) throws {
    let (base, start) = try guarded("reading") {
      try queue.read { database in
        let base = try readCheckpoint(database)?.frontier ?? Frontier()
        return (base, try firstPlace(beyond: base, in: database))
      }
    }
    var last = start - 1
    var seen = base.heads.mapValues(\.sequence)
    while true {
      let batch = try commits(after: last)
      guard let end = batch.last else { break }
      last = end.place
      for commit in batch {
        let header = commit.envelope.header
        guard header.sequence > base.sequence(of: header.device) else { continue }
        guard header.sequence == seen[header.device, default: 0] + 1 else {
          throw damaged("commits of device \(header.device) are gone")
        }
        seen[header.device] = header.sequence
        try body(commit.envelope)
      }
    }
    let frontier = try guarded("reading") { try queue.read { try readFrontier($0) } }
    guard frontier.heads.mapValues(\.sequence) == seen else {
      throw damaged("the log and the frontier disagree")
    }
  }

  private func firstPlace(beyond base: Frontier, in database: Database) throws -> Int64 {
    var first = Int64.max
    for device in try readFrontier(database).heads.keys {
      let place = try Int64.fetchOne(
        database,
        sql: """
          SELECT place FROM commits WHERE device = ? AND sequence > ? ORDER BY sequence LIMIT 1
          """,
        arguments: [Data(device.bytes), Int64(clamping: base.sequence(of: device))])
      first = min(first, place ?? .max)
    }
    return first
  }

  private func commits(after place: Int64) throws -> [(place: Int64, envelope: Envelope)] {
    try guarded("reading") {
      try queue.read { database in
        try Row.fetchAll(
          database,
          sql: "SELECT place, hash, envelope FROM commits WHERE place > ? ORDER BY place LIMIT ?",
          arguments: [place, Self.batch]
        ).map { (try $0.value(0), try envelope($0)) }
      }
    }
  }

  public func hash(of device: DeviceID, at sequence: UInt64) throws -> Digest32? {
    try guarded("reading") { try queue.read { try hash(of: device, sequence, in: $0) } }
  }

  public func digests(at places: Set<CommitPlace>) throws -> [CommitPlace: Digest32] {
    guard !places.isEmpty else { return [:] }
    return try guarded("reading") {
      try queue.read { database in
        try places.reduce(into: [:]) { digests, place in
          digests[place] = try hash(of: place.device, place.sequence, in: database)
        }
      }
    }
  }

  /// Looks among the commits, the pruned ones, and what a snapshot vouched for.
  func hash(
    of device: DeviceID, _ sequence: UInt64, in database: Database
  ) throws -> Digest32? {
    for table in ["commits", "hashes", "floors"] {
      let found = try Data.fetchOne(
        database, sql: "SELECT hash FROM \(table) WHERE device = ? AND sequence = ?",
        arguments: [Data(device.bytes), Int64(clamping: sequence)])
      if let found { return try digest32(Array(found)) }
    }
    return nil
  }
}
