import GRDB

extension ServerDatabase {
  /// Every schema change there was, in order; a change is never edited once released.
  static func migrator() -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 accounts, ledger, signals") { db in
      try db.execute(sql: schema1)
      try db.execute(sql: "PRAGMA user_version = 1")
    }
    migrator.registerMigration("2 snapshots, pruning") { db in
      try db.execute(sql: schema2)
      try db.execute(sql: "PRAGMA user_version = 2")
    }
    migrator.registerMigration("3 revocation") { db in
      try db.execute(sql: schema3)
      try db.execute(sql: "PRAGMA user_version = 3")
    }
    migrator.registerMigration("4 endings") { db in
      try db.execute(sql: schema4)
      try db.execute(sql: "PRAGMA user_version = 4")
    }
    migrator.registerMigration("5 signals of records") { db in
      try db.execute(sql: schema5)
      try db.execute(sql: "PRAGMA user_version = 5")
    }
    return migrator
  }

  /// Ids, digests and keys are blobs. `commits.id` is the order of acceptance, which is causal: a
  /// commit is taken only after all it depends on. A commit's hash and bytes stand in one row;
  /// rows of `device` are never deleted while their account lives.
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

  /// `link` keeps the hash of every commit whose bytes are pruned, and of those a snapshot stands
  /// for; `device.base` is the last sequence of which that is so. `jump` names the places a heal
  /// snapshot passed over, whose hashes the server never learned. `snapshot.place` is the order of
  /// completion, null for an offer; a chunk's bytes are null until it came.
  private static let schema2 = """
    ALTER TABLE device ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE link (
      device BLOB NOT NULL REFERENCES device (id),
      sequence INTEGER NOT NULL,
      hash BLOB NOT NULL,
      PRIMARY KEY (device, sequence)
    ) WITHOUT ROWID;
    CREATE TABLE jump (
      device BLOB NOT NULL REFERENCES device (id),
      after INTEGER NOT NULL,
      upTo INTEGER NOT NULL,
      PRIMARY KEY (device, after)
    ) WITHOUT ROWID;
    CREATE TABLE snapshot (
      id BLOB PRIMARY KEY NOT NULL,
      account BLOB NOT NULL REFERENCES account (id),
      device BLOB NOT NULL REFERENCES device (id),
      chunks INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      offeredAt INTEGER NOT NULL,
      completedAt INTEGER,
      place INTEGER,
      manifest BLOB NOT NULL
    );
    CREATE INDEX snapshotOfAccount ON snapshot (account);
    CREATE TABLE snapshotChunk (
      snapshot BLOB NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      hash BLOB NOT NULL,
      bytes BLOB
    );
    CREATE UNIQUE INDEX chunkOfSnapshot ON snapshotChunk (snapshot, number);
    """

  /// `device.revokedBy` is the number of the record that took the device out, `device.farewell` its
  /// own word that it erased itself. `revocation` is what the Push Service was not told yet.
  private static let schema3 = """
    ALTER TABLE device ADD COLUMN revokedBy INTEGER;
    ALTER TABLE device ADD COLUMN farewell BLOB;
    CREATE TABLE revocation (
      device BLOB PRIMARY KEY NOT NULL REFERENCES device (id),
      account BLOB NOT NULL REFERENCES account (id)
    ) WITHOUT ROWID;
    """

  /// `ending` has the record by which an account was deleted: all that is left of it. `revocation`
  /// is a feed whose numbers are never used again, and outlives the devices it names;
  /// `instance.told` is the last of them that the Push Service was told.
  private static let schema4 = """
    CREATE TABLE ending (
      account BLOB PRIMARY KEY NOT NULL,
      record BLOB NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE revocation RENAME TO revocation3;
    CREATE TABLE revocation (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      device BLOB NOT NULL,
      account BLOB NOT NULL,
      at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER))
    );
    ALTER TABLE instance ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
    INSERT INTO revocation (device, account) SELECT device, account FROM revocation3;
    DROP TABLE revocation3;
    """

  /// `recordSignal` has the newest record of an account that the Push Service was not told of, and
  /// the device that is not to hear of it.
  private static let schema5 = """
    CREATE TABLE recordSignal (
      account BLOB PRIMARY KEY NOT NULL REFERENCES account (id),
      device BLOB NOT NULL,
      number INTEGER NOT NULL
    ) WITHOUT ROWID;
    """
}
