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

extension Row {
  func bytes(_ column: String) -> [UInt8] {
    Array(self[column] as Data)
  }

  /// Throws for a blob of another length: only a damaged file holds one.
  func identifier<Kind: IdentifierKind>(_ column: String) throws -> Identifier<Kind> {
    guard let id = Identifier<Kind>(bytes: bytes(column)) else { throw Self.damaged }
    return id
  }

  func digest(_ column: String) throws -> Digest32 {
    guard let digest = Digest32(bytes: bytes(column)) else { throw Self.damaged }
    return digest
  }

  private static var damaged: DatabaseError {
    DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a value has a wrong length")
  }
}
