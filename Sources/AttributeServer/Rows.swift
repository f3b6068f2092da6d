import Foundation
import GRDB
import Wire

extension Database {
  /// The first row of a query whose statement is compiled once.
  func row(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
    try Row.fetchOne(try cachedStatement(sql: sql), arguments: arguments)
  }

  func rows(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
    try Row.fetchAll(try cachedStatement(sql: sql), arguments: arguments)
  }

  func run(_ sql: String, _ arguments: StatementArguments = []) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }
}

/// Only a damaged file holds a value of another type, sign or length; the library's subscript would
/// end the process there.
extension Row {
  func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
    do {
      return try decode(Value.self, forColumn: column)
    } catch {
      throw Self.damaged("a value has another type")
    }
  }

  /// Nil for NULL.
  func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
    do {
      return try decode(Value?.self, forColumn: column)
    } catch {
      throw Self.damaged("a value has another type")
    }
  }

  /// A number that counts from 0.
  func count(_ column: String) throws -> UInt64 {
    guard let count = UInt64(exactly: try value(column) as Int64) else {
      throw Self.damaged("a number is negative")
    }
    return count
  }

  func bytes(_ column: String) throws -> [UInt8] {
    Array(try value(column) as Data)
  }

  func identifier<Kind: IdentifierKind>(_ column: String) throws -> Identifier<Kind> {
    guard let id = Identifier<Kind>(bytes: try bytes(column)) else {
      throw Self.damaged("a value has a wrong length")
    }
    return id
  }

  func digest(_ column: String) throws -> Digest32 {
    guard let digest = Digest32(bytes: try bytes(column)) else {
      throw Self.damaged("a value has a wrong length")
    }
    return digest
  }

  private static func damaged(_ what: String) -> DatabaseError {
    DatabaseError(resultCode: .SQLITE_CORRUPT, message: what)
  }
}
