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
  /// "HIGD": tells our files from those of other programs.
  static let applicationID = 0x4849_4744
  static let schema = 1
  /// Up to 16 MiB a check takes no noticeable time, so it always runs.
  private static let alwaysCheckedBytes = 16 * 1024 * 1024

  let identity: ServerIdentity
  let store: SQLiteLedgerStore
  private let database: DatabaseQueue
  private let work = DispatchQueue(label: "higginsd.database")

  /// Opens the file, or creates it, and checks that it is whole.
  public init(path: String, logger: Logger) throws(AttributeServerError) {
    do {
      try Self.reserve(path)
      database = try DatabaseQueue(path: path, configuration: Self.configuration())
      try Self.check(database, path: path)
      try Self.migrator().migrate(database)
      identity = try database.write(Self.identity)
    } catch let error as AttributeServerError {
      throw error
    } catch let error as DatabaseError {
      switch error.resultCode {
      case .SQLITE_NOTADB, .SQLITE_CORRUPT:
        throw .damaged(path: path, finding: error.message ?? "it does not read")
      default:
        throw .databaseUnusable(path: path, reason: error.message ?? "\(error.resultCode)")
      }
    } catch {
      throw .databaseUnusable(path: path, reason: "\(error)")
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

  /// SQLite gives its journal files the permissions of the database file.
  private static func reserve(_ path: String) throws(AttributeServerError) {
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .databaseUnusable(path: path, reason: String(cString: strerror(errno)))
    }
    Foundation.close(descriptor)
    chmod(path, 0o600)
  }

  private static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { db in
      // Read-only questions come first: a file of another program must stay as it is.
      let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
      guard id == applicationID else { return }
      try harden(db)
    }
    return configuration
  }

  private static func harden(_ db: Database) throws {
    try db.execute(
      sql: """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        """)
  }

  private static func check(_ database: DatabaseQueue, path: String) throws {
    let application = try database.read { try Int.fetchOne($0, sql: "PRAGMA application_id") ?? 0 }
    if application == 0 {
      let tables = try database.read {
        try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_master") ?? 0
      }
      guard tables == 0 else { throw AttributeServerError.notOurs(path: path) }
      try database.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try harden(db)
      }
      return
    }
    guard application == applicationID else { throw AttributeServerError.notOurs(path: path) }
    let found = try database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
    guard found <= schema else {
      throw AttributeServerError.newerSchema(path: path, found: found, known: schema)
    }
    try checkWhole(database, path: path)
  }

  private static func checkWhole(_ database: DatabaseQueue, path: String) throws {
    let clean = try database.read { db in
      guard try db.tableExists("instance") else { return false }
      return try Bool.fetchOne(db, sql: "SELECT clean FROM instance") ?? false
    }
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    guard !clean || bytes <= alwaysCheckedBytes else { return }
    let finding = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
    guard finding == "ok" else {
      throw AttributeServerError.damaged(path: path, finding: finding ?? "it cannot be checked")
    }
  }

  /// The identity of this installation; the stop counts as unclean from here on.
  private static func identity(_ db: Database) throws -> ServerIdentity {
    if try Int.fetchOne(db, sql: "SELECT count(*) FROM instance") == 0 {
      try db.execute(
        sql: """
          INSERT INTO instance (id, instance, generation, signingSeed, secret, clean)
          VALUES (1, ?, ?, ?, ?, 0)
          """,
        arguments: [
          Data(randomBytes(16)), Hex.encode(randomBytes(8)), Data(randomBytes(32)),
          Data(randomBytes(32)),
        ])
    }
    try db.execute(sql: "UPDATE instance SET clean = 0")
    guard let row = try Row.fetchOne(db, sql: "SELECT * FROM instance") else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the instance is missing")
    }
    return ServerIdentity(
      instance: try row.identifier("instance"), generation: row["generation"],
      signingSeed: row.bytes("signingSeed"), secret: row.bytes("secret"))
  }
}

/// `count` bytes from the system's generator.
func randomBytes(_ count: Int) -> [UInt8] {
  var generator = SystemRandomNumberGenerator()
  return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}
