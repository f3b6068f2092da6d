import GRDB

extension ServerDatabase {
  /// Every schema change there was, in order; a change is never edited once released.
  static func migrator() -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 accounts, ledger, signals") { db in
      try db.execute(sql: schema1)
      try db.execute(sql: "PRAGMA user_version = \(schema)")
    }
    return migrator
  }

  /// Ids, digests and keys are blobs. `commits.id` is the order of acceptance, which is causal: a
  /// commit is taken only after all it depends on. A commit's hash and bytes stand in one row;
  /// rows of `commits` and `device` are never deleted while their account lives.
  private static let schema1 = """
    CREATE TABLE instance (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      instance BLOB NOT NULL,
      generation TEXT NOT NULL,
      signingSeed BLOB NOT NULL,
      secret BLOB NOT NULL,
      clean INTEGER NOT NULL
    );
    CREATE TABLE account (
      id BLOB PRIMARY KEY NOT NULL,
      accountKey BLOB NOT NULL,
      epoch INTEGER NOT NULL,
      memberHead BLOB NOT NULL,
      memberCount INTEGER NOT NULL,
      usedBytes INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE login (
      account BLOB PRIMARY KEY NOT NULL REFERENCES account (id),
      handle BLOB NOT NULL UNIQUE,
      loginKey BLOB NOT NULL,
      slot BLOB NOT NULL,
      memoryKibibytes INTEGER NOT NULL,
      passes INTEGER NOT NULL,
      salt BLOB NOT NULL
    );
    CREATE TABLE usedInvite (
      hash BLOB PRIMARY KEY NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE device (
      id BLOB PRIMARY KEY NOT NULL,
      account BLOB NOT NULL REFERENCES account (id),
      signingKey BLOB NOT NULL,
      authenticationKey BLOB NOT NULL,
      addedBy INTEGER NOT NULL,
      headSequence INTEGER NOT NULL DEFAULT 0,
      headHash BLOB
    ) WITHOUT ROWID;
    CREATE INDEX deviceOfAccount ON device (account);
    CREATE TABLE member (
      account BLOB NOT NULL REFERENCES account (id),
      number INTEGER NOT NULL,
      hash BLOB NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (account, number)
    );
    CREATE UNIQUE INDEX memberByHash ON member (account, hash);
    CREATE TABLE commits (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      account BLOB NOT NULL REFERENCES account (id),
      device BLOB NOT NULL REFERENCES device (id),
      sequence INTEGER NOT NULL,
      hash BLOB NOT NULL,
      bytes BLOB NOT NULL
    );
    CREATE UNIQUE INDEX commitOfDevice ON commits (device, sequence);
    CREATE INDEX commitOfAccount ON commits (account);
    CREATE TABLE signal (
      device BLOB PRIMARY KEY NOT NULL REFERENCES device (id),
      account BLOB NOT NULL REFERENCES account (id),
      sequence INTEGER NOT NULL
    ) WITHOUT ROWID;
    """
}
