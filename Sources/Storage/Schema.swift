import GRDB

/// The tables of the database, as the steps that led there.
///
/// A database carries ``applicationID`` and, in `user_version`, how many steps it has had. A step,
/// once released, never changes; a new layout is a new step at the end.
struct Schema: Sendable {
  /// "HIGS": tells `file` and us whose database it is.
  static let applicationID = 0x4849_4753

  let steps: [@Sendable (Database) throws -> Void]

  static let current = Schema(steps: [first])

  var version: Int { steps.count }

  private static let first: @Sendable (Database) throws -> Void = { database in
    try database.execute(
      sql: """
        CREATE TABLE commits (
          place INTEGER PRIMARY KEY,
          device BLOB NOT NULL,
          sequence INTEGER NOT NULL,
          hash BLOB NOT NULL,
          envelope BLOB NOT NULL,
          UNIQUE (device, sequence)
        ) STRICT;
        CREATE TABLE frontier (
          device BLOB PRIMARY KEY,
          sequence INTEGER NOT NULL,
          hash BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE membership (
          number INTEGER PRIMARY KEY,
          hash BLOB NOT NULL,
          record BLOB NOT NULL
        ) STRICT;
        CREATE TABLE server (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          frontier BLOB NOT NULL,
          generation TEXT
        ) STRICT;
        CREATE TABLE settled (
          place INTEGER PRIMARY KEY,
          context BLOB NOT NULL UNIQUE,
          sealed BLOB NOT NULL
        ) STRICT;
        CREATE TABLE notices (
          place INTEGER PRIMARY KEY,
          code TEXT NOT NULL,
          text TEXT NOT NULL,
          at INTEGER NOT NULL,
          isAlarm INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sealedRows (
          name TEXT PRIMARY KEY,
          bytes BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE meta (
          name TEXT PRIMARY KEY,
          value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO meta VALUES ('stoppedCleanly', 1);
        """)
  }

  /// Runs the steps the database has not had, all or none.
  func migrate(_ database: Database, from version: Int) throws {
    try database.inTransaction {
      for step in steps.dropFirst(version) { try step(database) }
      try database.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
      try database.execute(sql: "PRAGMA user_version = \(self.version)")
      return .commit
    }
  }
}
