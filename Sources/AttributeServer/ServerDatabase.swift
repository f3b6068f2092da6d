import Crypto
import Dispatch
import Foundation
import GRDB
public import Logging
import Wire

/// Who this installation is, and its secrets; made once, at the first start.
struct ServerIdentity: Sendable {
  let instance: InstanceID
  /// Changes when a backup is restored.
  let generation: String
  /// 32 bytes: the key that signs access tokens.
  let signingSeed: [UInt8]
  /// 32 bytes: makes up how the passphrase of an unknown account would be hashed.
  let secret: [UInt8]
}

/// The server's SQLite file, with one connection on a queue of its own.
///
/// WAL with `synchronous=FULL`: an answered commit survives a power cut. `secure_delete`: what is
/// removed is overwritten. A mark tells a clean stop from a crash; after a crash, and whenever the
/// file is small, `quick_check` runs before anything is served.
public final class ServerDatabase: Sendable {
  static let schema = 5

  let path: String
  let identity: ServerIdentity
  let store: SQLiteLedgerStore
  private let database: DatabaseQueue
  private let work = DispatchQueue(label: "higginsd.database")

  /// Opens the file, or creates it, and checks that it is whole.
  public init(path: String, logger: Logger) throws(AttributeServerError) {
    self.path = path
    do {
      database = try ServerDatabaseFile.open(path)
      identity = try database.read(Self.identity)
      try Self.markUnclean(database, logger: logger)
    } catch {
      throw ServerDatabaseFile.error(error, path: path)
    }
    store = SQLiteLedgerStore(database: database, logger: logger)
  }

  /// Marks the stop as clean and closes the file. Call when nothing is under way any more.
  public func close() throws {
    try database.write { try $0.execute(sql: "UPDATE instance SET clean = 1") }
    try database.close()
  }

  /// Runs `body` on the database's own thread, one call after the other, so that a slow disk never
  /// holds up the threads that serve requests.
  func run<Value: Sendable>(
    _ body: @escaping @Sendable (inout SQLiteLedgerStore) throws(Problem) -> Value
  ) async throws(Problem) -> Value {
    let store = store
    let result: Result<Value, Problem> = await withCheckedContinuation { continuation in
      work.async {
        var store = store
        do throws(Problem) {
          continuation.resume(returning: .success(try body(&store)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  /// The same for what is no business of the ledger.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (DatabaseQueue) throws -> Value
  ) async throws -> Value {
    let database = database
    return try await withCheckedThrowingContinuation { continuation in
      work.async { continuation.resume(with: Result { try body(database) }) }
    }
  }

  /// The stop counts as unclean from here on. On a full disk the mark cannot be set, and nothing
  /// can be written that a crash could harm; what is there is still served.
  private static func markUnclean(_ database: DatabaseQueue, logger: Logger) throws {
    do {
      try database.write { try $0.execute(sql: "UPDATE instance SET clean = 0") }
    } catch DatabaseError.SQLITE_FULL {
      logger.warning("The disk is full: commits are refused until there is room")
    }
  }

  /// Makes the identity of a new installation.
  static func insertIdentity(_ db: Database) throws {
    try db.execute(
      sql: """
        INSERT INTO instance (id, instance, generation, signingSeed, secret, clean)
        VALUES (1, ?, ?, ?, ?, 0)
        """,
      arguments: [
        Data(randomBytes(16)), newGeneration(), Data(randomBytes(32)), Data(randomBytes(32)),
      ])
  }

  static func newGeneration() -> String { Hex.encode(randomBytes(8)) }

  /// A database without its identity lost it: a new one would make every token and name invalid.
  static func identity(_ db: Database) throws -> ServerIdentity {
    guard let row = try Row.fetchOne(db, sql: "SELECT * FROM instance") else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the instance is missing")
    }
    return ServerIdentity(
      instance: try row.identifier("instance"), generation: try row.value("generation"),
      signingSeed: try row.bytes("signingSeed"), secret: try row.bytes("secret"))
  }
}

/// `count` bytes from the system's generator.
func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}
