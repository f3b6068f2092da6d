import Foundation
import GRDB
public import Sync
import Wire

extension SQLiteStore {
  public func load() throws -> StoredState {
    try guarded("reading") {
      try queue.read { database in
        var state = StoredState()
        state.frontier = try readFrontier(database)
        (state.serverFrontier, state.generation) = try readServer(database)
        state.records = try readRecords(database)
        state.ending = try readEnding(database)
        state.settled = try readSettled(database)
        state.drafts = try readDrafts(database)
        state.notices = try readNotices(database)
        state.checkpoint = try readCheckpoint(database)
        (state.logCommits, state.logBytes) = try measureLog(
          state.frontier, beyond: state.checkpoint?.frontier ?? Frontier(), in: database)
        state.floor = try readFloors(database)
        state.isUncertain = try flag("isUncertain", in: database)
        state.unanswered = try readUnanswered(database)
        // Damaged, they are shown by the server again.
        state.learned = (try? readRow(Self.learnedRow, in: database)) ?? []
        state.forgotten = try readRow(Self.forgottenRow, in: database)
        return state
      }
    }
  }

  func readFrontier(_ database: Database) throws -> Frontier {
    try readHeads("frontier", database)
  }

  /// Up to where commits may be missing from the log, because a snapshot that is held covers them.
  func readFloors(_ database: Database) throws -> Frontier { try readHeads("floors", database) }

  private func readHeads(_ table: String, _ database: Database) throws -> Frontier {
    var frontier = Frontier()
    let rows = try Row.fetchCursor(database, sql: "SELECT device, sequence, hash FROM \(table)")
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

  private func readEnding(_ database: Database) throws -> MembershipRecord? {
    guard
      let bytes = try Data.fetchOne(
        database, sql: "SELECT bytes FROM sealedRows WHERE name = 'ending'")
    else { return nil }
    do {
      return try MembershipRecord(bytes: Array(bytes))
    } catch {
      throw damaged("the record of the account's end")
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
    try Row.fetchAll(database, sql: "SELECT context, sealed, hash FROM settled ORDER BY place")
      .map { SettledRow(context: try identifier($0.bytes(0)), sealed: try sealed($0, "an edit")) }
  }

  private func readDrafts(_ database: Database) throws -> [DraftRow] {
    try Row.fetchAll(database, sql: "SELECT id, sealed, hash FROM drafts ORDER BY place")
      .map { DraftRow(id: try identifier($0.bytes(0)), sealed: try sealed($0, "a draft")) }
  }

  /// What is sealed shows damage only when it is opened, too late to salvage the rest.
  private func sealed(_ row: Row, _ what: String) throws -> [UInt8] {
    let bytes = try row.bytes(1)
    let hash: Data? = try row.value(2)
    guard hash.map({ Array($0) == digest(bytes).bytes }) ?? true else { throw damaged(what) }
    return bytes
  }

  /// How many commits lie beyond a frontier, and their bytes: reads the index and lengths only.
  private func measureLog(
    _ frontier: Frontier, beyond base: Frontier, in database: Database
  ) throws -> (commits: Int, bytes: Int) {
    var (commits, bytes) = (0, 0)
    for device in frontier.heads.keys {
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT count(*), coalesce(sum(length(envelope)), 0) FROM commits
          WHERE device = ? AND sequence > ?
          """,
        arguments: [Data(device.bytes), Int64(clamping: base.sequence(of: device))])
      guard let row else { continue }
      commits += try row.value(0)
      bytes += try row.value(1)
    }
    return (commits, bytes)
  }

  func flag(_ name: String, in database: Database) throws -> Bool {
    try Bool.fetchOne(database, sql: "SELECT value FROM meta WHERE name = ?", arguments: [name])
      ?? false
  }

  /// The names of the rows of membership records that wait, and of those of lists that gave way;
  /// they are signed, not sealed.
  static let learnedRow = "learned"
  static let forgottenRow = "forgotten"

  private func readRow(_ name: String, in database: Database) throws -> [MembershipRecord] {
    let row = try Data.fetchOne(
      database, sql: "SELECT bytes FROM sealedRows WHERE name = ?", arguments: [name])
    guard let row else { return [] }
    do {
      return try JSONDecoder().decode([Blob].self, from: row)
        .map { try MembershipRecord(bytes: $0.bytes) }
    } catch {
      throw damaged("the \(name) membership records")
    }
  }

  private func readUnanswered(_ database: Database) throws -> Unanswered {
    try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'unansweredSince'")
      .map { .since($0) } ?? .nothing
  }

  private func readNotices(_ database: Database) throws -> [Notice] {
    try Row.fetchAll(database, sql: "SELECT code, text, at, isAlarm FROM notices ORDER BY place")
      .map {
        Notice(
          code: try $0.value(0), text: try $0.value(1), at: try $0.value(2),
          isAlarm: try $0.value(3))
      }
  }

  func identifier<Kind>(_ bytes: [UInt8]) throws -> Identifier<Kind> {
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
