import Foundation
import GRDB
public import Sync
import Synchronization
public import Wire

/// The log, the membership chain and what hangs on them, in one SQLite file of one process.
///
/// The database has one connection (SQLite 3.40 has a WAL bug with several), a write-ahead
/// log and `synchronous = FULL`: when ``write(_:)`` returns, a power cut no longer undoes it. A
/// ``ProfileLock`` must be held as long as the store lives.
///
/// Everything here is sealed or public before it comes: nothing on disk needs to be hidden again.
public final class SQLiteStore: Store {
  public enum Opening: Sendable {
    /// The database must be there: an empty one in its place would make a device that forgot its
    /// commits and give their numbers out again.
    case existing
    /// The database must not be there.
    case new
  }

  /// 500: more than anyone reads; alarms are kept however many they are.
  static let notices = 500
  /// 1000: a server that goes on lying adds no more proof.
  static let evidence = 1000
  /// Commits read at once by ``forEachCommit(_:)``; at 256 KiB each 16 MiB at the most.
  static let batch = 64

  let path: String
  let queue: DatabaseQueue
  let digest: @Sendable ([UInt8]) -> Digest32
  /// GRDB ends the process when a closed connection is used.
  private let isClosed = Mutex(false)

  /// - Parameter digest: SHA-256.
  ///
  /// Throws ``StorageError/missing(path:)``, ``StorageError/corrupted(path:detail:)`` (also for a
  /// file of another program), ``StorageError/newerVersion(path:found:supported:)``,
  /// ``StorageError/insecure(path:reason:)``. After an unclean stop the whole file is checked.
  public convenience init(
    path: String, opening: Opening = .existing, digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws {
    try self.init(path: path, opening: opening, schema: .current, digest: digest)
  }

  init(
    path: String, opening: Opening, schema: Schema,
    digest: @escaping @Sendable ([UInt8]) -> Digest32
  ) throws {
    self.path = path
    self.digest = digest
    if opening == .new { try DatabaseFile.make(path, schema: schema) }
    queue = try DatabaseFile.open(path, schema: schema, digest: digest)
  }

  /// Empties the write-ahead log and marks the stop as clean, so that the next start is quick.
  /// The store must not be used afterwards.
  public func close() throws {
    try guarded("closing") {
      try queue.inDatabase { try DatabaseFile.markStop($0, clean: true) }
      try queue.close()
    }
    markClosed()
  }

  func markClosed() { isClosed.withLock { $0 = true } }

  /// The identity this device took when it was replaced; nil while it has the one of its profile.
  public func device() throws -> DeviceID? {
    try guarded("reading") {
      try queue.read {
        try Data.fetchOne($0, sql: "SELECT device FROM identity").map { try identifier(Array($0)) }
      }
    }
  }

  /// What contradicts the log, as it was shown.
  public func evidence() throws -> [Envelope] {
    try guarded("reading") {
      try queue.read { database in
        try Data.fetchAll(database, sql: "SELECT envelope FROM evidence ORDER BY place")
          .map { try envelope(bytes: Array($0), what: "evidence") }
      }
    }
  }

  /// Runs `body` and tells its failures as ours.
  func guarded<Result>(_ operation: String, _ body: () throws -> Result) throws -> Result {
    guard !isClosed.withLock({ $0 }) else { throw StorageError.closed(path: path) }
    do {
      return try body()
    } catch let error as DatabaseError {
      throw DatabaseFile.failure(error, path: path, operation: operation)
    } catch is RowDecodingError {
      throw damaged("a column has another type")
    }
  }

  func damaged(_ detail: String) -> StorageError {
    .corrupted(path: path, detail: detail)
  }
}

// MARK: Sealed rows

extension SQLiteStore {
  /// Bytes the application sealed and keeps beside the log: the signal log, drafts.
  public func row(_ name: String) throws -> [UInt8]? {
    try guarded("reading") {
      try queue.read {
        try Data.fetchOne(
          $0, sql: "SELECT bytes FROM sealedRows WHERE name = ?", arguments: [name]
        ).map(Array.init)
      }
    }
  }

  /// Replaces the row; nil removes it.
  public func setRow(_ name: String, _ bytes: [UInt8]?) throws {
    try guarded("writing") {
      try queue.inTransaction(.immediate) { database in
        if let bytes {
          try database.execute(
            sql: "INSERT OR REPLACE INTO sealedRows VALUES (?, ?)",
            arguments: [name, Data(bytes)])
        } else {
          try database.execute(sql: "DELETE FROM sealedRows WHERE name = ?", arguments: [name])
        }
        return .commit
      }
    }
  }
}
