import Foundation
import GRDB

/// Reads what can be read of a database that may be damaged anywhere; what cannot be is passed
/// over.
struct TolerantReader {
  /// Rows asked for at once; after a failure each of them is asked for alone.
  private static let batch: Int64 = 64
  /// 2,000 rows in a row that fail: beyond lies nothing that is worth the time.
  private static let patience: Int64 = 2_000

  /// nil where not even the header reads.
  private let queue: DatabaseQueue?

  init(_ path: String) {
    // SQLite would make a database where there is none.
    queue = SecureFile.exists(path) ? try? DatabaseFile.connect(path) : nil
  }

  func close() {
    // Nothing was written: a connection that does not close loses nothing.
    try? queue?.close()
  }

  /// The rows of a query until the first that fails.
  func rows(_ sql: String) -> [Row] {
    var rows: [Row] = []
    try? queue?.inDatabase { database in
      let cursor = try Row.fetchCursor(database, sql: sql)
      while let row = try cursor.next() { rows.append(row.copy()) }
    }
    return rows
  }

  /// Whether the query can be answered at all.
  func reads(_ sql: String) -> Bool {
    (try? queue?.inDatabase { try Row.fetchAll($0, sql: sql) }) != nil
  }

  /// Every row of a table that reads, by its integer key, in order.
  ///
  /// - Parameter body: gets the key and the row; what it throws ends the scan.
  func scan(
    _ table: String, key: String, columns: String, _ body: (Int64, Row) throws -> Void
  ) throws {
    guard let queue, !rows("SELECT 1 FROM sqlite_schema WHERE name = '\(table)'").isEmpty else {
      return
    }
    let select = "SELECT \(columns), \(key) FROM \"\(table)\" WHERE \(key)"
    var next: Int64 = 0
    var failures: Int64 = 0
    while failures < Self.patience, next < .max - Self.batch {
      let found = try? queue.inDatabase { database in
        try Row.fetchAll(
          database, sql: "\(select) >= ? ORDER BY \(key) LIMIT ?", arguments: [next, Self.batch])
      }
      // A damaged tree answers with rows that were not asked for as well: what lies before `next`
      // was read, and going on behind such a row would go round for ever.
      let asked = (found ?? []).compactMap { row in place(of: row).map { (place: $0, row: row) } }
        .filter { $0.place >= next }
      if let end = asked.last?.place {
        for (place, row) in asked { try body(place, row) }
        guard end < .max else { return }
        (next, failures) = (end + 1, 0)
        continue
      }
      if found?.isEmpty == true { return }
      for place in next..<(next + Self.batch) {
        let row = try? queue.inDatabase {
          try Row.fetchOne($0, sql: "\(select) = ?", arguments: [place])
        }
        guard let row else {
          failures += 1
          continue
        }
        failures = 0
        try body(place, row)
      }
      next += Self.batch
    }
  }

  private func place(of row: Row) -> Int64? { try? row.value(row.count - 1) }
}
