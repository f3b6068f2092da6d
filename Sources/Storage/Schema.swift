import GRDB

/// The tables of the database, as the steps that led there.
///
/// A database carries ``applicationID`` and, in `user_version`, how many steps it has had. A step,
/// once released, never changes; a new layout is a new step at the end.
struct Schema: Sendable {
  /// "HIGS": tells `file` and us whose database it is.
  static let applicationID = 0x4849_4753

  let steps: [@Sendable (Database) throws -> Void]

  static let current = Schema(steps: [first, second, third])

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

  /// - `hash` of `drafts` and `settled`: the digest of what is sealed; null in what version 1
  ///   wrote.
  /// - `floors`: commits of the device up to this sequence need not be in the log: a snapshot that
  ///   is held covers them. Those above count up without a gap.
  /// - `hashes`: what was pruned, so that its place in the chain can still be proven.
  /// - `snapshots` and `chunks`: the checkpoint, and one that is still being fetched.
  private static let second: @Sendable (Database) throws -> Void = { database in
    try database.execute(
      sql: """
        CREATE TABLE drafts (
          place INTEGER PRIMARY KEY,
          id BLOB NOT NULL UNIQUE,
          sealed BLOB NOT NULL,
          hash BLOB NOT NULL
        ) STRICT;
        ALTER TABLE settled ADD COLUMN hash BLOB;
        CREATE TABLE floors (
          device BLOB PRIMARY KEY,
          sequence INTEGER NOT NULL,
          hash BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE hashes (
          device BLOB NOT NULL,
          sequence INTEGER NOT NULL,
          hash BLOB NOT NULL,
          PRIMARY KEY (device, sequence)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE snapshots (
          id BLOB PRIMARY KEY,
          manifest BLOB NOT NULL,
          chunks INTEGER NOT NULL,
          isCheckpoint INTEGER NOT NULL,
          heldSince INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE chunks (
          place INTEGER PRIMARY KEY,
          snapshot BLOB NOT NULL,
          number INTEGER NOT NULL,
          hash BLOB NOT NULL,
          bytes BLOB NOT NULL,
          UNIQUE (snapshot, number)
        ) STRICT;
        CREATE TABLE evidence (
          place INTEGER PRIMARY KEY,
          hash BLOB NOT NULL UNIQUE,
          envelope BLOB NOT NULL,
          at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE identity (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          device BLOB NOT NULL
        ) STRICT;
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

  /// - `lowered`: devices whose chain went back behind what the checkpoint covers; without a hash,
  ///   to its beginning. Their commits beyond are folded from the log, not taken for covered.
  private static let third: @Sendable (Database) throws -> Void = { database in
    try database.execute(
      sql: """
        CREATE TABLE lowered (
          device BLOB PRIMARY KEY,
          sequence INTEGER NOT NULL,
          hash BLOB
        ) STRICT, WITHOUT ROWID;
        """)
  }
}
