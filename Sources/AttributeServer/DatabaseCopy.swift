import Foundation
import GRDB
import GRDBSQLite

/// A copy of a database that is made while it is used, some pages at a time, by the one connection
/// that writes it.
///
/// SQLite carries what that connection writes between two steps over to the copy, so the copy is
/// the database of the moment the last step ends. A second connection would do the same and bring
/// in the WAL fault that ``ServerDatabaseFile`` describes. (sqlite.org/c3ref/backup_finish.html)
///
/// `@unchecked Sendable`: every use is by the one task that copies, inside
/// ``ServerDatabase/perform(_:)``, which runs one closure at a time on the source's own thread; so
/// is the last, ``close()``.
final class DatabaseCopy: @unchecked Sendable {
  private let path: String
  private var destination: OpaquePointer?
  private var backup: OpaquePointer?

  /// Begins to copy `source` into the empty file at `path`.
  init(of source: Database, to path: String) throws {
    self.path = path
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(path, &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK, let opened else {
      sqlite3_close(opened)
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the copy does not open")
    }
    destination = opened
    backup = sqlite3_backup_init(opened, "main", source.sqliteConnection, "main")
    guard backup != nil else {
      let message = String(cString: sqlite3_errmsg(opened))
      sqlite3_close(opened)
      throw DatabaseError(resultCode: .SQLITE_ERROR, message: message)
    }
  }

  /// Gives up what is not finished. Never left to `deinit`, which could run on another thread while
  /// the source is used.
  func close() {
    sqlite3_backup_finish(backup)
    backup = nil
    sqlite3_close(destination)
    destination = nil
  }

  /// Copies that many pages; false when all are copied.
  func step(pages: Int) throws -> Bool {
    switch sqlite3_backup_step(backup, Int32(clamping: pages)) {
    case SQLITE_DONE: return false
    // Another program looks at the file: the next step tries again.
    case SQLITE_OK, SQLITE_BUSY, SQLITE_LOCKED: return true
    case let code: throw failure(code)
    }
  }

  /// Ends the copy and makes it one file that needs no log beside it.
  func finish() throws {
    let code = sqlite3_backup_finish(backup)
    backup = nil
    guard code == SQLITE_OK else { throw failure(code) }
    let mode = sqlite3_exec(destination, "PRAGMA journal_mode = DELETE", nil, nil, nil)
    guard mode == SQLITE_OK else { throw failure(mode) }
  }

  private func failure(_ code: Int32) -> DatabaseError {
    DatabaseError(
      resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errstr(code)))
  }
}

extension ServerDatabase {
  /// 1 MiB of pages of 4 KiB: a few milliseconds, for which a request waits at the most.
  private static let pagesPerStep = 256

  /// Copies the database into the empty file at `path` while requests go on between the steps.
  func copy(to path: String) async throws(AttributeServerError) {
    do {
      let copy = try await perform { database in
        try database.writeWithoutTransaction { try DatabaseCopy(of: $0, to: path) }
      }
      do {
        try await finish(copy)
      } catch {
        try await close(copy)
        throw error
      }
      try await close(copy)
      try ServerDatabaseFile.flush(path)
    } catch is CancellationError {
      throw .backupFailed(path: path, reason: "the server stopped")
    } catch let error as AttributeServerError {
      throw error
    } catch let error as DatabaseError {
      throw error.resultCode == .SQLITE_FULL
        ? .diskFull(path: path)
        : .backupFailed(path: path, reason: error.message ?? "\(error.resultCode)")
    } catch {
      throw .backupFailed(path: path, reason: "\(type(of: error))")
    }
  }

  private func finish(_ copy: DatabaseCopy) async throws {
    var more = true
    while more {
      try Task.checkCancellation()
      more = try await perform { database in
        try database.writeWithoutTransaction { _ in try copy.step(pages: Self.pagesPerStep) }
      }
    }
    try await perform { database in
      try database.writeWithoutTransaction { _ in try copy.finish() }
    }
  }

  private func close(_ copy: DatabaseCopy) async throws {
    try await perform { database in
      database.writeWithoutTransaction { _ in copy.close() }
    }
  }
}
