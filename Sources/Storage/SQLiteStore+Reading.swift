import Foundation
import GRDB
public import Sync
public import Wire

extension SQLiteStore {
  public func load() throws -> StoredState {
    try guarded("reading") {
      try queue.read { database in
        var state = StoredState()
        state.frontier = try readFrontier(database)
        (state.serverFrontier, state.generation) = try readServer(database)
        state.records = try readRecords(database)
        state.settled = try readSettled(database)
        state.notices = try readNotices(database)
        return state
      }
    }
  }

  func readFrontier(_ database: Database) throws -> Frontier {
    var frontier = Frontier()
    let rows = try Row.fetchCursor(database, sql: "SELECT device, sequence, hash FROM frontier")
    while let row = try rows.next() {
      frontier[try identifier(row.bytes(0))] = Head(
        sequence: try sequence(row.value(1)), hash: try digest32(row.bytes(2)))
    }
    return frontier
  }

  func readServer(_ database: Database) throws -> (Frontier, String?) {
    guard
      let row = try Row.fetchOne(database, sql: "SELECT frontier, generation FROM server")
    else { return (Frontier(), nil) }
    do {
      let frontier = try JSONDecoder().decode(Frontier.self, from: Data(row.bytes(0)))
      return (frontier, try row.decode(String?.self, atIndex: 1))
    } catch is DecodingError {
      throw damaged("the server's frontier does not read")
    }
  }

  private func readRecords(_ database: Database) throws -> [MembershipRecord] {
    let rows = try Row.fetchAll(
      database, sql: "SELECT number, hash, record FROM membership ORDER BY number")
    return try rows.enumerated().map { place, row in
      let bytes = try row.bytes(2)
      guard try row.value(0) == place, try digest32(row.bytes(1)) == digest(bytes) else {
        throw damaged("membership record \(place)")
      }
      do {
        return try MembershipRecord(bytes: bytes)
      } catch {
        throw damaged("membership record \(place)")
      }
    }
  }

  private func readSettled(_ database: Database) throws -> [SettledRow] {
    try Row.fetchAll(database, sql: "SELECT context, sealed FROM settled ORDER BY place")
      .map { SettledRow(context: try identifier($0.bytes(0)), sealed: try $0.bytes(1)) }
  }

  private func readNotices(_ database: Database) throws -> [Notice] {
    try Row.fetchAll(database, sql: "SELECT code, text, at, isAlarm FROM notices ORDER BY place")
      .map {
        Notice(
          code: try $0.value(0), text: try $0.value(1), at: try $0.value(2),
          isAlarm: try $0.value(3))
      }
  }

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
    for (device, head) in try readFrontier(database).heads
    where head.sequence > frontier.sequence(of: device) {
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT place, length(envelope) FROM commits
          WHERE device = ? AND sequence > ? ORDER BY sequence LIMIT ?
          """,
        arguments: [
          Data(device.bytes), Int64(clamping: frontier.sequence(of: device)),
          max(count, 1),
        ])
      let before = places.count
      while let row = try rows.next() { places.append((try row.value(0), try row.value(1))) }
      let lacking = head.sequence - frontier.sequence(of: device)
      guard places.count - before == min(lacking, UInt64(max(count, 1))) else {
        throw damaged("commits of device \(device) are gone")
      }
    }
    return places
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
  /// those of each device must count from 1 to the frontier.
  public func forEachCommit(_ body: (Envelope) throws -> Void) throws {
    var last: Int64 = 0
    var seen: [DeviceID: UInt64] = [:]
    while true {
      let batch = try commits(after: last)
      guard let end = batch.last else { break }
      last = end.place
      for commit in batch {
        let header = commit.envelope.header
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

  private func identifier<Kind>(_ bytes: [UInt8]) throws -> Identifier<Kind> {
    guard let id = Identifier<Kind>(bytes: bytes) else { throw damaged("an id") }
    return id
  }

  func digest32(_ bytes: [UInt8]) throws -> Digest32 {
    guard let digest = Digest32(bytes: bytes) else { throw damaged("a hash") }
    return digest
  }

  private func sequence(_ value: Int64) throws -> UInt64 {
    guard let sequence = UInt64(exactly: value) else { throw damaged("a sequence") }
    return sequence
  }
}

extension Row {
  /// A column's value; throws where GRDB's subscript would stop the program.
  func value<Value: DatabaseValueConvertible>(_ column: Int) throws -> Value {
    try decode(Value.self, atIndex: column)
  }

  func bytes(_ column: Int) throws -> [UInt8] {
    Array(try decode(Data.self, atIndex: column))
  }
}
